"""Which level the policy requires for a power, and whether an admission policy enforces it already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.kubectl.request import READS, ResourceAttributes
from kubectl_stepup.kubectl.resources import ANY, UNKNOWN, resource_in_path
from kubectl_stepup.policy.matching import request_matches
from kubectl_stepup.policy.model import Where
from kubectl_stepup.rbac.powers import NAMED, URLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_stepup.kubectl.resources import Resource
    from kubectl_stepup.policy.model import Policy, Rule, Target
    from kubectl_stepup.rbac.granting import Reach

_UNASKED = frozenset({"audit", "warn"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """The level that the policy requires: the strongest of its matching rules.

    `gated`: an admission policy enforces each of those rules, and sees this power used.
    """

    level: str
    rank: int
    rules: tuple[str, ...]
    gated: bool


class Sensitivity:
    """What a policy requires on one cluster; `gated` are the rules whose admission policies are in force."""

    def __init__(self, policy: Policy, target: Target, *, gated: frozenset[str] = frozenset()) -> None:
        self._policy = policy
        self._target = target
        self._gated = gated
        # RBAC cannot enforce a rule about the command line (`where`); a rule in mode audit or warn requires nothing.
        self._rules = [rule for rule in policy.rules if rule.where == Where() and rule.mode not in _UNASKED]
        self._by_namespace = any(rule.selector.namespaces or rule.excluded for rule in self._rules)
        self._known: dict[tuple[object, ...], Need | None] = {}

    def place(self, namespace: str) -> str:
        """Return a namespace with the same answers: one for all where no rule depends on the namespace."""
        return namespace if self._by_namespace or not namespace else ANY

    def need(self, reach: Reach, namespace: str) -> Need | None:
        """Return what a power needs in a namespace (empty: in all of them), or None.

        `wildcard-urls` is about no action: it counts wherever a rule with actions does.
        """
        place = self.place(namespace)
        key = (reach.power.code, reach.verbs, reach.group, reach.resource, reach.names, place)
        if key not in self._known:
            self._known[key] = self._need(reach, place)
        return self._known[key]

    def _need(self, reach: Reach, namespace: str) -> Need | None:
        asking = self._asking(reach, namespace)
        if not asking:
            return None
        rank, level = max((self._policy.rank(rule.needs), rule.needs) for rule in asking)
        gated = reach.power.gate is not None and not (reach.power is NAMED and READS.intersection(reach.verbs))
        return Need(
            level=level,
            rank=rank,
            rules=tuple(dict.fromkeys(rule.name for rule in asking)),
            gated=gated and (reach.power.kept_by in self._gated or all(rule.name in self._gated for rule in asking)),
        )

    def _asking(self, reach: Reach, namespace: str) -> list[Rule]:
        power = reach.power
        if power is URLS:
            anything = ResourceAttributes(verb="get", everywhere=True)
            return [rule for rule in self._rules if request_matches(rule, anything, rule.actions, self._target)]
        about = [rule for rule in self._rules if (not rule.actions if power is NAMED else rule.actions & power.actions)]
        entries = list(_entries(reach, namespace)) if about else []
        return [
            rule for rule in about if any(request_matches(rule, one, power.actions, self._target) for one in entries)
        ]


def _entries(reach: Reach, namespace: str) -> Iterator[ResourceAttributes]:
    """Return the requests that use the power; a request to all namespaces has none of its own."""
    name, _, subresource = reach.resource.partition("/")
    resource = _resource(reach.group, name)
    for verb in reach.verbs:
        for one in reach.names or (None,):
            yield ResourceAttributes(
                verb=verb,
                resource=resource,
                subresource=subresource,
                namespace=namespace or None,
                everywhere=not namespace,
                name=one,
            )


def _resource(group: str, name: str) -> Resource:
    if name == ANY:
        return UNKNOWN.replace(group=group)
    found = resource_in_path(group, name)
    # RBAC names every resource by its plural, so that a custom one is as good as described.
    return found if found.built_in else found.replace(described=True, namespaced=True)
