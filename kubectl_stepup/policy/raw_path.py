"""Read the path of `--raw`: which request it is.

Spec: k8s.io/apiserver `request.RequestInfoFactory`.
"""

from __future__ import annotations

from kubectl_stepup.policy.request import RAW, ResourceAttributes
from kubectl_stepup.policy.resources import UNKNOWN, resource_in_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_VERBS = {"create": "create", "replace": "update"}
_NAMESPACE_PARTS = ("status", "finalize")


def raw_request(command: str, path: str) -> ResourceAttributes:
    """Give the request that `kubectl COMMAND --raw PATH` sends; every resource where the path is not the API's form."""
    parts = _parts(path)
    query = path.partition("?")[2]
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
            marks=frozenset({RAW}),
        )
    watched = "watch=" in query and "watch=false" not in query and "watch=0" not in query
    if rest[0] in ("watch", "proxy") and len(rest) > 1:
        watched, rest = watched or rest[0] == "watch", rest[1:]
    return _resource_request(command, group, rest, watched)


def shown_path(path: str) -> str:
    """Give the path as the server will understand it, for people."""
    return "/" + "/".join(_parts(path))


def _resource_request(command: str, group: str, rest: Sequence[str], watched: bool) -> ResourceAttributes:
    namespace: str | None = None
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in _NAMESPACE_PARTS:
        namespace, rest = rest[1], rest[2:]
    elif rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
    name = rest[1] if len(rest) > 1 else None
    resource = resource_in_path(group, rest[0])
    return ResourceAttributes(
        verb=_verb(command, named=name is not None, watched=watched),
        resource=resource if resource.built_in else resource.replace(namespaced=namespace is not None),
        subresource=rest[2] if len(rest) > 2 else "",
        namespace=namespace,
        everywhere=namespace is None,
        name=name,
        marks=frozenset({RAW}),
    )


def _verb(command: str, *, named: bool, watched: bool) -> str:
    if command == "get":
        if watched:
            return "watch"
        return "get" if named else "list"
    if command == "delete":
        return "delete" if named else "deletecollection"
    return _VERBS[command]


def _parts(path: str) -> list[str]:
    """Split as the server does: without query, percent-decoded, `//`, `.` and `..` taken out."""
    path = path.partition("#")[0].partition("?")[0]
    if "://" in path.split("/api", 1)[0]:
        path = "/" + path.partition("://")[2].partition("/")[2]
    if "%" in path:
        from urllib.parse import unquote  # rare, and slow to import

        path = unquote(path)
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return parts
