"""Hold what kubectl sent against what the command reader said that it would send.

A request is a row of an audit log: verb, API group, resource, subresource, namespace and name.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubectl_stepup.globs import matches
from kubectl_stepup.kubectl.request import READS, ResourceAttributes
from kubectl_stepup.kubectl.resources import ANY, Resource, is_built_in

WRITES = {"create", "update", "patch", "delete", "deletecollection"}
STREAMS = {"exec", "attach", "portforward", "proxy"}
REVIEWS = {"selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"}


def matters(request: Sequence[str]) -> bool:
    """Tell writes, connections and reads of secrets from the rest."""
    verb, _, resource, subresource, _, _ = request
    if resource == "secrets" and verb in READS:
        return True
    return (verb in WRITES and resource not in REVIEWS) or subresource in STREAMS


def foresees(entry: ResourceAttributes, request: Sequence[str]) -> bool:
    """Whether one of our requests is the one that came, or stands for it."""
    verb, group, resource, subresource, namespace, name = request
    resource = resource.lower()  # another case is another resource to the server, but it has none such
    # A stream is a GET over WebSocket, and a POST over SPDY.
    either = {"get", "create"} if subresource in STREAMS - {"proxy"} else set()
    verbs = either if verb in either else {verb}
    if entry.resource.name == ANY:
        return entry.verb in verbs
    return (
        entry.verb in verbs
        and _is(entry.resource, group, resource)
        and entry.subresource == subresource
        and entry.namespace in {None, namespace}
        and (entry.name is None or matches(entry.name, name) or matches(name, entry.name))
    )


def _is(named: Resource, group: str, resource: str) -> bool:
    """Whether a rule about what came is a rule about what was typed.

    A custom resource is typed by any of its names, which only the server knows, with the beginning of its group.
    """
    if named.built_in:
        return (named.group, named.name) == (group, resource)
    is_same_word = named.name in {resource, resource.removesuffix("s")}
    return (is_same_word or not is_built_in(resource)) and (named.group == ANY or group.startswith(named.group))
