"""Read manifests that can be read only once: standard input, a pipe, a descriptor of the caller (`-f <(…)`).

Of standard input a beginning is classified, and the rest comes in pieces when it is wanted. It is read past Python's
buffer, whose lock must not be held by a thread that still waits for input when the program ends.
"""

from __future__ import annotations

import os
import select
import stat
import sys
from typing import TYPE_CHECKING

from kubectl_stepup.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import RawIOBase
    from typing import BinaryIO

_CHUNK = 1 << 20
_DESCRIPTORS = ("/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/")
_STANDARD_INPUT = ("/dev/stdin", "/proc/self/fd/0")


def captured(source: BinaryIO | RawIOBase | None, at_most: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the first `at_most` bytes of `source` (None: standard input), fewer only at its end, and what comes after.

    Standard input that was closed before we started is empty.
    """
    if source is None:
        if sys.stdin is None:
            return b"", iter(())
        source = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
    pieces, missing = [], at_most
    while missing and (piece := _piece(source, missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces), iter(lambda: _piece(source, _CHUNK), b"")


def _piece(source: BinaryIO | RawIOBase, at_most: int) -> bytes:
    """Read once; empty at the end."""
    # None: nothing yet, where somebody who shares the pipe made reading from it not wait.
    while (data := source.read(min(at_most, _CHUNK))) is None:
        select.select([source], [], [])
    return data


def is_stream(place: str) -> bool:
    """Whether a path is no file of its own: a pipe, a device, or a descriptor, which means another one in a child."""
    if place in _STANDARD_INPUT or place.startswith(_DESCRIPTORS):
        return True
    try:
        mode = os.stat(place).st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def read_stream(place: str) -> bytes:
    """Read what a path leads to, whole; kubectl would do the same.

    Raises:
        UsageError: it cannot be read, or is a descriptor that the caller did not hand to us.
    """
    try:
        _require_of_caller(place)
        with open(place, "rb", buffering=0) as stream:
            return b"".join(iter(lambda: _piece(stream, _CHUNK), b""))
    except OSError as exc:
        raise UsageError(f"{place}: {(exc.strerror or str(exc)).lower()}") from exc


def _require_of_caller(place: str) -> None:
    """Refuse a descriptor of our own: the caller's are inherited, so they are open in children as well."""
    directory, _, number = place.rpartition("/")
    if f"{directory}/" in _DESCRIPTORS and not (number.isdecimal() and os.get_inheritable(int(number))):
        raise FileNotFoundError(2, "no such file or directory")
