"""How long an elevated command may run: the level's `maxDuration`, and what a person is told when it runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.kubectl.time_limit import TimeLimit
from kubectl_stepup.ui.notices import time_short_line, time_up_line

if TYPE_CHECKING:
    from kubectl_stepup.stepup.app import App

TIME_UP = 124
"""The exit code of a command that was ended because its time was up: that of timeout(1)."""

WARNING_S = 60.0


class MaxDuration:
    """The limit of one command of a level, and whether it was reached (`over`)."""

    def __init__(self, level: str, longest_s: float, app: App) -> None:
        self.over = False
        self.limit = TimeLimit(
            longest_s, warning_s=min(WARNING_S, max(1.0, longest_s / 10)), tell=self._tell, clock=app.clock
        )
        self._level = level
        self._terminal = app.terminal

    def _tell(self, left_s: float) -> None:
        """Say that the time runs out (`left_s` > 0), or that it has."""
        longest_s = self.limit.longest_s
        if left_s > 0:
            text = time_short_line(level=self._level, longest_s=longest_s, left_s=left_s)
        else:
            self.over = True
            text = time_up_line(level=self._level, longest_s=longest_s)
        self._terminal.interject(text)
