"""Change a file that others read and write too (the filesystem): under its lock, in one step, or not at all.

The lock is kubectl's own (file_lock.py), so neither loses the other's entry.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from kubectl_stepup import private_file
from kubectl_stepup.errors import ConfigError, KubeconfigLocked
from kubectl_stepup.yaml_edit import file_lock

if TYPE_CHECKING:
    from kubectl_stepup.clock import Clock

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
    """Replace the file by what `edit` makes of its bytes (None: there is no file yet); return whether anything changed.

    Symbolic links stay: the file at their end is replaced, keeping its mode and owner. A new file gets mode 0600, and
    a new directory 0700. Readers see the old file or the new one, never half of one.

    Raises:
        KubeconfigLocked: another program holds the lock, or left it behind.
        ConfigError: `error` where it cannot be read or written, and whatever `edit` raises.

    """
    target = os.path.realpath(path)
    try:
        private_file.make_directories(os.path.dirname(target))
        with _alone(_names(path), clock):
            before = read(target, error=error)
            after = edit(before)
            if after == before:
                return False
            _replace(target, after, error)
            return True
    except (OSError, ValueError) as exc:
        raise _failed(path, exc, error) from exc


def can_change(path: str) -> bool:
    """Whether `change` may write the file and make its lock beside it, as far as the modes of both say."""
    target = os.path.realpath(path)
    directories = {os.path.dirname(name) for name in _names(path)}
    return all(os.access(one, os.W_OK | os.X_OK) for one in directories) and (
        not os.path.lexists(target) or os.access(target, os.W_OK)
    )


def clear_away(path: str, *, clock: Clock) -> None:
    """Remove what a killed process of ours left beside the file: its lock, and the file that it was writing.

    Where that cannot be done now, the next one who changes the file does it.
    """
    names = _names(path)
    if any(file_lock.left_beside(name) for name in names):
        with contextlib.suppress(OSError, KubeconfigLocked), _alone(names, clock):
            pass


def _names(path: str) -> list[str]:
    """Return the names that a file is locked by: kubectl locks the one it got, others may get the link's end.

    The directory is the same in all of them, however one came there: else a process would wait for its own lock.
    """
    given = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    return sorted({given, os.path.realpath(path)})


@contextlib.contextmanager
def _alone(names: Sequence[str], clock: Clock) -> Iterator[None]:
    """Hold the locks of a file, by all its names."""
    with contextlib.ExitStack() as locks:
        for name in names:
            locks.enter_context(file_lock.locked(name, clock))
        for name in names:
            file_lock.sweep(name)
        yield


def _replace(target: str, data: bytes, error: type[ConfigError]) -> None:
    try:
        old = os.stat(target)
    except FileNotFoundError:
        old = None
    if old is not None and not os.access(target, os.W_OK):
        raise error(f"{target}: is read-only", hint=f"chmod u+w {target}")
    temporary = file_lock.temporary_name(target)

    def keep(descriptor: int) -> None:
        if old is not None:
            _keep_owner(descriptor, old)
            os.chmod(temporary, stat.S_IMODE(old.st_mode))

    private_file.replace(target, data, temporary=temporary, sync=True, keep=keep)
    with contextlib.suppress(OSError):  # not every filesystem can
        private_file.sync_directory(os.path.dirname(target))


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


def _failed(path: str, exc: OSError | ValueError, error: type[ConfigError]) -> ConfigError:
    reason = (getattr(exc, "strerror", None) or str(exc)).lower()
    other = getattr(exc, "filename", None)
    if isinstance(exc, OSError) and isinstance(other, str) and os.path.realpath(other) != os.path.realpath(path):
        # A lock or a temporary file beside it, whose own name says nothing to anybody.
        return error(f"{path}: nothing can be written into {os.path.dirname(other)}, as its lock must be: {reason}")
    return error(f"{path}: {reason}")
