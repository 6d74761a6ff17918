"""One thing that was looked at on a live cluster, and what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.values import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

ENFORCED = "enforced"
GAP = "gap"
CLIENT_ONLY = "client only"
NOT_CHECKED = "not checked"
STATES = (ENFORCED, GAP, CLIENT_ONLY, NOT_CHECKED)

AUTHENTICATION = "authentication"
"""The enforcement point beside those of `policy.expansion`."""


class VerifyResult(Record):
    """A row: the rule or other `subject`, `what` was looked at, at which `point`, its `state`, why, and what to type.

    A gap is also what only departs from the policy (drift): the server does not hold what the policy says.
    """

    subject: str
    what: str
    point: str
    state: str
    detail: str = ""
    fix: str = ""

    def as_dict(self) -> dict[str, str]:
        """Give it for `-o json`."""
        return {
            "subject": self.subject,
            "what": self.what,
            "point": self.point,
            "state": self.state,
            "detail": self.detail,
            "fix": self.fix,
        }


class Login(Record):
    """A user under which the server is looked at: the everyday login (`level` None), or one stepped up to a level."""

    level: str | None
    rank: int = -1
    """The level's place in the policy, weakest 0."""

    @property
    def name(self) -> str:
        """What it is called in a row."""
        return self.level or "everyday"


def result_of(
    subject: str, what: str, point: str, problems: Iterable[str], *, fix: str, good: str = ""
) -> VerifyResult:
    """Return a gap where there are problems, else that all is well (`good` in words)."""
    found = "; ".join(problems)
    if found:
        return VerifyResult(subject=subject, what=what, point=point, state=GAP, detail=found, fix=fix)
    return VerifyResult(subject=subject, what=what, point=point, state=ENFORCED, detail=good)
