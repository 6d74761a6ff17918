"""Which verbs a subresource of the Kubernetes API knows.

Spec: the API reference of Kubernetes 1.36, and for the proxies and streams the `Connect` methods of its registry.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_STREAM = frozenset({"get", "create"})
_PART = frozenset({"get", "update", "patch"})
_POSTED = frozenset({"create"})
_PROXY = frozenset({"get", "create", "update", "patch", "delete"})

_VERBS: Mapping[str, frozenset[str]] = {
    "exec": _STREAM,
    "attach": _STREAM,
    "portforward": _STREAM,
    "proxy": _PROXY,
    "log": frozenset({"get"}),
    "eviction": _POSTED,
    "binding": _POSTED,
    "token": _POSTED,
    "scale": _PART,
    "status": _PART,
    "ephemeralcontainers": _PART,
    "resize": _PART,
    "approval": _PART,
    "finalize": frozenset({"update"}),
}

_VIRTUAL: Mapping[str, frozenset[str]] = {
    "users": frozenset({"impersonate"}),
    "groups": frozenset({"impersonate"}),
    "signers": frozenset({"approve", "sign"}),
}
"""Resources that exist for authorization alone."""


def verbs_of(resource: str, subresource: str) -> frozenset[str] | None:
    """Return the verbs that a subresource, or a resource of authorization alone, can receive; None where any may."""
    if subresource:
        return _VERBS.get(subresource)
    return _VIRTUAL.get(resource)
