"""The category of a subject: a person, everybody, a machine, or somebody who has stepped up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from kubectl_stepup.enforce.names import PREFIX

if TYPE_CHECKING:
    from kubectl_stepup.policy.model import Policy
    from kubectl_stepup.rbac.model import Subject

MASTERS = "system:masters"
_ANONYMOUS = frozenset({("User", "system:anonymous"), ("Group", "system:unauthenticated")})
_EVERYONE = frozenset({"system:authenticated", "system:serviceaccounts"})


class Who(Enum):
    """Whom a subject stands for."""

    PERSON = "person"
    ANONYMOUS = "anonymous"
    EVERYONE = "everyone"
    ACCOUNT = "account"
    MACHINE = "machine"
    MASTERS = "masters"
    ELEVATED = "elevated"
    LEVEL = "level"
    PRETENDER = "pretender"
    """A name with our prefix that does not come from a level of the policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """Whom a subject stands for, and the level that its group has, if any."""

    who: Who
    level: str | None = None


def category_of(subject: Subject, policy: Policy) -> Category:
    """Return the category of a subject under a policy."""
    if subject.kind == "ServiceAccount":
        return Category(who=Who.ACCOUNT)
    if subject.name.startswith(PREFIX):
        return _of_level(subject, policy)
    if (subject.kind, subject.name) in _ANONYMOUS:
        return Category(who=Who.ANONYMOUS)
    if subject.kind == "Group":
        if subject.name == MASTERS:
            return Category(who=Who.MASTERS)
        if subject.name in _EVERYONE or subject.name.startswith("system:serviceaccounts:"):
            return Category(who=Who.EVERYONE)
    return Category(who=Who.MACHINE if subject.name.startswith("system:") else Who.PERSON)


def _of_level(subject: Subject, policy: Policy) -> Category:
    level, colon, group = subject.name.removeprefix(PREFIX).partition(":")
    if subject.kind != "Group" or level not in {one.name for one in policy.levels}:
        return Category(who=Who.PRETENDER)
    return Category(who=Who.ELEVATED if colon and group else Who.LEVEL, level=level)
