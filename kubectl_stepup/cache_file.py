"""Files that this program keeps for itself in the user's cache (filesystem), of bytes or of values.

Only a regular 0600 file of the user's own is read: `marshal`, which the values are in, trusts what it reads.
"""

from __future__ import annotations

import marshal
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LARGEST = 16 << 20
_LONGEST_WRITE_S = 60


def read(directory: str, name: str) -> Any:
    """Return the values of a file; None where there is none of our own hand."""
    data = read_bytes(directory, name)
    try:
        return None if data is None else marshal.loads(data)  # noqa: S302 - our own 0600 file
    except (ValueError, EOFError, TypeError):
        return None


def read_bytes(directory: str, name: str) -> bytes | None:
    """Return what is in a file; None where there is none of our own hand."""
    try:
        descriptor = os.open(os.path.join(directory, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
        if not ours or found.st_size > _LARGEST:
            return None
        return os.read(descriptor, found.st_size)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def write(directory: str, name: str, values: Any) -> None:
    """Put values into a file, whole or not at all; where that cannot be, they are made again the next time."""
    write_bytes(directory, name, marshal.dumps(values))


def write_bytes(directory: str, name: str, data: bytes) -> None:
    """Put bytes into a file, whole or not at all; where that cannot be, they are made again the next time."""
    temporary = os.path.join(directory, f".{name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        # Not a home that is not there: as root it could be made.
        if not os.path.isdir(os.path.dirname(os.path.dirname(directory))):
            return
        os.makedirs(directory, mode=0o700, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)
        os.replace(temporary, os.path.join(directory, name))
        _clear_away(directory, name)
    except OSError:
        # NOTE: no contextlib here: it costs the fast path of allowed commands two milliseconds.
        return


def _clear_away(directory: str, kept: str) -> None:
    """Remove what killed processes were writing a good while ago."""
    now = os.stat(os.path.join(directory, kept)).st_mtime
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        if name.startswith(f".{kept}.") and os.lstat(path).st_mtime < now - _LONGEST_WRITE_S:
            os.unlink(path)
