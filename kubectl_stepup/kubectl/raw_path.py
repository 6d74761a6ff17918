"""Read the path of `--raw`: which request it is.

Spec: k8s.io/apiserver `request.RequestInfoFactory`.
"""

from __future__ import annotations

from kubectl_stepup.kubectl.patches import possible_marks
from kubectl_stepup.kubectl.request import MAY_PROXY, NAMESPACE_PARTS, RAW, RUNS_AS, ResourceAttributes
from kubectl_stepup.kubectl.resources import UNKNOWN, resource_in_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_stepup.kubectl.resources import Resource

_VERBS = {"create": "create", "replace": "update"}
_POSSIBLE_VERBS = {
    "get": ("get", "list", "watch"),
    "delete": ("delete", "deletecollection", "watch"),
    "create": ("create", "watch"),
    "replace": ("update", "watch"),
}
"""What a path may be that is read in two ways; with `watch` before the resource any method is one."""


def raw_requests(command: str, path: str) -> tuple[ResourceAttributes, ...]:
    """Return the request that `kubectl COMMAND --raw PATH` sends; all that it could be where the path is ambiguous."""
    parts = _parts(path)
    if parts is not None:
        found = _request(command, parts, path.partition("?")[2])
        # Whatever the method, to the API server this is a watch.
        is_watch = parts[3 if parts[:1] == ["apis"] else 2 :][:1] == ["watch"]
        return (found, found.replace(verb="watch")) if is_watch and found.verb != "watch" else (found,)
    marks = _marks_of_unknown(path)
    return tuple(
        ResourceAttributes(verb=verb, resource=UNKNOWN, everywhere=True, marks=marks)
        for verb in _POSSIBLE_VERBS[command]
    )


def _request(command: str, parts: Sequence[str], query: str) -> ResourceAttributes:
    """Return the request for a path; it is for every resource where the path is not the API's form."""
    rest: Sequence[str]
    if parts[:1] == ["api"] and len(parts) > 2:
        group, rest = "", parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group, rest = parts[1], parts[3:]
    else:
        return ResourceAttributes(
            verb=_verb(command, named=True, watched=False),
            resource=UNKNOWN,
            everywhere=True,
            name="/" + "/".join(parts),
            marks=_marks_of_unknown("/".join(parts)),
        )
    watched = "watch=" in query and "watch=false" not in query and "watch=0" not in query
    before = rest[0] if rest[0] in ("watch", "proxy") and len(rest) > 1 else ""
    found = _resource_request(command, group, rest[1:] if before else rest, watched or before == "watch")
    # Before 1.10 the subresource could stand in front: /api/v1/proxy/nodes/NAME.
    return found.replace(subresource="proxy") if before == "proxy" else found


def _marks_of_unknown(path: str) -> frozenset[str]:
    """Return the marks of a path that is not one of the API's: a server before the API server may make one of it."""
    segments = path.lower().split("/")
    while "%" in path:
        from urllib.parse import unquote  # rare, and slow to import

        decoded = unquote(path)
        if decoded == path:
            break
        path = decoded
        segments += path.lower().split("/")
    named = any(segment.partition("?")[0] == "proxy" for segment in segments)
    return frozenset({RAW, MAY_PROXY}) if named else frozenset({RAW})


def _resource_request(command: str, group: str, rest: Sequence[str], watched: bool) -> ResourceAttributes:
    namespace: str | None = None
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in NAMESPACE_PARTS:
        namespace, rest = rest[1], rest[2:]
    elif rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
    name = rest[1] if len(rest) > 1 else None
    resource = resource_in_path(group, rest[0])
    subresource = rest[2] if len(rest) > 2 else ""
    return ResourceAttributes(
        verb=_verb(command, named=name is not None, watched=watched),
        resource=resource if resource.built_in else resource.replace(namespaced=namespace is not None),
        subresource=subresource,
        namespace=namespace,
        everywhere=namespace is None,
        name=name,
        marks=frozenset({RAW}) | (_body_marks(resource, subresource) if command in _VERBS else frozenset()),
    )


def _body_marks(resource: Resource, subresource: str) -> frozenset[str]:
    """Return the marks of a body that nobody has read."""
    if subresource == "ephemeralcontainers":
        return frozenset({RUNS_AS})
    return frozenset() if subresource else possible_marks(resource)


def _verb(command: str, *, named: bool, watched: bool) -> str:
    if command == "get":
        if watched:
            return "watch"
        return "get" if named else "list"
    if command == "delete":
        return "delete" if named else "deletecollection"
    return _VERBS[command]


def _parts(path: str) -> list[str] | None:
    """Split the percent-decoded path, without its query; None where not everybody understands it alike.

    To Go's `net/url` what follows `//` at the beginning, or `://`, is a host; and some kubectl versions take `.`, `..`
    and empty segments out, while others send them as they are.
    """
    path = path.partition("#")[0].partition("?")[0]
    if "%" in path:
        from urllib.parse import unquote  # rare, and slow to import

        path = unquote(path)
        if "%" in path:  # some servers in front of the API server decode once more
            return None
    if path == "/":
        return []
    if not path.startswith("/"):
        return None
    parts = path[1:].removesuffix("/").split("/")
    return None if any(part in ("", ".", "..") for part in parts) else parts
