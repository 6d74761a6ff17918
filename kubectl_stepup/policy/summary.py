"""Say in a few words what a sensitive command does."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubectl_stepup.policy.model import Decision
    from kubectl_stepup.policy.request import ResourceAttributes


_CONNECTS = {
    "exec": "run a command in",
    "attach": "attach to",
    "portforward": "forward ports to",
    "ephemeralcontainers": "add a debugging container to",
    "eviction": "evict",
}


def summary_of(decision: Decision) -> str:
    """Give what the prompt begins with, such as `delete pods in prod`, by the first request that needs the level."""
    for found in decision.rules:
        if found.rule.needs == decision.level:
            return _summary(found.requests[0])
    return decision.why


def _summary(entry: ResourceAttributes) -> str:
    if entry.subresource in _CONNECTS:
        return f"{_CONNECTS[entry.subresource]} {entry.resource.name}{_where(entry)}"
    kind = "any resource" if entry.resource.name == "*" else entry.resource.name
    subresource = f"/{entry.subresource}" if entry.subresource else ""
    return f"{entry.verb} {kind}{subresource}{_where(entry)}"


def _where(entry: ResourceAttributes) -> str:
    return f" in {entry.namespace}" if entry.namespace and entry.resource.namespaced is not False else ""
