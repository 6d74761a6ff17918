"""kubectl's lock of a file, `FILE.lock` made with O_EXCL, and our own that a killed process left behind (filesystem).

Nobody can tell whether a lock of kubectl's is in use or was left behind, so a foreign lock is never removed. Ours has a
mark in it and is held by flock(2) as well, both from before it has its name: one with the mark that nobody holds was
left by a process of ours that was killed, and is taken over.

Spec: client-go's `clientcmd.lockFile`; flock(2); link(2).
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from typing import TYPE_CHECKING

from kubectl_stepup import private_file
from kubectl_stepup.errors import KubeconfigLocked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_stepup.clock import Clock

LOCK_WAIT_S = 2.0
"""How long a foreign lock is waited for; kubectl holds its own for some milliseconds."""

_LOCK_POLL_S = 0.05
_MARK = b"kubectl-stepup\n"


@contextlib.contextmanager
def locked(path: str, clock: Clock) -> Iterator[None]:
    """Hold the lock of `path` for the body.

    Raises:
        KubeconfigLocked: another program holds it, or left it behind.
        OSError: the directory cannot be written to.
    """
    lock = f"{path}.lock"
    give_up = clock.monotonic() + LOCK_WAIT_S
    while (descriptor := _made(lock)) is None and (descriptor := _left_behind(lock)) is None:
        if clock.monotonic() >= give_up:
            raise _foreign(lock, clock)
        clock.sleep(_LOCK_POLL_S)
    try:
        yield
    finally:
        _let_go(lock, descriptor)


def temporary_name(path: str) -> str:
    """Return a name beside `path` that nobody has and that `sweep` knows."""
    return f"{path}.{os.getpid()}.{os.urandom(4).hex()}.tmp"


def left_beside(path: str) -> list[str]:
    """Return the files that killed processes of ours may have left: those of `temporary_name`, and locks with the mark.

    They are sure to be left behind only while the lock is held: else somebody may be using them.
    """
    directory, name = os.path.split(path)
    if not os.path.isdir(directory or "."):
        return []
    ours = re.compile(rf"{re.escape(name)}(\.lock)?\.[0-9]+\.[0-9a-f]{{8}}\.tmp")
    found = [os.path.join(directory, one) for one in os.listdir(directory or ".") if ours.fullmatch(one)]
    return [*found, f"{path}.lock"] if _has_mark(f"{path}.lock") else found


def sweep(path: str) -> None:
    """Remove what killed processes left beside `path`, of which the lock must be held; that lock stays."""
    for found in left_beside(path):
        if found != f"{path}.lock":
            with contextlib.suppress(FileNotFoundError):
                os.unlink(found)


def _made(lock: str) -> int | None:
    """Make the lock, with the mark in it and held, in one step; None where there is one."""
    if os.path.lexists(lock):
        return None
    if sys.platform == "win32":
        return _made_plainly(lock)
    temporary = temporary_name(lock)
    descriptor = private_file.open_new(temporary, os.O_RDWR)
    try:
        os.write(descriptor, _MARK)
        _held(descriptor)
        os.link(temporary, lock)
    except OSError as exc:
        os.close(descriptor)
        # Another one was quicker, and may have swept our file; else this filesystem knows no links.
        return None if isinstance(exc, FileExistsError | FileNotFoundError) else _made_plainly(lock)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    return descriptor


def _made_plainly(lock: str) -> int | None:
    """Make the lock as kubectl does, without the mark: it is never taken over."""
    try:
        return private_file.open_new(lock, os.O_RDWR)
    except FileExistsError:
        return None


def _has_mark(lock: str) -> bool:
    descriptor = _opened(lock)
    if descriptor is None:
        return False
    try:
        return _is_marked(descriptor)
    finally:
        os.close(descriptor)


def _left_behind(lock: str) -> int | None:
    """Take over a lock of ours that nobody holds; None where there is none, or it is held or not ours."""
    descriptor = _opened(lock)
    if descriptor is None:
        return None
    with contextlib.suppress(OSError):
        # Its holder may have removed it since it was opened here: a lock on it is then a lock on nothing.
        if _is_marked(descriptor) and _held(descriptor) and os.path.samestat(os.fstat(descriptor), os.lstat(lock)):
            return descriptor
    os.close(descriptor)
    return None


def _opened(lock: str) -> int | None:
    try:
        return private_file.open_regular(lock, os.O_RDWR)
    except OSError:
        return None


def _is_marked(descriptor: int) -> bool:
    return stat.S_ISREG(os.fstat(descriptor).st_mode) and os.read(descriptor, len(_MARK) + 1) == _MARK


def _held(descriptor: int) -> bool:
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another process has it, or the filesystem knows no such locks
        return False
    return True


def _let_go(lock: str, descriptor: int) -> None:
    if sys.platform == "win32":  # where an open file cannot be removed
        os.close(descriptor)
        os.unlink(lock)
        return
    with contextlib.suppress(FileNotFoundError):  # somebody removed it by hand
        os.unlink(lock)
    os.close(descriptor)


def _foreign(lock: str, clock: Clock) -> KubeconfigLocked:
    described = ""
    with contextlib.suppress(OSError):
        found = os.stat(lock)
        described = f", made {max(0, round(clock.now() - found.st_mtime))} s ago by {_user_name(found.st_uid)}"
    return KubeconfigLocked(
        f"{lock} exists{described}: another program is writing the file, or left its lock behind",
        hint=f"make sure that no other program is writing it, then: rm {lock}",
    )


def _user_name(uid: int) -> str:
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return f"user id {uid}"
