"""Which parts of a policy admission and RBAC enforce on a cluster, and which only the client can.

Compiling, verifying and explaining a policy share this one table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.enforce.targets import requests_cel
from kubectl_stepup.globs import matches, matches_any
from kubectl_stepup.policy.expansion import ADMISSION, CLIENT, EXPANSIONS, RBAC
from kubectl_stepup.policy.model import Where
from kubectl_stepup.values import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kubectl_stepup.policy.model import Policy, Rule, Selector

READS = frozenset({"get", "list", "watch"})
_VIRTUAL = frozenset({"bind", "escalate", "impersonate", "approve", "sign"})
"""Verbs that only RBAC sees."""

CONNECTED = frozenset({*requests_cel.STREAMS, *requests_cel.PROXIES})


class Point(Record):
    """A part of a rule and its enforcement point `by`: `admission`, `rbac` or `client`; `note` says why not more.

    `what` describes it; `verbs` and `resources` (`name`, `name/subresource`, `name.group`) are its requests.
    """

    rule: Rule
    what: str
    by: str
    verbs: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    note: str = ""


class TargetCluster(Record):
    """The cluster that a policy is compiled for."""

    name: str
    labels: Mapping[str, str]


def rules_on(policy: Policy, cluster: TargetCluster) -> tuple[Rule, ...]:
    """Return the rules that apply to a cluster."""
    return tuple(rule for rule in policy.rules if is_about(rule, cluster))


def is_about(rule: Rule, cluster: TargetCluster) -> bool:
    """Whether a rule applies to a cluster, for some namespace and name."""
    if not _selects(rule.selector, cluster):
        return False
    # An exception by cluster alone removes the rule; any other depends on the request.
    return not any(_selects(one, cluster) and not one.namespaces and not one.names for one in rule.excluded)


def exceptions_on(rule: Rule, cluster: TargetCluster) -> tuple[Selector, ...]:
    """Return the exceptions of a rule that still depend on the request."""
    return tuple(one for one in rule.excluded if _selects(one, cluster))


def _selects(selector: Selector, cluster: TargetCluster) -> bool:
    if selector.clusters and not matches_any(cluster.name, selector.clusters):
        return False
    return all(key in cluster.labels and matches_any(cluster.labels[key], values) for key, values in selector.labels)


def points(policy: Policy, cluster: TargetCluster) -> tuple[Point, ...]:
    """Return the parts of all rules that apply to a cluster, in the policy's order."""
    return tuple(point for rule in rules_on(policy, cluster) for point in points_of(rule))


def points_of(rule: Rule) -> Iterator[Point]:
    """Return the parts of one rule."""
    if rule.where != Where():
        what = " and ".join(sorted(rule.actions)) or "named verbs"
        yield Point(rule=rule, what=what, by=CLIENT, note="`where` is about the command line, which no server sees")
        return
    for action in EXPANSIONS:
        if action in rule.actions:
            yield from _of_action(rule, action)
    if not rule.actions:
        yield from _by_name(rule)


def _of_action(rule: Rule, action: str) -> Iterator[Point]:
    for one in EXPANSIONS[action]:
        note = f"only: {one.only}" if one.only else ""
        if one.enforced_by == RBAC and rule.mode != "enforce":
            yield Point(
                rule=rule,
                what=action,
                by=CLIENT,
                verbs=one.verbs,
                resources=one.resources,
                note=f"RBAC has no mode {rule.mode}",
            )
        else:
            yield Point(rule=rule, what=action, by=one.enforced_by, verbs=one.verbs, resources=one.resources, note=note)


def _by_name(rule: Rule) -> Iterator[Point]:
    groups = rule.api_groups or ("*",)
    resources = rule.resources or ("*", "*/*")
    verbs = rule.verbs if "*" not in rule.verbs else frozenset({*READS, *_VIRTUAL, "create", "update", "delete"})
    written = tuple(sorted(verbs - READS - _VIRTUAL))
    read = tuple(sorted(verbs & (READS | _VIRTUAL)))
    named = tuple(
        f"{resource}.{group}" if group not in ("", "*") else resource for group in groups for resource in resources
    )
    if written and not _is_exempt(groups, resources):
        yield Point(rule=rule, what="named verbs", by=ADMISSION, verbs=written, resources=named)
    if written and any(matches(requests_cel.EXEMPT, group) for group in groups) and _may_be_exempt(resources):
        note = "admission control does not check its own policies"
        yield Point(rule=rule, what="named verbs", by=RBAC, verbs=written, resources=named, note=note)
    if read:
        connects = bool(set(read) & {"get"}) and any(_may_connect(pattern) for pattern in resources)
        if connects:
            yield Point(rule=rule, what="connections", by=ADMISSION, verbs=("get", "create"), resources=named)
        by = RBAC if rule.mode == "enforce" else CLIENT
        note = "admission control sees no reads" if by == RBAC else f"RBAC has no mode {rule.mode}"
        yield Point(rule=rule, what="named verbs", by=by, verbs=read, resources=named, note=note)


def _is_exempt(groups: tuple[str, ...], resources: tuple[str, ...]) -> bool:
    kinds = {pattern.partition("/")[0] for pattern in resources}
    return groups == (requests_cel.EXEMPT,) and kinds <= set(requests_cel.EXEMPT_KINDS)


def _may_be_exempt(patterns: Iterable[str]) -> bool:
    return any(matches(kind, pattern) for pattern in patterns for kind in requests_cel.EXEMPT_KINDS)


def _may_connect(pattern: str) -> bool:
    return any(matches(kind, pattern) for kind in CONNECTED)
