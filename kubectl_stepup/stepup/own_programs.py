"""How the session gets to kubectl's process tree, and how our own programs are started there."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import kubectl_stepup
from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.kubectl import process
from kubectl_stepup.sessions.hand_over import prepared
from kubectl_stepup.sessions.release_credential import DIRECTORY, HANDOVER, KEYRING, STORE
from kubectl_stepup.sessions.stores.choose import FILES
from kubectl_stepup.stepup.native_launcher import launcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kubectl_stepup.stepup.app import App
    from kubectl_stepup.stepup.elevate import Elevation


def credential_command(where: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the words that start `credential` in the fastest way there is, absolute, whatever the caller's PATH.

    `where` are the arguments that say where the session is: of a socket, which the launcher leaves to Python, the way
    is shorter without it.
    """
    native, frozen = launcher(), getattr(sys, "frozen", False)
    if native is not None and (frozen or HANDOVER not in where):
        return (native, "credential")
    if frozen:
        return (sys.executable, "credential")
    return (
        sys.executable,
        "-I",
        "-S",
        str(Path(kubectl_stepup.__file__).with_name("fastpath") / "cached_credential.py"),
        "credential",
    )


def unelevated() -> tuple[str, ...]:
    """Return the words that start a program of the person's from an elevated kubectl, by the variable that names it."""
    if getattr(sys, "frozen", False):
        return (sys.executable, "unelevated")
    return (sys.executable, "-I", "-S", str(Path(kubectl_stepup.__file__).with_name("unelevated.py")))


def differ() -> str | None:
    """Return the path of our own program for kubectl, which takes no path with a blank in it, and none but a program.

    It is what was installed beside our interpreter, or what was started.
    """
    beside = os.path.join(os.path.dirname(sys.executable), process.LAUNCHER)
    started = sys.executable if getattr(sys, "frozen", False) else sys.argv[0]
    for path in (launcher() or beside, beside, started):
        is_ours = path == started == sys.executable or os.path.basename(path) in (process.LAUNCHER, process.PROGRAM)
        if is_ours and os.path.isabs(path) and " " not in path and os.access(path, os.X_OK):
            return path
    return None


def store_arguments(store: str, state_directory: Path) -> tuple[str, ...]:
    """Say to `credential` where the fast path finds a session that is not in the kernel's keyring."""
    if store == "file":
        return (DIRECTORY, str(state_directory / FILES))
    return (STORE, KEYRING) if store == KEYRING else ()


@contextmanager
def hand_over(app: App, directory: str, *, keeps_session: bool) -> Iterator[Callable[[Elevation], tuple[str, ...]]]:
    """Prepare to hand a session to the child's process tree, whatever the store.

    kubectl asks its plugin more than once (`-f -`, after a 401), and a long command outlives the time of reuse: what
    was approved for it must then still be there. Where neither way of handing over works, a store that keeps the
    session serves.
    """
    with ExitStack() as stack:
        offer, failure = None, None
        try:
            offer = stack.enter_context(prepared(directory=Path(directory)))
        except StoreUnavailable as exc:
            if not keeps_session or app.store.name == "memory":
                raise
            failure = exc

        def credential_for(elevation: Elevation) -> tuple[str, ...]:
            if offer is not None:
                where = offer.give(elevation.session)
            elif elevation.stored:
                where = store_arguments(app.store.name, app.state_directory)
            else:
                raise StoreUnavailable("the session can neither be handed over nor kept") from failure
            return (*credential_command(where), "--session", elevation.session.id, *where)

        yield credential_for
