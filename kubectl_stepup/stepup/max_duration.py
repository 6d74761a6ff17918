"""How long an elevated command may run: the level's `longest`, and what a person is told when it runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.ui.notices import time_short_line, time_up_line

if TYPE_CHECKING:
    from kubectl_stepup.policy.model import Level
    from kubectl_stepup.stepup.ports import Terminal

TIME_UP = 124
"""The exit code of a command that was ended because its time was up: that of timeout(1)."""

WARNING_S = 60.0


class Longest:
    """The limit for one command, and whether it was reached (`over`)."""

    def __init__(self, level: Level, longest_s: float, terminal: Terminal) -> None:
        self.longest_s = longest_s
        self.warning_s = min(WARNING_S, max(1.0, longest_s / 10))
        self.over = False
        self._level = level.name
        self._terminal = terminal

    def tell(self, left_s: float) -> None:
        """Say that the time runs out (`left_s` > 0), or that it has."""
        if left_s > 0:
            text = time_short_line(level=self._level, longest_s=self.longest_s, left_s=left_s)
        else:
            self.over = True
            text = time_up_line(level=self._level, longest_s=self.longest_s)
        self._terminal.interject(text)


def limit_of(level: Level, terminal: Terminal) -> Longest | None:
    """Return the limit of a level; None: its commands may run as long as they want."""
    return None if level.longest_s is None else Longest(level, level.longest_s, terminal)
