"""A clock that only sleeping moves."""

from __future__ import annotations


class FakeClock:
    """Start at a fixed time; `sleep` moves both clocks, a test may move either."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.wall, self.steady = now, 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def sleep(self, seconds: float) -> None:
        assert seconds > 0, seconds
        self.slept.append(seconds)
        self.wall += seconds
        self.steady += seconds
