"""The screen of `doctor`: a row for each check, and below it the command that fixes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.sanitise import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, WARN, FAIL = "ok", "warn", "fail"
_LABEL = len("[warn]")
_NAME_LIMIT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of one check: its name, `state` (`ok`, `warn` or `fail`), what was found, and how to fix it."""

    name: str
    state: str
    detail: str
    fix: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the members for `-o json`."""
        return {"name": self.name, "state": self.state, "detail": self.detail, "fix": self.fix}


def doctor_screen(checks: Sequence[Check]) -> str:
    """Draw all checks and their totals."""
    names = [safe(one.name, _NAME_LIMIT) for one in checks]
    width = max(map(len, ["fix", *names]))
    lines = []
    for name, one in zip(names, checks, strict=True):
        lines.append(f"{f'[{one.state}]':<{_LABEL}}   {name:<{width}}   {safe(one.detail, 1000)}".rstrip())
        if one.fix:
            lines.append(f"{'':<{_LABEL}}   {'fix':<{width}}   {safe(one.fix, 1000)}")
    failed, warned = (sum(one.state == state for one in checks) for state in (FAIL, WARN))
    return "\n".join([*lines, f"{failed} failed, {warned} warning{'' if warned == 1 else 's'}"])
