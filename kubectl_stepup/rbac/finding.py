"""One finding and its severity: who reaches what without a step-up, and through which roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_stepup.rbac.aggregation import EffectiveRule
    from kubectl_stepup.rbac.model import Binding, FileLocation, Role, Subject

LOW, MEDIUM, HIGH, CRITICAL = "low", "medium", "high", "critical"
SEVERITIES = (LOW, MEDIUM, HIGH, CRITICAL)
"""Severities of findings, lowest first; `rank` compares them."""

_SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class RbacFinding:
    """A finding about one subject of one binding.

    `reaches` are the powers (codes of `catalogue`) that a wildcard, or a machine's rights, amount to; `actions` are the
    policy's. `level` is the level that is needed, `asked_by` the policy's rules that require it. `rules` is empty where
    the binding itself is wrong. `note` is about this finding alone.
    """

    code: str
    severity: str
    subject: Subject
    binding: Binding
    role: Role | None
    rules: tuple[EffectiveRule, ...] = ()
    reaches: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    level: str | None = None
    asked_by: tuple[str, ...] = ()
    note: str = ""

    @property
    def scope(self) -> str:
        """Return `cluster`, or the namespace that it is about."""
        return self.binding.namespace or "cluster"

    @property
    def path(self) -> tuple[str, ...]:
        """Return the steps from the binding through its role, and those that it aggregates, to the first rule."""
        through = self.rules[0].through if self.rules else () if self.role is None else (self.role,)
        steps = [str(self.binding), *(f"{role.kind}/{role.name}" for role in through)]
        if not through:
            steps.append(f"{self.binding.role_kind}/{self.binding.role_name}")
        if self.rules:
            first = self.rules[0]
            steps.append(f"rule {first.index + 1}: {shown(first)}")
        return tuple(steps)

    @property
    def location(self) -> FileLocation | None:
        """Return where it is in a file: at the rule, else at the binding."""
        return self.rules[0].rule.location if self.rules else self.binding.location

    @property
    def identity(self) -> str:
        """Return a text that stays the same from run to run as long as the finding exists."""
        parts = (self.code, self.binding.kind, self.binding.namespace, self.binding.name, str(self.subject))
        return "/".join(parts)


def rank(severity: str) -> int:
    """Return a severity's rank, 0 for the lowest."""
    return SEVERITIES.index(severity)


def lowered(severity: str, steps: int = 1) -> str:
    """Return the severity that many steps lower, at least `low`."""
    return SEVERITIES[max(rank(severity) - steps, 0)]


def shown(effective: EffectiveRule) -> str:
    """Return a rule in a few words: `get,list on secrets`."""
    rule = effective.rule
    verbs = ",".join(rule.verbs)
    if rule.urls and not rule.resources:
        return f"{verbs} on {_some(rule.urls)}"
    groups = [group for group in rule.api_groups if group]
    of = f" of {_some(groups)}" if groups else ""
    names = f" named {_some(rule.resource_names)}" if rule.resource_names else ""
    return f"{verbs} on {_some(rule.resources)}{of}{names}"


def _some(words: Sequence[str]) -> str:
    """List the first few words, and how many more there are."""
    left = len(words) - _SHOWN
    return ",".join(words[:_SHOWN]) + (f" and {left} more" if left > 0 else "")
