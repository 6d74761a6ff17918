"""Read manifests from standard input: a beginning to classify, and the rest in pieces when it is wanted.

Past Python's buffer, whose lock must not be held by a thread that still waits for input when the program ends.
"""

from __future__ import annotations

import select
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import RawIOBase
    from typing import BinaryIO

_CHUNK = 1 << 20


def spooled(source: BinaryIO | RawIOBase | None, at_most: int) -> tuple[bytes, Iterator[bytes]]:
    """Give the first `at_most` bytes of `source` (None: standard input), fewer only at its end, and what comes after.

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
