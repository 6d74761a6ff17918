"""Files that this program keeps for itself in the user's cache (filesystem), of bytes or of values.

Only a regular 0600 file of the user's own is read: `marshal`, which the values are in, trusts what it reads.
"""

from __future__ import annotations

import marshal
import os

from kubectl_stepup import private_file

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
        data = private_file.read(os.path.join(directory, name), most=_LARGEST + 1)
    except OSError:
        return None
    return data if len(data) <= _LARGEST else None


def write(directory: str, name: str, values: Any) -> None:
    """Write values to a file, whole or not at all; where that fails, they are made again the next time."""
    write_bytes(directory, name, marshal.dumps(values))


def write_bytes(directory: str, name: str, data: bytes) -> None:
    """Write bytes to a file, whole or not at all; where that fails, they are made again the next time."""
    temporary = os.path.join(directory, f".{name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        # Not a home that is not there: as root it could be made.
        if not os.path.isdir(os.path.dirname(os.path.dirname(directory))):
            return
        private_file.make_directories(directory)
        private_file.replace(os.path.join(directory, name), data, temporary=temporary)
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
