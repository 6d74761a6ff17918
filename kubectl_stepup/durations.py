"""Times for people: durations, ages, countdowns, and times of day."""

from __future__ import annotations

from datetime import datetime, tzinfo

_MINUTE_S = 60
_HOUR_S = 3600
_DAY_S = 86_400


def duration(seconds: float) -> str:
    """Write a length of time in its two largest units: `4s`, `3m12s`, `5m`, `1h5m`, `2d3h`."""
    whole = max(0, int(seconds))
    units = ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "m"), (1, "s"))
    for (size, unit), smaller in zip(units, (*units[1:], None), strict=True):
        if whole >= size and smaller is not None:
            rest = whole % size // smaller[0]
            return f"{whole // size}{unit}" + (f"{rest}{smaller[1]}" if rest else "")
    return f"{whole}s"


def ago(seconds: float) -> str:
    """Write how long ago something was, in its largest unit: `4s ago`, `3m ago`, `2h ago`."""
    whole = max(0, int(seconds))
    for size, unit in ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "m")):
        if whole >= size:
            return f"{whole // size}{unit} ago"
    return f"{whole}s ago"


def left(seconds: float) -> str:
    """Write a countdown: `14:58`, `1:04:58`."""
    minutes, second = divmod(max(0, int(seconds)), _MINUTE_S)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def wall_clock(at: float, *, now: float, seconds: bool = False, timezone: tzinfo | None = None) -> str:
    """Write a time of day in `timezone` (None: the machine's), with the date unless it is today's.

    `at` and `now` are seconds since the epoch: `14:32`, with `seconds` `14:32:07`, tomorrow `2026-11-22 00:05`.
    """
    moment, today = (datetime.fromtimestamp(value, timezone) for value in (at, now))
    shown = moment.strftime("%H:%M:%S" if seconds else "%H:%M")
    return shown if moment.date() == today.date() else f"{moment:%Y-%m-%d} {shown}"
