"""How long the product takes for a decision."""

from __future__ import annotations

import time
from array import array
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")
Documented = TypeVar("Documented", bound=Exception)

LIMIT_MS = 100.0
LONG_LIMIT_MS = 1000.0
"""For a command line of thousands of words."""

HALF_A_MEGABYTE = 512 << 10

COUNTED_MS = 5.0
"""What the machine that the limits are for takes to count to `COUNTED`."""

COUNTED = 200_000


class Watch:
    """Measures decisions, in processor time."""

    def __init__(self, *, instrumented: bool = False) -> None:
        self._instrumented = instrumented
        self.ms = array("d")
        self.long_ms = 0.0
        self.slow = 0

    def decision(self, make: Callable[[], Answer], *, long: bool = False, of_bytes: int = 0) -> Answer:
        """Make a decision, and again where it was slow: only one that is slow four times counts.

        What is long may take a second, and one for each half megabyte that it reads (`of_bytes`). A busy machine makes
        everything slow, which is taken off; instrumented code is not measured at all.
        """
        if self._instrumented:
            return make()
        answer, took = _timed(make)
        limit = LONG_LIMIT_MS * max(1.0, of_bytes / HALF_A_MEGABYTE) if long else LIMIT_MS
        for _ in range(3):
            if took <= limit:
                break
            took = min(took, _timed(make)[1] / _slowness())
        self.slow += took > limit
        if long:
            self.long_ms = max(self.long_ms, took)
        else:
            self.ms.append(took)
        return answer

    def attempt(
        self, make: Callable[[], Answer], *documented: type[Documented], long: bool = False
    ) -> Answer | Documented:
        """Make a decision, and give one of the documented errors as the answer that it is: saying no takes time too."""

        def made() -> Answer | Documented:
            try:
                return make()
            except documented as exc:
                return exc

        return self.decision(made, long=long)


def _timed(make: Callable[[], Answer]) -> tuple[Answer, float]:
    started = time.process_time()
    answer = make()
    return answer, (time.process_time() - started) * 1000


def _slowness() -> float:
    """Return how many times slower than it could be the machine is just now."""
    return max(1.0, _timed(lambda: [None for _ in range(COUNTED)])[1] / COUNTED_MS)
