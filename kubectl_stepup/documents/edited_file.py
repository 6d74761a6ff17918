"""Change a file that others read and write too (the filesystem): under its lock, in one step, or not at all.

The lock is kubectl's own, `FILE.lock` made with O_EXCL, so neither loses the other's entry. kubectl has no way to tell
a lock that was left behind from one in use, so a foreign lock is never removed here either.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from kubectl_stepup.errors import ConfigError, KubeconfigLocked

if TYPE_CHECKING:
    from kubectl_stepup.clock import Clock

LOCK_WAIT_S = 2.0
"""How long a foreign lock is waited for; kubectl holds its own for some milliseconds."""

_LOCK_POLL_S = 0.05
MAX_BYTES = 4 << 20


def read(path: str, *, error: type[ConfigError] = ConfigError) -> bytes | None:
    """Read a regular file; None if it does not exist.

    Raises: `error` where it cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise error(f"{path}: not a regular file")
            with open(descriptor, "rb", closefd=False) as stream:
                data = stream.read(MAX_BYTES + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:
        raise _failed(path, exc, error) from exc
    if len(data) > MAX_BYTES:
        raise error(f"{path}: larger than {MAX_BYTES} bytes")
    return data


def change(
    path: str, edit: Callable[[bytes | None], bytes], *, clock: Clock, error: type[ConfigError] = ConfigError
) -> bool:
    """Replace the file by what `edit` makes of its bytes (None: there is no file yet); tell whether anything changed.

    Symbolic links stay: the file at their end is replaced, keeping its mode and owner. A new file gets mode 0600, and
    a new directory 0700. Readers see the old file or the new one, never half of one.

    Raises:
        KubeconfigLocked: another program holds the lock, or left it behind.
        ConfigError: `error` where it cannot be read or written, and whatever `edit` raises.

    """
    # The same name in every process, however it came to the directory: else one would wait for its own lock.
    path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    target = os.path.realpath(path)
    try:
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        with contextlib.ExitStack() as locks:
            # kubectl locks the name it was given; another program may have been given the other one.
            for name in sorted({path, target}):
                locks.enter_context(_locked(name, clock))
            before = read(target, error=error)
            after = edit(before)
            if after == before:
                return False
            _replace(target, after, error)
            return True
    except (OSError, ValueError) as exc:
        raise _failed(path, exc, error) from exc


@contextlib.contextmanager
def _locked(path: str, clock: Clock) -> Iterator[None]:
    lock = f"{path}.lock"
    give_up = clock.monotonic() + LOCK_WAIT_S
    while True:
        try:
            os.close(os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError as exc:
            if clock.monotonic() >= give_up:
                raise _foreign_lock(lock, clock) from exc
            clock.sleep(_LOCK_POLL_S)
        else:
            break
    try:
        yield
    finally:
        os.unlink(lock)


def _foreign_lock(lock: str, clock: Clock) -> KubeconfigLocked:
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


def _replace(target: str, data: bytes, error: type[ConfigError]) -> None:
    try:
        old = os.stat(target)
    except FileNotFoundError:
        old = None
    if old is not None and not os.access(target, os.W_OK):
        raise error(f"{target}: is read-only", hint=f"chmod u+w {target}")
    temporary = f"{target}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(data)
            if old is not None:
                _keep_owner(descriptor, old)
                os.chmod(temporary, stat.S_IMODE(old.st_mode))
            stream.flush()
            os.fsync(descriptor)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_directory(os.path.dirname(target))


def _keep_owner(descriptor: int, old: os.stat_result) -> None:
    if not hasattr(os, "fchown"):
        return
    new = os.fstat(descriptor)
    if new.st_uid != old.st_uid:
        os.fchown(descriptor, old.st_uid, old.st_gid)
    elif new.st_gid != old.st_gid:
        # A group we are not in cannot be kept, and nobody loses by it: the file stays its owner's.
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, -1, old.st_gid)


def _sync_directory(directory: str) -> None:
    """Make the new name outlive a power cut, where the filesystem can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _failed(path: str, exc: OSError | ValueError, error: type[ConfigError]) -> ConfigError:
    reason = getattr(exc, "strerror", None) or str(exc)
    return error(f"{path}: {reason.lower()}")
