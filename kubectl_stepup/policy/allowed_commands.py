"""Command lines that the policy in force allows wherever they go (filesystem): a repeated one is not evaluated again.

The evaluation is the words' and the policy's alone, so it holds for as long as both are the same. Only digests of the
words are kept, as a command line may hold a token, and only those of the last `MOST` lines. The file is lines of text,
as the launcher (launcher/allowed_command.c) reads it too::

    kubectl-stepup routine lines 1
    <version of this program>  <user id>
    <path>  <what it is known by, file_stamp.py>     a file that decides which policy is in force: of the user,
    <path>  absent                                   of the program itself, of the clusters, in this order
    …
    <SHA-256 of the words, a NUL between two>
    …

Tabs are between the fields. A path with a tab or a line break in it has no such file.
"""

from __future__ import annotations

import os

from kubectl_stepup import cache_file
from kubectl_stepup.digest import sha256_hex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_stepup.file_stamp import Stamp

NAME = "routine.lines"
MOST = 256
_FORM = "kubectl-stepup routine lines 1"


class AllowedCommands:
    """The lines kept in `directory` for the policy of this stamp (file_stamp.py), taken before the policy was read."""

    def __init__(self, directory: str, stamp: Stamp) -> None:
        self._directory = directory
        self._head = _head(stamp)
        self._digests = self._read()

    def __contains__(self, words: Sequence[str]) -> bool:
        return _digest(words) in self._digests

    def add(self, words: Sequence[str]) -> None:
        """Keep a line that was found allowed."""
        if self._head is not None:
            self._digests = [*self._digests, _digest(words)][-MOST:]
            data = self._head + "".join(f"{one}\n" for one in self._digests).encode("ascii")
            cache_file.write_bytes(self._directory, NAME, data)

    def _read(self) -> list[str]:
        data = cache_file.read_bytes(self._directory, NAME)
        if data is None or self._head is None or not data.startswith(self._head):
            return []
        return data[len(self._head) :].decode("ascii", "replace").split("\n")[:-1]


def _head(stamp: Stamp) -> bytes | None:
    version, _, user, files = stamp
    lines = [_FORM, f"{version}\t{user}"]
    for file in files:
        # Of one that is not there its path alone: where that would lead is nothing that the launcher looks up.
        fields = [str(field) for field in (file if file[-1] is not None else (file[0], "absent"))]
        if not os.path.isabs(fields[0]) or any("\t" in field or "\n" in field for field in fields):
            return None
        lines.append("\t".join(fields))
    return os.fsencode("".join(f"{line}\n" for line in lines))


def _digest(words: Sequence[str]) -> str:
    # No word holds a NUL: these are the arguments of a program.
    return sha256_hex(b"\0".join(map(os.fsencode, words)))
