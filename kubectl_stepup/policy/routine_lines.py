"""Command lines that the policy in force allows wherever they go (filesystem): a repeated one is not judged again.

The judgement is the words' and the policy's alone, so it holds for as long as both are the same. Only digests of the
words are kept, as a command line may hold a token, and only those of the last `MOST` lines.
"""

from __future__ import annotations

import os

from kubectl_stepup.digest import sha256_hex
from kubectl_stepup.policy import own_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "routine.lines"
MOST = 256


class RoutineLines:
    """The lines kept in `directory` for the policy of this stamp (file_stamp.py), taken before the policy was read."""

    def __init__(self, directory: str, stamp: tuple[object, ...]) -> None:
        self._directory = directory
        self._stamp = stamp
        self._digests = self._read()

    def __contains__(self, words: Sequence[str]) -> bool:
        return _digest(words) in self._digests

    def add(self, words: Sequence[str]) -> None:
        """Keep a line that was judged routine."""
        self._digests = [*self._digests, _digest(words)][-MOST:]
        own_file.write(self._directory, NAME, (self._stamp, self._digests))

    def _read(self) -> list[str]:
        try:
            known, digests = own_file.read(self._directory, NAME) or (None, None)
        except (TypeError, ValueError):
            return []
        return digests if known == self._stamp and isinstance(digests, list) else []


def _digest(words: Sequence[str]) -> str:
    # No word holds a NUL: these are the arguments of a program.
    return sha256_hex(b"\0".join(map(os.fsencode, words)))
