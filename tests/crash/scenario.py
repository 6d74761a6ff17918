"""What is killed, and what must be so afterwards; and the killing at every point."""

from __future__ import annotations

import os
import signal
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.crash.injection import Points


class Scenario(ABC):
    """Each of the three runs in a process of its own."""

    __slots__ = ()

    @abstractmethod
    def prepare(self, directory: Path) -> None:
        """Make what there is before."""

    @abstractmethod
    def act(self, directory: Path, points: Points) -> None:
        """Do what is killed at one of the points; those of the operating system count by themselves."""

    @abstractmethod
    def check(self, directory: Path) -> None:
        """Assert what the next process finds, and that it can do the same again."""


def points_of(scenario: Scenario, directory: Path) -> int:
    """Return how many points there are, by a run that is not killed."""
    place = directory / "counted"
    place.mkdir()
    count = directory / "count"

    def counted() -> None:
        points = _act(scenario, place, 0)
        count.write_text(str(points.count))

    _must(_forked(lambda: scenario.prepare(place)), "preparing")
    _must(_forked(counted), "acting without being killed")
    _must(_forked(lambda: scenario.check(place)), "checking what was not killed")
    return int(count.read_text())


def killed_at_every_point(scenario: Scenario, directory: Path) -> tuple[int, list[str]]:
    """Kill at every point, each in a place of its own; return how many there were, and at which something was wrong."""
    complaints: list[str] = []
    count = points_of(scenario, directory)
    for at in range(1, count + 1):
        place = directory / str(at)
        place.mkdir()
        _must(_forked(partial(scenario.prepare, place)), "preparing")
        status = _forked(partial(_act, scenario, place, at))
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            complaints.append(f"not killed at point {at}: status {status}")
        elif _forked(partial(scenario.check, place)) != 0:
            complaints.append(f"killed at point {at}")
    return count, complaints


def _act(scenario: Scenario, place: Path, at: int) -> Points:
    points = Points(at)
    points.install()
    scenario.act(place, points)
    return points


def _must(status: int, what: str) -> None:
    if status != 0:
        raise AssertionError(f"{what} failed: status {status}")


def _forked(act: Callable[[], object]) -> int:
    """Run in a process of its own and give its wait status."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            act()
            code = 0
        except BaseException:  # noqa: BLE001 - nothing may go back into the parent's stack
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(code)
    return os.waitpid(process, 0)[1]
