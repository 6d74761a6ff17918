"""What one binding gives to one subject, evaluated by the policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.enforce.names import PUBLISHED_NAMESPACE
from kubectl_stepup.rbac.granting import reaches_of
from kubectl_stepup.rbac.powers import NAMED, SYSTEM_NAMESPACE, URLS
from kubectl_stepup.rbac.severity import lowered
from kubectl_stepup.rbac.subjects import Who

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_stepup.rbac.aggregation import EffectiveRule
    from kubectl_stepup.rbac.granting import Reach
    from kubectl_stepup.rbac.model import RbacRule, RoleKey
    from kubectl_stepup.rbac.sensitivity import Need, Sensitivity
    from kubectl_stepup.rbac.subjects import Category

_GUARDED = frozenset({Who.PERSON, Who.PRETENDER, Who.LEVEL, Who.ELEVATED})
"""Whom our admission policies ask; they let machines pass, and `everyone` has machines in it."""

_OWN_PLACES = frozenset({"", SYSTEM_NAMESPACE, PUBLISHED_NAMESPACE})
"""Namespaces in which other things count, or count for more."""

_MACHINES = frozenset({Who.ACCOUNT, Who.MACHINE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A power that a rule gives where the policy asks for a level first, with its severity in that place."""

    reach: Reach
    need: Need
    effective: EffectiveRule
    severity: str


class Judge:
    """Finds gaps; what a rule gives is found once, however many bindings lead to it."""

    def __init__(self, sensitivity: Sensitivity) -> None:
        self._sensitivity = sensitivity
        self._known: dict[RbacRule, list[Reach]] = {}
        self._of_roles: dict[tuple[RoleKey, str, Who], tuple[Gap, ...]] = {}

    def gaps(
        self, key: RoleKey, effective: tuple[EffectiveRule, ...], namespace: str, category: Category
    ) -> tuple[Gap, ...]:
        """Return what a role's rules open in a namespace (empty: the whole cluster) to somebody of that category."""
        place = namespace if namespace in _OWN_PLACES else self._sensitivity.place(namespace)
        known_by = (key, place, category.who)
        if known_by not in self._of_roles:
            found = (gap for one in effective for gap in self.gaps_of(one, namespace, category))
            self._of_roles[known_by] = tuple(found)
        return self._of_roles[known_by]

    def gaps_of(self, effective: EffectiveRule, namespace: str, category: Category) -> Iterator[Gap]:
        """Return what one rule opens."""
        for reach in self._reaches(effective.rule):
            if not _counts(reach, namespace, category):
                continue
            need = self._sensitivity.need(reach, _asked_in(reach, namespace))
            if need is None or (need.guarded and category.who in _GUARDED):
                continue
            yield Gap(reach=reach, need=need, effective=effective, severity=_severity(reach, namespace))

    def _reaches(self, rule: RbacRule) -> list[Reach]:
        if rule not in self._known:
            self._known[rule] = reaches_of(rule)
        return self._known[rule]


def _asked_in(reach: Reach, namespace: str) -> str:
    """Return the one namespace that a cluster-wide right is about where the power is about one alone."""
    return namespace or (reach.power.only_in if reach.power is not NAMED else "")


def _counts(reach: Reach, namespace: str, category: Category) -> bool:
    power = reach.power
    named = bool(power.only_names and reach.names)
    if namespace and (reach.cluster or (power.only_in not in ("", namespace) and not named)):
        return False
    # Cluster-wide rights to make workloads are told as such, wherever they lead.
    if power.only_in == SYSTEM_NAMESPACE and not namespace:
        return False
    if power is URLS:
        return not namespace
    return power.machines or category.who not in _MACHINES


def _severity(reach: Reach, namespace: str) -> str:
    """Lower what is limited: to a namespace that is not the system's own, to objects of certain names."""
    power = reach.power
    narrow = bool(namespace) and namespace != SYSTEM_NAMESPACE and not power.only_in
    return lowered(power.severity, narrow + bool(reach.names and not power.only_names))
