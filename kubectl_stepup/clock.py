"""Time as an argument: the one Clock of production and the protocol that tests replace."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Clock(Protocol):
        """What a flow may know of time."""

        def now(self) -> float:
            """Return seconds since the epoch (UTC)."""

        def monotonic(self) -> float:
            """Return seconds that never go back and go on while the machine sleeps."""

        def sleep(self, seconds: float) -> None:
            """Wait; may be cut short by a signal's exception."""


class SystemClock:
    """The real clock."""

    def now(self) -> float:
        """Return seconds since the epoch (UTC)."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since boot, suspended time included where the platform can."""
        # A laptop that sleeps through a device flow must find the code expired: CLOCK_MONOTONIC stops on Linux.
        clock_id = getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if clock_id is None else time.clock_gettime(clock_id)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
