"""Time as an argument: the system clock, and the protocol that tests implement."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Clock(Protocol):
        """The clock of a use case."""

        def now(self) -> float:
            """Return seconds since the epoch (UTC)."""

        def monotonic(self) -> float:
            """Return seconds that never go back, and that include the time while the machine sleeps."""

        def sleep(self, seconds: float) -> None:
            """Wait; may be cut short by a signal's exception."""


class SystemClock:
    """The real clock."""

    def now(self) -> float:
        """Return seconds since the epoch (UTC)."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since boot, including suspended time if the platform can."""
        # After a laptop sleeps, a device code must be expired: on Linux CLOCK_MONOTONIC stops during sleep.
        clock_id = getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if clock_id is None else time.clock_gettime(clock_id)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
