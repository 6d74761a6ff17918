"""Open, read and replace the files and directories that belong to this user alone (filesystem, fast path).

Every such file is opened here and nowhere else. No link is followed, no FIFO is waited for, and what is checked is the
open file, not its name. Only `os` and `stat` are imported, as the fast path does with less than `pathlib`.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SAFE = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
)
_EPERM = 1  # of `errno`, which the fast path does without
_OTHERS = 0o077
"""The permission bits of everybody but the owner."""


class NotPrivateError(OSError):
    """A file that is not regular, belongs to another user, or is open to others; `strerror` says which."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(_EPERM, reason, path)


def open_new(path: str, flags: int = os.O_WRONLY) -> int:
    """Make a file of mode 0600 and return its descriptor.

    Raises:
        FileExistsError: something has this name, a link included.
        OSError: it cannot be made.
    """
    return os.open(path, flags | os.O_CREAT | os.O_EXCL | _SAFE, 0o600)


def open_regular(path: str, flags: int = os.O_RDONLY) -> int:
    """Open a regular file, whoever owns it, and return its descriptor.

    Raises:
        NotPrivateError: it is not regular.
        OSError: it cannot be opened; ELOOP where it is a link.
    """
    return _opened(path, flags, forbidden=0, owner=None)


def open_own(path: str, flags: int = os.O_RDONLY, *, forbidden: int = _OTHERS) -> int:
    """Open a regular file of this user and return its descriptor; with O_CREAT a missing one is made with mode 0600.

    Raises:
        NotPrivateError: it is not regular, belongs to another user, or has one of the `forbidden` permission bits.
        OSError: it cannot be opened; ELOOP where it is a link.
    """
    return _opened(path, flags, forbidden=forbidden, owner=_user())


def _opened(path: str, flags: int, *, forbidden: int, owner: int | None) -> int:
    descriptor = os.open(path, flags | _SAFE, 0o600)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise NotPrivateError(path, "is not a regular file")
        _check(path, found, forbidden, owner)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read(path: str, *, most: int) -> bytes:
    """Return the first `most` bytes of a file that nobody but this user can read or write.

    Raises:
        NotPrivateError: it is not such a file.
        OSError: it cannot be read.
    """
    descriptor = open_own(path)
    try:
        return os.read(descriptor, min(most, os.fstat(descriptor).st_size))
    finally:
        os.close(descriptor)


def replace(
    path: str, data: bytes, *, temporary: str, sync: bool = False, keep: Callable[[int], None] | None = None
) -> None:
    """Put `data` into a file, whole or not at all: readers see the old file or the new one.

    It is written to `temporary`, a name in the same directory that nothing has. The mode is 0600, whatever the umask,
    unless `keep` gives the open file another mode or owner. With `sync` the data is on the disk before the name is.

    Raises:
        OSError: it cannot be written; nothing is left of it.
    """
    descriptor = open_new(temporary)
    try:
        try:
            if hasattr(os, "fchmod"):
                os.fchmod(descriptor, 0o600)
            write(descriptor, data)
            if keep is not None:
                keep(descriptor)
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except BaseException:
        remove(temporary)
        raise


def write(descriptor: int, data: bytes) -> None:
    """Write all of `data`."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def remove(path: str) -> bool:
    """Remove a file; return whether there was one."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


def sync_directory(path: str) -> None:
    """Make the names in a directory outlive a power cut.

    Raises:
        OSError: the filesystem cannot.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directories(path: str) -> None:
    """Make what is missing of a directory and those above it, each with mode 0700, whatever the umask.

    Spec: XDG Base Directory Specification 0.8, which asks for this mode.
    """
    if os.path.isdir(path) or not path:
        return
    make_directories(os.path.dirname(path))
    try:
        os.mkdir(path, 0o700)
        os.chmod(path, 0o700)
    except FileExistsError:
        if not os.path.isdir(path):  # else another process was quicker
            raise


def check_directory(path: str) -> None:
    """Check that a directory is this user's alone.

    Raises:
        NotPrivateError: it is no directory, belongs to another user, or is open to others; `strerror` says which.
        OSError: it cannot be looked at, for instance as there is none.
    """
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        raise NotPrivateError(path, "is a symbolic link")
    if not stat.S_ISDIR(found.st_mode):
        raise NotPrivateError(path, "is not a directory")
    _check(path, found, _OTHERS, _user())


def _user() -> int | None:
    return os.geteuid() if hasattr(os, "geteuid") else None


def _check(path: str, found: os.stat_result, forbidden: int, owner: int | None) -> None:
    if owner is not None and found.st_uid != owner:
        raise NotPrivateError(path, f"belongs to user {found.st_uid}")
    if found.st_mode & forbidden:
        raise NotPrivateError(path, f"is open to others (mode {stat.S_IMODE(found.st_mode):04o})")
