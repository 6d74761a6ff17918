"""The rules of a role with what aggregation adds, and through which roles each of them came.

The controller writes the sum into the aggregated role; a manifest has none, and a lab without controllers neither. So
the sum is made here, and a rule of the role itself is only told where no source explains it.

Spec: kubernetes.io, *Using RBAC Authorization*, aggregated ClusterRoles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubectl_stepup.rbac.model import RbacRule, Role, RoleKey


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveRule:
    """A rule, the position (from 0) that it has in its own role, and the roles from the bound one to that."""

    rule: RbacRule
    index: int
    through: tuple[Role, ...]


class EffectiveRules:
    """All roles' rules, each role's found once."""

    def __init__(self, roles: Mapping[RoleKey, Role]) -> None:
        self._roles = roles
        self._cluster_roles = [role for role in roles.values() if role.kind == "ClusterRole" and role.labels]
        self._known: dict[RoleKey, tuple[EffectiveRule, ...]] = {}

    def of(self, role: Role) -> tuple[EffectiveRule, ...]:
        """Return a role's rules; each rule once, by the shortest way."""
        if role.key not in self._known:
            self._known[role.key] = tuple(self._of(role))
        return self._known[role.key]

    def _of(self, role: Role) -> Iterator[EffectiveRule]:
        own = [EffectiveRule(rule=rule, index=index, through=(role,)) for index, rule in enumerate(role.rules)]
        if role.selectors is None:
            yield from own
            return
        explained: set[RbacRule] = set()
        for way in self._ways(role):
            for index, rule in enumerate(way[-1].rules if way[-1].selectors is None else ()):
                if rule not in explained:
                    explained.add(rule)
                    yield EffectiveRule(rule=rule, index=index, through=way)
        yield from (one for one in own if one.rule not in explained)

    def _ways(self, role: Role) -> Iterator[tuple[Role, ...]]:
        """Return the ways from a role to those that it takes rules from, breadth first; a circle is gone once."""
        seen = {role.key}
        waiting: list[tuple[Role, ...]] = [(role,)]
        while waiting:
            way = waiting.pop(0)
            for source in self._sources(way[-1]):
                if source.key not in seen:
                    seen.add(source.key)
                    longer = (*way, source)
                    waiting.append(longer)
                    yield longer

    def _sources(self, role: Role) -> list[Role]:
        selectors = role.selectors or ()
        return [one for one in self._cluster_roles if any(selector.matches(one.labels) for selector in selectors)]
