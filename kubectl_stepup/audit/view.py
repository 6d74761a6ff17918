"""The audit log as people read it: one row for each run, joined from the events before and after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.audit.event import Activity, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_stepup.audit.chain import AuditRecord
    from kubectl_stepup.audit.event import AuditEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One row of `audit list`. `time` is of the first event, in seconds since the epoch.

    `started` tells that a command was started; with it and no `exit_code` the command still runs, or was killed
    together with the process that would have written its end.
    """

    time: float
    user: str | None
    context: str | None
    level: str | None
    result: str
    started: bool
    exit_code: int | None
    command: tuple[str, ...]


def rows(records: Iterable[AuditRecord], *, last: int | None = None) -> tuple[AuditRow, ...]:
    """Join events by `auditID`, the latest first; `last` keeps that many.

    The order is that of the log, whatever the clock did. Where both events say something, the later one counts.
    """
    events: dict[str, list[AuditEvent]] = {}
    for record in records:
        events.setdefault(record.event.audit_id, []).append(record.event)
    joined = list(events.values())
    kept = joined if last is None else joined[max(0, len(joined) - last) :]
    return tuple(_row(group) for group in reversed(kept))


def _row(group: list[AuditEvent]) -> AuditRow:
    exits = [event.exit_code for event in group if event.exit_code is not None]
    started = any(event.activity is Activity.RUN and event.stage is Stage.REQUEST_RECEIVED for event in group)
    return AuditRow(
        time=group[0].time,
        user=_latest([event.user for event in group]),
        context=_latest([event.context for event in group]),
        level=_latest([event.level for event in group]),
        result=group[-1].result,
        started=started or bool(exits),
        exit_code=exits[-1] if exits else None,
        command=next((event.command for event in reversed(group) if event.command), ()),
    )


def _latest(values: list[str | None]) -> str | None:
    return next((value for value in reversed(values) if value is not None), None)
