"""The result of one check on a live cluster."""

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
    """One result: its rule or other `subject`, `what` was checked at which `point`, its `state`, why, and the fix.

    An object that differs from the compiled one (drift) is a gap too.
    """

    subject: str
    what: str
    point: str
    state: str
    detail: str = ""
    fix: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the members for `-o json`."""
        return {
            "subject": self.subject,
            "what": self.what,
            "point": self.point,
            "state": self.state,
            "detail": self.detail,
            "fix": self.fix,
        }


class Login(Record):
    """A login that the server is checked with: the everyday login (`level` None), or one stepped up to a level."""

    level: str | None
    rank: int = -1
    """The level's rank in the policy, weakest 0."""

    @property
    def name(self) -> str:
        """Return its name in results."""
        return self.level or "everyday"


def result_of(
    subject: str, what: str, point: str, problems: Iterable[str], *, fix: str, good: str = ""
) -> VerifyResult:
    """Return a gap if there are problems, else that it is enforced (`good` in words)."""
    found = "; ".join(problems)
    if found:
        return VerifyResult(subject=subject, what=what, point=point, state=GAP, detail=found, fix=fix)
    return VerifyResult(subject=subject, what=what, point=point, state=ENFORCED, detail=good)
