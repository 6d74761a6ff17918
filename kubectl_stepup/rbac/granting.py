"""Which powers a rule gives, as the RBAC authorizer reads it.

Spec: kubernetes/kubernetes `pkg/apis/rbac/v1/evaluation_helpers.go` (1.36): `*` is every resource with its
subresources, `*/name` a subresource of every resource; there is no other pattern.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.kubectl.resources import resource_in_path
from kubectl_stepup.rbac.powers import ANYTHING, EVERY_VERB, NAMED, POWERS, URLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_stepup.rbac.model import RbacRule
    from kubectl_stepup.rbac.powers import Power, RequestPattern

_NAMELESS = frozenset({"create", "deletecollection"})
"""A rule with resource names never allows these: their requests carry none. Of subresources, `create` does."""

_REVIEWS = frozenset({"authentication.k8s.io", "authorization.k8s.io"})
"""Groups whose objects are reviews: creating one changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """A power that a rule gives, by these verbs on one resource (`*` where the rule does not name it).

    `cluster`: only a ClusterRoleBinding gives it. `names` are the rule's resource names; empty: all objects.
    """

    power: Power
    verbs: tuple[str, ...]
    group: str
    resource: str
    cluster: bool
    names: tuple[str, ...] = ()

    @property
    def narrows(self) -> bool:
        """Whether an everyday role can do without it: the power says so, or the rule names the objects."""
        return self.power.narrows or bool(self.power.only_names and self.names)


def reaches_of(rule: RbacRule) -> list[Reach]:
    """Return every power that a rule gives, whatever the policy requires, one for each resource."""
    found = [reach for power in POWERS for pattern in power.requests for reach in _reaches(power, pattern, rule)]
    if ANYTHING in rule.urls and rule.verbs:
        found.append(Reach(power=URLS, verbs=rule.verbs, group="", resource="", cluster=True))
    verbs = EVERY_VERB if ANYTHING in rule.verbs else rule.verbs
    return [*found, *_of_own_resources(NAMED, verbs, rule)]


def _reaches(power: Power, pattern: RequestPattern, rule: RbacRule) -> Iterator[Reach]:
    if pattern.group == ANYTHING:
        yield from (reach for reach in _of_own_resources(power, pattern.verbs, rule) if "/" not in reach.resource)
        return
    if pattern.group not in rule.api_groups and ANYTHING not in rule.api_groups:
        return
    resource = _resource(pattern.resource, rule.resources)
    if resource is None or (
        pattern.resource == ANYTHING and pattern.group not in rule.api_groups and resource != ANYTHING
    ):
        return  # under a wildcard of groups, a resource of that name need not be the one that is meant
    verbs = allowed_verbs(rule, pattern.verbs, subresource="/" in resource)
    names = tuple(name for name in rule.resource_names if name.startswith(power.only_names))
    if verbs and len(names) >= min(len(rule.resource_names), 1):
        yield Reach(
            power=power, verbs=verbs, group=pattern.group, resource=resource, cluster=pattern.cluster, names=names
        )


def _of_own_resources(power: Power, verbs: tuple[str, ...], rule: RbacRule) -> Iterator[Reach]:
    """Return the power over each resource that the rule itself names."""
    for group in rule.api_groups:
        for resource in rule.resources if group not in _REVIEWS or power is NAMED else ():
            allowed = allowed_verbs(rule, verbs, subresource="/" in resource)
            if allowed:
                cluster = resource_in_path(group, resource.partition("/")[0]).namespaced is False
                names = rule.resource_names
                yield Reach(power=power, verbs=allowed, group=group, resource=resource, cluster=cluster, names=names)


def allowed_verbs(rule: RbacRule, verbs: tuple[str, ...], *, subresource: bool) -> tuple[str, ...]:
    """Return the verbs that the rule allows, without those that its resource names make void."""
    allowed = verbs if ANYTHING in rule.verbs else tuple(verb for verb in verbs if verb in rule.verbs)
    if not rule.resource_names:
        return allowed
    void = _NAMELESS - {"create"} if subresource else _NAMELESS
    return tuple(verb for verb in allowed if verb not in void)


def _resource(wanted: str, resources: tuple[str, ...]) -> str | None:
    """Return the resource that is reached, or None; `name/*` is any subresource of it."""
    if wanted in resources or ANYTHING in resources:
        return wanted
    base, _, subresource = wanted.partition("/")
    if wanted == ANYTHING or subresource == ANYTHING:
        return next((name for name in resources if wanted == ANYTHING or name.partition("/")[0] == base), None)
    return wanted if subresource and f"*/{subresource}" in resources else None
