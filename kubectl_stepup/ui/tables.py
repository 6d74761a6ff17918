"""Tables as kubectl draws them: upper-case titles, NAME first, three spaces between, `<none>` for an empty value.

Spec: Kubernetes SIG CLI, kubectl conventions (output).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.durations import duration, wall_clock
from kubectl_stepup.sanitise import safe
from kubectl_stepup.ui.command_line import command_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from kubectl_stepup.audit.chain import ChainVerification
    from kubectl_stepup.audit.view import AuditRow

NONE = "<none>"
UNKNOWN = "<unknown>"

_GAP = "   "
_CELL_LIMIT = 60
_WIDE = frozenset({"W", "F"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """One enrolled cluster, with a live session or without (`level` None). Times are in seconds."""

    name: str
    level: str | None
    user: str | None
    methods: tuple[str, ...] = ()
    store: str | None = None
    expires_in_s: float | None = None
    age_s: float | None = None


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Draw a table; every cell is made safe, and all but the last of a row are cut at 60 characters."""
    last = len(titles) - 1
    shown = [
        [safe(cell, 2000 if column == last else _CELL_LIMIT) for column, cell in enumerate(row)]
        for row in (titles, *rows)
    ]
    widths = [max(_width(row[column]) for row in shown) for column in range(len(titles))]
    return "\n".join(
        _GAP.join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown
    )


def status_table(rows: Sequence[StatusRow]) -> str:
    """Draw the `status` screen."""
    titles = ("NAME", "LEVEL", "USER", "METHODS", "STORE", "EXPIRES", "AGE")
    return table(
        titles,
        [
            (
                row.name,
                row.level or NONE,
                row.user or NONE,
                ",".join(row.methods) or NONE,
                row.store or NONE,
                NONE if row.expires_in_s is None else duration(row.expires_in_s),
                NONE if row.age_s is None else duration(row.age_s),
            )
            for row in rows
        ],
    )


def audit_table(rows: Sequence[AuditRow], *, now: float, timezone: tzinfo | None = None) -> str:
    """Draw the `audit list` screen; `now` is seconds since the epoch, `timezone` None the machine's.

    EXIT is `-` where nothing was run, `<unknown>` where the audit log has no end of the run.
    """
    titles = ("TIME", "USER", "CONTEXT", "LEVEL", "RESULT", "EXIT", "COMMAND")
    return table(
        titles,
        [
            (
                wall_clock(row.time, now=now, seconds=True, timezone=timezone),
                row.user or NONE,
                row.context or NONE,
                row.level or NONE,
                row.result,
                _exit(row),
                command_line(row.command) or NONE,
            )
            for row in rows
        ],
    )


def audit_summary(found: ChainVerification) -> str:
    """Write the number of audit events, and whether the hash chain is intact."""
    records = f"{found.records} record{'' if found.records == 1 else 's'}"
    if found.first_break is not None:
        where = f"line {found.first_break.line}: {safe(found.first_break.why)}"
        return f"{records} good, then the hash chain is broken at {where}.  -o json for all fields"
    torn = ""
    if found.torn:
        plural = "" if len(found.torn) == 1 else "s"
        torn = f", half-written line{plural} {', '.join(map(str, found.torn))}"
    head = f" (head {found.head[:6]})" if found.records else ""
    return f"{records}, hash chain ok{head}{torn}.  -o json for all fields"


def _exit(row: AuditRow) -> str:
    if row.exit_code is not None:
        return str(row.exit_code)
    return UNKNOWN if row.started else "-"


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))


def _width(text: str) -> int:
    """Count terminal columns: East Asian wide characters take two, combining marks none (UAX 11)."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in _WIDE else 1
        for character in text
    )
