"""A curve: the same command at growing sizes of something, and whether its cost is flat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.rounds import Subject


QUICK = 20
"""How often in a row a command of a millisecond runs at each size: what came before it takes as long as the command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """`points` are the subjects by size, the smallest first; `bound` is on the largest over the smallest, wall time.

    `stopped` says why it does not go on, where the machine ended it early.
    """

    name: str
    unit: str
    points: Mapping[int, Subject]
    bound: float | None
    stopped: str = ""

    @property
    def smallest(self) -> Subject:
        """The subject of the smallest size."""
        return self.points[min(self.points)]

    @property
    def largest(self) -> Subject:
        """The subject of the largest size."""
        return self.points[max(self.points)]
