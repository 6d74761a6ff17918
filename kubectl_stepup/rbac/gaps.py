"""Find gaps: powers that a role gives without the level that the policy requires."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.enforce.names import PUBLISHED_NAMESPACE
from kubectl_stepup.rbac.finding import lowered
from kubectl_stepup.rbac.granting import reaches_of
from kubectl_stepup.rbac.powers import NAMED, SYSTEM_NAMESPACE, URLS
from kubectl_stepup.rbac.subjects import Who

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_stepup.rbac.aggregation import EffectiveRule
    from kubectl_stepup.rbac.granting import Reach
    from kubectl_stepup.rbac.model import RbacRule, RoleKey
    from kubectl_stepup.rbac.sensitivity import Need, Sensitivity
    from kubectl_stepup.rbac.subjects import Category

_CHECKED = frozenset({Who.PERSON, Who.PRETENDER, Who.LEVEL, Who.ELEVATED})
"""The categories that our admission policies check: they let machines pass, and `everyone` includes machines."""

_OWN_PLACES = frozenset({"", SYSTEM_NAMESPACE, PUBLISHED_NAMESPACE})
"""Namespaces in which other powers count, or count for more."""

_MACHINES = frozenset({Who.ACCOUNT, Who.MACHINE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A power that a rule gives although the policy requires a level first, and its severity in that namespace."""

    reach: Reach
    need: Need
    effective: EffectiveRule
    severity: str


class GapFinder:
    """Finds gaps, those of a role once, however many bindings lead to it."""

    def __init__(self, sensitivity: Sensitivity) -> None:
        self._sensitivity = sensitivity
        self._known: dict[RbacRule, list[Reach]] = {}
        self._of_roles: dict[tuple[RoleKey, str, Who], tuple[Gap, ...]] = {}

    def of_role(
        self, key: RoleKey, effective: tuple[EffectiveRule, ...], namespace: str, category: Category
    ) -> tuple[Gap, ...]:
        """Return the gaps of a role in a namespace (empty: the whole cluster) for a subject of that category."""
        place = namespace if namespace in _OWN_PLACES else self._sensitivity.place(namespace)
        cache_key = (key, place, category.who)
        if cache_key not in self._of_roles:
            found = (gap for one in effective for gap in self.of_rule(one, namespace, category))
            self._of_roles[cache_key] = tuple(found)
        return self._of_roles[cache_key]

    def of_rule(self, effective: EffectiveRule, namespace: str, category: Category) -> Iterator[Gap]:
        """Return the gaps of one rule."""
        for reach in self._reaches(effective.rule):
            if not _counts(reach, namespace, category):
                continue
            need = self._sensitivity.need(reach, _namespace_of(reach, namespace))
            if need is None or (need.gated and category.who in _CHECKED):
                continue
            yield Gap(reach=reach, need=need, effective=effective, severity=_severity(reach, namespace))

    def _reaches(self, rule: RbacRule) -> list[Reach]:
        if rule not in self._known:
            self._known[rule] = reaches_of(rule)
        return self._known[rule]


def _namespace_of(reach: Reach, namespace: str) -> str:
    """Return the namespace to evaluate: of a cluster-wide right to a power in one namespace, that namespace."""
    return namespace or (reach.power.only_in if reach.power is not NAMED else "")


def _counts(reach: Reach, namespace: str, category: Category) -> bool:
    power = reach.power
    named = bool(power.only_names and reach.names)
    if namespace and (reach.cluster or (power.only_in not in ("", namespace) and not named)):
        return False
    # A cluster-wide right to create workloads is a finding of its own, kube-system included.
    if power.only_in == SYSTEM_NAMESPACE and not namespace:
        return False
    if power is URLS:
        return not namespace
    return power.machines or category.who not in _MACHINES


def _severity(reach: Reach, namespace: str) -> str:
    """Return the severity: one lower in a namespace other than kube-system, one lower for named objects."""
    power = reach.power
    narrow = bool(namespace) and namespace != SYSTEM_NAMESPACE and not power.only_in
    return lowered(power.severity, narrow + bool(reach.names and not power.only_names))
