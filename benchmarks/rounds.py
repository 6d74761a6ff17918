"""Paired rounds: every subject once a round, in rotated order, so that drift and load affect all alike."""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class SubjectFailed(Exception):
    """A subject failed, so its time means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One command to measure; `label` is what the table shows.

    `prepare` is called before each run and is not measured; the command runs `times` times, one after the other, with
    `copies` of it at once each time, and the costs are those of one of all.
    """

    name: str
    label: str
    argv: tuple[str, ...]
    environ: Mapping[str, str]
    prepare: Callable[[], None] | None = None
    copies: int = 1
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The cost of one run in milliseconds: wall clock, and CPU of the process and its children."""

    wall_ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One subject's costs over another's."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The costs of each subject, one a round, in the order of the rounds."""

    costs: Mapping[str, list[Cost]] = field(default_factory=dict)

    def median(self, name: str) -> Cost:
        """Return a subject's medians."""
        costs = self.costs[name]
        return Cost(
            wall_ms=statistics.median(one.wall_ms for one in costs),
            cpu_ms=statistics.median(one.cpu_ms for one in costs),
        )

    def ratio(self, name: str, against: str) -> Ratio:
        """Return the medians of the rounds' own ratios: `name` over `against`."""
        pairs = list(zip(self.costs[name], self.costs[against], strict=True))
        return Ratio(
            wall=statistics.median(mine.wall_ms / other.wall_ms for mine, other in pairs),
            cpu=statistics.median(mine.cpu_ms / other.cpu_ms for mine, other in pairs),
        )


def measure(subjects: Sequence[Subject], *, rounds: int, warm_up: int = 2) -> Measurement:
    """Run every subject `rounds` times, after `warm_up` rounds that do not count.

    Raises SubjectFailed where one fails.
    """
    for _ in range(warm_up):
        for subject in subjects:
            run(subject)
    costs: dict[str, list[Cost]] = {subject.name: [] for subject in subjects}
    for number in range(rounds):
        start = number % len(subjects)
        for subject in [*subjects[start:], *subjects[:start]]:
            costs[subject.name].append(run(subject))
    return Measurement(costs=costs)


def run(subject: Subject) -> Cost:
    """Run a subject once; its output goes nowhere, its errors to ours."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
    ]
    if subject.prepare is not None:
        subject.prepare()
    ended = []
    started = time.perf_counter()
    for _ in range(subject.times):
        pids = [
            os.posix_spawn(subject.argv[0], subject.argv, subject.environ, file_actions=actions)
            for _ in range(subject.copies)
        ]
        ended += [os.wait4(pid, 0) for pid in pids]
    wall = time.perf_counter() - started
    for _, status, _ in ended:
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            raise SubjectFailed(f"{subject.label}: exit code {code} ({' '.join(subject.argv)})")
    usages = [usage for _, _, usage in ended]
    return Cost(
        wall_ms=wall * 1000 / len(ended),
        cpu_ms=sum(usage.ru_utime + usage.ru_stime for usage in usages) * 1000 / len(ended),
    )
