"""Kill this process at its nth change of anything outside it: a write, rename, link, lock, or call of a store.

Every call has a point before it and one after it; a write has one in its middle as well, with half of it written.
"""

from __future__ import annotations

import builtins
import fcntl
import functools
import io
import os
import signal
from collections.abc import Callable
from typing import Any

from kubectl_stepup.sessions.stores import keyctl

CALLS = (
    *("chmod", "fchmod", "fchown", "fsync", "ftruncate", "link", "memfd_create", "mkdir", "rename"),
    *("replace", "symlink", "unlink"),
)
"""Of `os`, those that change something; `open` counts where it makes a file."""

_PRCTL = 2
READING = {keyctl._GET_KEYRING_ID, keyctl._DESCRIBE, keyctl._SEARCH, keyctl._READ}


class Points:
    """Counts the points of this process and kills it at `at` (0: never)."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.count = 0

    def point(self) -> None:
        self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Call with a point before and one after."""
        self.point()
        result = call(*arguments, **named)
        self.point()
        return result

    def counting(self, call: Callable[..., Any]) -> Callable[..., Any]:
        return functools.wraps(call)(lambda *arguments, **named: self.around(call, *arguments, **named))

    def install(self) -> None:
        """Wrap what changes something outside this process, from now on."""
        write, pwrite, opened, stream_of = os.write, os.pwrite, os.open, io.open

        def half_written(call: Callable[..., int], descriptor: int, data: Any, *offset: int) -> int:
            if os.isatty(descriptor) or len(data) < 2:
                return int(self.around(call, descriptor, data, *offset))
            self.point()
            half = bytes(data)[: len(data) // 2]
            if self.count + 1 == self.at:
                call(descriptor, half, *offset)
            self.point()
            written = call(descriptor, data, *offset)
            self.point()
            return written

        def open_or_make(path: Any, flags: int, *mode: Any, **named: Any) -> int:
            call = self.counting(opened) if flags & os.O_CREAT else opened
            return int(call(path, flags, *mode, **named))

        class Stream(io.FileIO):
            """A file whose writes are points."""

            def write(self, data: Any) -> int:
                return half_written(lambda _, part: io.FileIO.write(self, part), self.fileno(), data)

        def open_stream(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
            if "w" not in mode or not isinstance(file, int):
                return stream_of(file, mode, *arguments, **named)
            buffered = io.BufferedWriter(Stream(file, "wb", closefd=named.get("closefd", True)))
            return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding=named.get("encoding"))

        def system_call(which: int, *rest: Any) -> Any:
            harmless = which == _PRCTL or rest[0] in READING
            return call(which, *rest) if harmless else self.around(call, which, *rest)

        call = keyctl._call
        replaced: list[tuple[Any, str, Any]] = [(os, name, self.counting(getattr(os, name))) for name in CALLS]
        replaced += [
            (os, "write", functools.partial(half_written, write)),
            (os, "pwrite", functools.partial(half_written, pwrite)),
            (os, "open", open_or_make),
            (io, "open", open_stream),
            (builtins, "open", open_stream),
            (fcntl, "flock", self.counting(fcntl.flock)),
            (keyctl, "_call", system_call),
        ]
        for owner, name, wrapped in replaced:
            setattr(owner, name, wrapped)
