from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from kubectl_stepup.durations import ago, duration, left, wall_clock


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0s"),
        (0, "0s"),
        (4.9, "4s"),
        (60, "1m"),
        (192, "3m12s"),
        (300, "5m"),
        (3600, "1h"),
        (3659, "1h"),
        (3960, "1h6m"),
        (86_400, "1d"),
        (86_400 * 2 + 3 * 3600 + 59, "2d3h"),
    ],
)
def test_duration(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-1, "0s ago"), (4, "4s ago"), (192, "3m ago"), (7300, "2h ago"), (200_000, "2d ago")]
)
def test_ago(seconds: float, shown: str) -> None:
    assert ago(seconds) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(-1, "0:00"), (898.9, "14:58"), (59, "0:59"), (3898, "1:04:58")])
def test_left(seconds: float, shown: str) -> None:
    assert left(seconds) == shown


def test_wall_clock_is_local_and_names_another_day() -> None:
    noon = datetime(2026, 11, 21, 12, 28, 7, tzinfo=UTC).timestamp()
    east = timezone(timedelta(hours=2))
    assert wall_clock(noon, now=noon, timezone=UTC) == "12:28"
    assert wall_clock(noon, now=noon, timezone=east, seconds=True) == "14:28:07"
    assert wall_clock(noon + 43_200, now=noon, timezone=UTC) == "2026-11-22 00:28"
