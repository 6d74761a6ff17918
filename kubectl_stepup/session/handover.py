"""Hand a session to one process tree without storing it: the kernel's session keyring on Linux, a socket elsewhere.

For levels with `askAgainAfter: 0s`, `--once` and the memory store. `0s` means one process tree, not one read: kubectl
asks its plugin more than once.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, contextmanager

from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.session import handover_socket, keyctl
from kubectl_stepup.session.release import HANDOVER
from kubectl_stepup.session.scope import HANDED_OVER, key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kubectl_stepup.session.model import ElevationSession

_POSSESSOR_ALONE = 0x3F000000
"""Who holds the session keyring may all; other processes of the user do not even see the key."""


@contextmanager
def handed_over(
    session: ElevationSession, *, directory: Path, kernel: bool = True, now: Callable[[], float] = time.time
) -> Iterator[tuple[str, ...]]:
    """Let the processes that the body starts, and their descendants, read `session`; nobody else can.

    Gives the arguments to add to the exec entry's `credential --session ID` (none with the kernel keyring). When the
    body ends the session is gone for everybody, also for a process that was left behind.

    Linux: this thread joins an anonymous session keyring first; start the child from the same thread. The old session
    keyring is linked below the new one, so that everything in it (Kerberos tickets, the user keyring of the
    sessions' own store) is found as before, by this process and by its children. There is no way back, and none is
    needed: the new keyring ends with the last process that has it. `directory` (the runtime directory) takes the
    socket where the keyring cannot serve; `kernel=False` takes the socket at once.

    Raises:
        StoreUnavailable: neither way works.
    """
    value = session.for_process_tree().to_record()
    with ExitStack() as stack:
        arguments: tuple[str, ...] = ()
        serial = None
        if kernel:
            try:
                serial = _put_into_new_keyring(value, session.id, int(session.token_expires_at - now()))
            except OSError:
                serial = None  # not Linux, or not allowed: the socket serves
        if serial is not None:
            stack.callback(_end, serial)
        else:
            path = directory / f"{os.getpid()}.{os.urandom(4).hex()}.sock"
            stack.enter_context(handover_socket.Offer(value, os.fspath(path)))
            arguments = (HANDOVER, os.fspath(path))
        yield arguments


def _put_into_new_keyring(value: bytes, session_id: str, lifetime_s: int) -> int:
    if lifetime_s < 1:
        raise StoreUnavailable("the token to hand over has expired")
    old = _kept_reachable()
    keyctl.join_new_session_keyring()
    if old is not None:
        keyctl.link(old, keyctl.SESSION_KEYRING)
        keyctl.unlink(old, keyctl.PROCESS_KEYRING)
    serial = keyctl.add_key(key(session_id, HANDED_OVER), value, keyctl.SESSION_KEYRING)
    keyctl.set_timeout(serial, lifetime_s)
    keyctl.set_permissions(serial, _POSSESSOR_ALONE)
    return serial


def _kept_reachable() -> int | None:
    """Link the present session keyring into the process keyring: it may be linked on only while it is possessed."""
    try:
        old = keyctl.serial_number(keyctl.SESSION_KEYRING)
        keyctl.link(old, keyctl.PROCESS_KEYRING)
    except OSError:  # none, or revoked: nothing to keep
        return None
    return old


def _end(serial: int) -> None:
    try:
        keyctl.invalidate(serial)
    except OSError:  # expired meanwhile
        return
