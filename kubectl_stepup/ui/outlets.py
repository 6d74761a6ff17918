"""Where prompts are written: standard error, or the terminal by its name (file descriptors). Neither ever fails.

Spec: tty_ioctl(4).
"""

from __future__ import annotations

import contextlib
import locale
import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from typing import TextIO


class Outlet(Protocol):
    """A destination for prompts and notices."""

    @property
    def fd(self) -> int | None:
        """Return its descriptor; None if it is no file."""

    def write(self, text: str) -> None:
        """Write what can be written; never fail."""

    def columns(self) -> int:
        """Return its width, in characters."""


class StreamOutlet:
    """Standard error; it may be closed, missing, full, and have any encoding."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    @property
    def fd(self) -> int | None:
        """Return its descriptor; None if it is no file."""
        try:
            return None if self._stream is None else self._stream.fileno()
        except (OSError, ValueError, AttributeError):
            return None

    def write(self, text: str) -> None:
        """Write, past the stream's buffer."""
        if self._stream is None:
            return
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        data = text.encode(encoding, "backslashreplace")
        # Where the stream is closed, broken or full there is no way to report it.
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()
            if self.fd is None:
                self._stream.write(data.decode(encoding))
            else:
                # Past the buffer: on a full disk what stays there would fail again at exit and make the exit code 120.
                _write_all(self.fd, data)

    def columns(self) -> int:
        """Return its width, in characters."""
        return _columns(self.fd)


class TtyOutlet:
    """The controlling terminal, opened by its name.

    Raises: OSError: there is none.
    """

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        if not os.isatty(self._fd):
            os.close(self._fd)
            raise OSError(f"{path} is not a terminal")

    @property
    def fd(self) -> int | None:
        """Return its descriptor."""
        return self._fd

    def write(self, text: str) -> None:
        """Write."""
        with contextlib.suppress(OSError):
            _write_all(self._fd, text.encode(locale.getencoding(), "backslashreplace"))

    def columns(self) -> int:
        """Return its width, in characters."""
        return _columns(self._fd)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _columns(fd: int | None) -> int:
    try:
        return (os.get_terminal_size(fd).columns if fd is not None else 0) or 80
    except OSError:
        return 80
