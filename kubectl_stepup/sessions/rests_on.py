"""Which files a session was evaluated with, and whether these are still the same ones (fast path; filesystem).

The line `rests_on` of a record: the SHA-256 of what the files are known by, and their paths::

    rests_on=<64 hex digits> <path> <path> …

Of a file the digest has the path and the numbers of stat(2), of one that is not there the path alone, so that it
counts when it appears. In a path every byte but printable ASCII, and `%`, is written as `%XX`. `-` rests on no file.
`launcher/rests_on.c` reads the same.
"""

from __future__ import annotations

from kubectl_stepup.digest import sha256_hex
from kubectl_stepup.posix_calls import calls, encoded, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING = "-"
"""Of a session that was handed to one process tree: it was approved for the command that runs there."""

_UNKNOWN = "0" * 64
_PERCENT = ord("%")
_HEX = "0123456789ABCDEF"


def line_of(paths: Sequence[str]) -> str:
    """Return the line for absolute paths as the files are now."""
    quoted = [_quoted(path) for path in paths]
    return " ".join([_digest(quoted) or _UNKNOWN, *quoted])


def is_unchanged(line: str) -> bool:
    """Whether the files are still what they were; False also for a malformed line, or an unreadable directory."""
    if line == NOTHING:
        return True
    digest, *quoted = line.split(" ")
    return bool(quoted) and digest == _digest(quoted)


def _digest(quoted: Sequence[str]) -> str | None:
    known = []
    for path in quoted:
        name = _unquoted(path)
        if name is None:
            return None
        try:
            found = calls.stat(name)
        except (FileNotFoundError, NotADirectoryError):
            known.append(f"{path}\tabsent\n")
            continue
        except (OSError, ValueError):  # it may be there
            return None
        modified, changed = divmod(found.st_mtime_ns, 10**9), divmod(found.st_ctime_ns, 10**9)
        numbers = (
            *(found.st_dev, found.st_ino, *modified, *changed),
            *(found.st_size, found.st_mode, found.st_uid),
        )
        known.append("\t".join([path, *map(str, numbers)]) + "\n")
    return sha256_hex("".join(known).encode("ascii"))


def _quoted(path: str) -> str:
    return "".join(chr(byte) if 32 < byte < 127 and byte != _PERCENT else f"%{byte:02X}" for byte in encoded(path))


def _unquoted(quoted: str) -> str | None:
    first, *rest = quoted.split("%")
    data = first.encode("ascii")
    for part in rest:
        if len(part) < 2 or part[0] not in _HEX or part[1] not in _HEX:
            return None
        data += bytes((int(part[:2], 16),)) + part[2:].encode("ascii")
    return text_of(data) if data and 0 not in data else None
