"""Find the directory for locks and sockets: of this user alone, never a shared one."""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path

from kubectl_stepup import environment, private_file
from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions.denial_cache import ENDED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "kubectl-stepup"
_ENDED_FOR_S = 86_400.0
_SOCKET = re.compile(r"([0-9]+)\.[0-9a-f]+\.sock")


def runtime_directory(environ: Mapping[str, str], *, state_directory: Path) -> Path:
    """Return `$XDG_RUNTIME_DIR/kubectl-stepup`, else `<state_directory>/run`; made with mode 0700 when missing.

    A candidate that is a symbolic link, not a directory, somebody else's or open to others is passed over; so is an
    `$XDG_RUNTIME_DIR` that is itself not the user's alone, as the specification asks. /tmp is never used.

    Raises:
        StoreUnavailable: no candidate can be used; the message says why of each.

    Spec: XDG Base Directory Specification 0.8, `$XDG_RUNTIME_DIR`.
    """
    denials = []
    runtime = environ.get(environment.XDG_RUNTIME_DIR, "")
    if os.path.isabs(runtime):
        reason = _refusal(Path(runtime)) or _own(Path(runtime) / NAME)
        if reason is None:
            return Path(runtime) / NAME
        denials.append(reason)
    fallback = state_directory / "run"
    try:
        private_file.make_directories(str(state_directory))
        reason = _own(fallback)
    except OSError as error:
        reason = f"{state_directory}: {error.strerror}"
    if reason is None:
        return fallback
    raise StoreUnavailable(
        f"no directory for locks: {'; '.join([*denials, reason])}",
        hint='export XDG_RUNTIME_DIR="$(mktemp -d)"   (once, for all commands of this container or login)',
    )


def clear_away(directory: Path) -> None:
    """Remove the sockets by which wrappers that were killed handed sessions over, and old ends.

    An end of sessions counts for the step-ups that were under way then: after a day for none.
    """
    with contextlib.suppress(OSError):
        for name in os.listdir(directory):
            found = _SOCKET.fullmatch(name)
            is_over = name.endswith(ENDED) and (directory / name).stat().st_mtime < time.time() - _ENDED_FOR_S
            if is_over or (found and not _is_running(int(found[1]))):
                (directory / name).unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)  # sends nothing
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's by now
        return False
    return True


def _own(directory: Path) -> str | None:
    """Make `directory` when missing; give the reason why it cannot be used, or None."""
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        return f"{directory}: {error.strerror}"
    return _refusal(directory)


def _refusal(directory: Path) -> str | None:
    try:
        private_file.check_directory(str(directory))
    except private_file.NotPrivateError as error:
        return f"{directory} {error.strerror}"
    except OSError as error:
        return f"{directory}: {error.strerror}"
    return None
