"""The effective rules of a role: its own, and those that aggregation adds, each with the roles it came through.

On a cluster a controller writes the sum into the aggregated role; a manifest does not have it. So the sum is computed
here. A rule written in the aggregated role itself counts only where no source explains it.

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
    """The effective rules of all roles, each role's computed once."""

    def __init__(self, roles: Mapping[RoleKey, Role]) -> None:
        self._roles = roles
        self._cluster_roles = [role for role in roles.values() if role.kind == "ClusterRole" and role.labels]
        self._known: dict[RoleKey, tuple[EffectiveRule, ...]] = {}

    def of(self, role: Role) -> tuple[EffectiveRule, ...]:
        """Return a role's rules, each once and by the shortest path."""
        if role.key not in self._known:
            self._known[role.key] = tuple(self._of(role))
        return self._known[role.key]

    def _of(self, role: Role) -> Iterator[EffectiveRule]:
        own = [EffectiveRule(rule=rule, index=index, through=(role,)) for index, rule in enumerate(role.rules)]
        if role.selectors is None:
            yield from own
            return
        explained: set[RbacRule] = set()
        for path in self._paths(role):
            for index, rule in enumerate(path[-1].rules if path[-1].selectors is None else ()):
                if rule not in explained:
                    explained.add(rule)
                    yield EffectiveRule(rule=rule, index=index, through=path)
        yield from (one for one in own if one.rule not in explained)

    def _paths(self, role: Role) -> Iterator[tuple[Role, ...]]:
        """Return the paths from a role to those that it takes rules from, breadth first; a cycle is followed once."""
        seen = {role.key}
        waiting: list[tuple[Role, ...]] = [(role,)]
        while waiting:
            path = waiting.pop(0)
            for source in self._sources(path[-1]):
                if source.key not in seen:
                    seen.add(source.key)
                    longer = (*path, source)
                    waiting.append(longer)
                    yield longer

    def _sources(self, role: Role) -> list[Role]:
        selectors = role.selectors or ()
        return [one for one in self._cluster_roles if any(selector.matches(one.labels) for selector in selectors)]
