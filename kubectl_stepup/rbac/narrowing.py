"""Split a role's rules into an everyday part and one for each level, without any wildcard.

Every rule is split into single verbs on single resources. Each is evaluated as if it were a role of its own, and those
of one part are joined again. A wildcard is expanded by the table of built-in resources: custom resources are unknown
here. Verbs that exist for authorization alone (`escalate`, `bind`, `impersonate`, `approve`, `sign`) are dropped where
only a wildcard gave them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.kubectl.resource_table import BUILT_IN
from kubectl_stepup.kubectl.resources import is_built_in, resource_in_path
from kubectl_stepup.kubectl.subresources import verbs_of
from kubectl_stepup.rbac.aggregation import EffectiveRule
from kubectl_stepup.rbac.model import RbacRule
from kubectl_stepup.rbac.powers import ANYTHING, EVERY_VERB

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_stepup.rbac.gaps import GapFinder
    from kubectl_stepup.rbac.subjects import Category

_READS = ("get", "list", "watch")
_SUBRESOURCES = {
    "": """
        namespaces/finalize namespaces/status nodes/log nodes/metrics nodes/proxy nodes/stats nodes/status
        persistentvolumeclaims/status persistentvolumes/status pods/attach pods/binding pods/ephemeralcontainers
        pods/eviction pods/exec pods/log pods/portforward pods/proxy pods/resize pods/status
        replicationcontrollers/scale replicationcontrollers/status resourcequotas/status serviceaccounts/token
        services/proxy services/status""",
    "apps": """
        daemonsets/status deployments/scale deployments/status replicasets/scale replicasets/status
        statefulsets/scale statefulsets/status""",
    "batch": "cronjobs/status jobs/status",
    "autoscaling": "horizontalpodautoscalers/status",
    "policy": "poddisruptionbudgets/status",
    "networking.k8s.io": "ingresses/status",
    "certificates.k8s.io": "certificatesigningrequests/approval certificatesigningrequests/status",
    "apiextensions.k8s.io": "customresourcedefinitions/status",
    "apiregistration.k8s.io": "apiservices/status",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A role's rules in parts: `everyday`, and by the level that is needed first."""

    everyday: tuple[RbacRule, ...]
    by_level: dict[str, tuple[RbacRule, ...]]


def parts_of(
    rules: Iterable[RbacRule], namespace: str, category: Category, *, gap_finder: GapFinder, reached: int = -1
) -> Parts:
    """Split rules for a namespace (empty: everywhere) and a subject that has reached a level of this rank."""
    everyday: list[RbacRule] = []
    by_level: dict[str, list[RbacRule]] = {}
    for rule in rules:
        if rule.urls and ANYTHING not in rule.urls:
            everyday.append(RbacRule(verbs=_verbs(rule, EVERY_VERB[:1]), urls=rule.urls))
        for single in _singles(rule):
            name = single.resources[0].partition("/")[0]
            if namespace and resource_in_path(single.api_groups[0], name).namespaced is False:
                continue
            needs = [
                gap.need
                for gap in gap_finder.of_rule(_alone(single), namespace, category)
                if gap.reach.narrows and gap.need.rank > reached
            ]
            if needs:
                level = max(needs, key=lambda need: need.rank).level
                by_level.setdefault(level, []).append(single)
            else:
                everyday.append(single)
    return Parts(
        everyday=tuple(_joined(everyday)), by_level={level: tuple(_joined(found)) for level, found in by_level.items()}
    )


def _alone(rule: RbacRule) -> EffectiveRule:
    return EffectiveRule(rule=rule, index=0, through=())


def _singles(rule: RbacRule) -> Iterator[RbacRule]:
    """Return one rule for each verb, group and resource that the API has."""
    for group in BUILT_IN if ANYTHING in rule.api_groups else rule.api_groups:
        for resource in _resources(group, rule.resources):
            name, _, subresource = resource.partition("/")
            ours = ANYTHING in rule.api_groups or (group in BUILT_IN and is_built_in(name))
            if ours and not resource_in_path(group, name).built_in:
                continue  # not in this group; under a wildcard of groups it is an unknown custom resource
            for verb in _verbs(rule, _possible(name, subresource)):
                yield RbacRule(
                    verbs=(verb,), api_groups=(group,), resources=(resource,), resource_names=rule.resource_names
                )


def _resources(group: str, resources: Sequence[str]) -> Iterator[str]:
    known = [entry.split("/")[0].removesuffix("!") for entry in BUILT_IN.get(group, "").split()]
    below = _SUBRESOURCES.get(group, "").split()
    if ANYTHING in resources:
        yield from (*known, *below)
        return
    for resource in resources:
        name, _, subresource = resource.partition("/")
        if name == ANYTHING:
            yield from (one for one in below if one.endswith(f"/{subresource}"))
        else:
            yield resource


def _possible(name: str, subresource: str) -> tuple[str, ...]:
    """Return the verbs that a wildcard of verbs means for one resource."""
    possible = verbs_of(name, subresource)
    if possible is None:
        return EVERY_VERB if not subresource else _READS[:1]
    return tuple(verb for verb in EVERY_VERB if verb in possible)


def _verbs(rule: RbacRule, possible: tuple[str, ...]) -> tuple[str, ...]:
    """Return the verbs that a rule means; under a wildcard, only those that the resource has."""
    if ANYTHING in rule.verbs:
        return possible
    return tuple(verb for verb in rule.verbs if verb in possible) if ANYTHING in rule.resources else rule.verbs


def _joined(singles: Sequence[RbacRule]) -> Iterator[RbacRule]:
    """Join resources of one group with the same verbs into one rule, in their order."""
    yield from dict.fromkeys(rule for rule in singles if rule.urls)
    verbs: dict[tuple[str, tuple[str, ...], str], dict[str, None]] = {}
    for rule in singles:
        if not rule.urls:
            key = (rule.api_groups[0], rule.resource_names, rule.resources[0])
            verbs.setdefault(key, {}).setdefault(rule.verbs[0])
    resources: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (group, names, resource), found in verbs.items():
        resources.setdefault((group, names, tuple(sorted(found, key=_order))), []).append(resource)
    for (group, names, together), found_resources in resources.items():
        yield RbacRule(verbs=together, api_groups=(group,), resources=tuple(found_resources), resource_names=names)


def _order(verb: str) -> int:
    return EVERY_VERB.index(verb) if verb in EVERY_VERB else len(EVERY_VERB)
