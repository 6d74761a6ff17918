"""A clock that stands still until it is moved."""

from __future__ import annotations


class StillClock:
    """A Clock whose `sleep` moves it on."""

    def __init__(self, *, wall: float = 1_800_000_000.0, boottime: float = 5_000.0) -> None:
        self.wall = wall
        self.boottime = boottime

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.boottime

    def sleep(self, seconds: float) -> None:
        self.wall += seconds
        self.boottime += seconds
