"""A rule that names verbs, API groups and resources, as requests that admission control sees.

Spec: admissionregistration.k8s.io/v1 RuleWithOperations: `*` is all resources without their subresources, `*/*` all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.enforce import cel
from kubectl_stepup.enforce.plan import CONNECTED
from kubectl_stepup.enforce.targets.requests_cel import Shown, Watched
from kubectl_stepup.globs import matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_stepup.policy.model import Rule

_OPERATION_OF = {
    "create": "CREATE",
    "update": "UPDATE",
    "patch": "UPDATE",
    "delete": "DELETE",
    "deletecollection": "DELETE",
}


def named(rule: Rule) -> Watched:
    """Return the requests and the condition of a rule by name."""
    verbs = set(_OPERATION_OF) | {"get"} if "*" in rule.verbs else rule.verbs
    operations = tuple(sorted({_OPERATION_OF[verb] for verb in verbs if verb in _OPERATION_OF}))
    connected = _connected(rule, verbs)
    if connected:
        operations = (*operations, "CONNECT")
    conditions = [cel.any_of(_operations(operations, connected))]
    if rule.api_groups:
        conditions.append(cel.matches_any("variables.group", rule.api_groups))
    if rule.resources:
        conditions.append(cel.any_of(_resource(pattern) for pattern in rule.resources))
    shown = Shown(groups=_exact(rule.api_groups, "*"), resources=_exact(rule.resources, "*/*"), operations=operations)
    return Watched(shown=(shown,), condition=cel.all_of(conditions))


def _connected(rule: Rule, verbs: Iterable[str]) -> list[str]:
    """Return the connections among the rule's resources: pod streams, or proxies by any verb."""
    if rule.api_groups and not any(matches("", group) for group in rule.api_groups):
        return []
    opens = bool({"get", "create"} & set(verbs))
    return sorted(
        kind
        for kind in CONNECTED
        if (opens or kind.endswith("/proxy"))
        and (not rule.resources or any(_names(pattern, kind) for pattern in rule.resources))
    )


def _names(pattern: str, kind: str) -> bool:
    name, _, part = pattern.partition("/")
    resource, _, subresource = kind.partition("/")
    return bool(part) and matches(resource, name) and matches(subresource, part)


def _operations(operations: tuple[str, ...], connected: list[str]) -> Iterator[str]:
    writes = [operation for operation in operations if operation != "CONNECT"]
    if writes:
        yield f"variables.operation in {cel.texts(writes)}"
    if connected:
        yield f"variables.operation == 'CONNECT' && variables.kind in {cel.texts(connected)}"


def _resource(pattern: str) -> str:
    name, slash, part = pattern.partition("/")
    resource = cel.matches_any("request.resource.resource", (name,))
    subresource = cel.matches_any("variables.part", (part,)) if slash else ""
    return cel.all_of(
        condition
        for condition in (resource, "variables.part != ''" if slash else "variables.part == ''", subresource)
        if condition not in ("true", "")
    )


def _exact(patterns: tuple[str, ...], everything: str) -> tuple[str, ...]:
    """Return the names if all are exact; the API server accepts a wildcard only alone."""
    if not patterns or any(letter in pattern for pattern in patterns for letter in "*?["):
        return (everything,)
    return tuple(dict.fromkeys(patterns))
