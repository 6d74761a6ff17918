"""Write a command as a person could type it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from kubectl_stepup.sanitise import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT = 500
"""The number of characters shown; a cut command ends with the number of missing ones."""


def command_line(argv: Sequence[str], limit: int = LIMIT) -> str:
    """Write `argv` in one line, quoted for a POSIX shell where needed and safe to show.

    Secrets must be redacted before. Control characters are shown as escapes: such a line is for reading.
    """
    return safe(" ".join(map(_quoted, argv)), limit)


def kubectl_line(argv: Sequence[str], limit: int = LIMIT) -> str:
    """Write kubectl's arguments as the whole command: `kubectl delete pod web-0`."""
    return command_line(("kubectl", *argv), limit)


def _quoted(argument: str) -> str:
    # The redaction mark is readable without quotes.
    return argument if argument == "[redacted]" else shlex.quote(argument)
