"""Requests that go through a proxy subresource of a pod, service or node, and what of them may be elevated.

The API server hands on a redirect of whatever answers behind a proxy subresource. client-go follows it and adds the
token to the new request, whichever host that goes to. So kubectl never gets an elevated token for such a request: a
plain `get --raw PATH` is answered by this program (kubectl/proxy_read.py), and every other form is refused.

Spec: k8s.io/client-go `rest.Request` (redirects), k8s.io/kubernetes `registry/core/pod/rest.ProxyREST`.
"""

from __future__ import annotations

from kubectl_stepup.kubectl.request import MAY_PROXY, PROXIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_stepup.kubectl.command_line import CommandLine
    from kubectl_stepup.kubectl.request import ResourceAttributes

REFUSED = "it goes through a proxy subresource, whose answer could redirect kubectl, with the elevated token, elsewhere"
ANSWERED = "answered by this program itself, which follows no redirect"

SUBRESOURCE = "proxy"
NAMESPACED = ("pods", "services")

_READ_FLAGS = frozenset({"raw", "context", "namespace", "kubeconfig"})
"""What may stand in a read that is answered here: the request and its target."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~$&+,;=:@")
"""What Go, Python and every proxy write in a path as it is (RFC 3986 section 3.3)."""


def reaches_proxy(line: CommandLine, requests: Iterable[ResourceAttributes]) -> bool:
    """Whether a request of the command goes, or may go, through a proxy subresource."""
    subresource = line.last("subresource") or ""
    return _is_proxy(subresource) or any(_is_proxy(entry.subresource) or MAY_PROXY in entry.marks for entry in requests)


def _is_proxy(subresource: str) -> bool:
    return subresource.partition("/")[0].lower() == SUBRESOURCE


def read_path(line: CommandLine) -> str | None:
    """Return the path of a `get --raw PATH` that is answered here; None for every other command."""
    raw = line.all("raw")
    if line.path != ("get",) or len(raw) != 1 or line.words or line.dash_at is not None:
        return None
    return raw[0] if _READ_FLAGS.issuperset(line.values) and is_plain(raw[0]) else None


def is_plain(path: str) -> bool:
    """Whether a path goes to a proxy subresource and is written as every program reads it alike.

    `/api/v1/namespaces/NAMESPACE/pods/NAME/proxy/…`, `…/services/NAME/proxy/…` or `/api/v1/nodes/NAME/proxy/…`, with
    no percent-encoding, query, fragment, empty segment or `..`.
    """
    root, *parts = path.split("/")
    if parts and not parts[-1]:
        parts.pop()
    if root or any(part in ("", ".", "..") or not _PLAIN.issuperset(part) for part in parts):
        return False
    if parts[:2] != ["api", "v1"]:
        return False
    if parts[2:3] == ["nodes"]:
        return parts[4:5] == [SUBRESOURCE]
    return (
        parts[2:3] == ["namespaces"] and parts[4:5] in [[name] for name in NAMESPACED] and parts[6:7] == [SUBRESOURCE]
    )


def hint_for(requests: Iterable[ResourceAttributes]) -> str:
    """Return the command to type in place of one that is refused."""
    found = tuple(requests)
    if any(PROXIES in entry.marks for entry in found):
        return "kubectl stepup exec -- get --raw PATH"
    entry = next((entry for entry in found if _is_proxy(entry.subresource)), None)
    if entry is None or entry.name is None or not _PLAIN.issuperset(entry.name):
        return "kubectl stepup exec -- port-forward TYPE/NAME PORT"
    if entry.resource.name == "nodes":
        return f"kubectl stepup exec -- get --raw /api/v1/nodes/{entry.name}/{SUBRESOURCE}/PATH"
    # Pods and services are named NAME, NAME:PORT or SCHEME:NAME:PORT.
    scheme_name_port = entry.name.split(":")
    name = scheme_name_port[1] if len(scheme_name_port) == 3 else scheme_name_port[0]
    port = scheme_name_port[-1] if len(scheme_name_port) > 1 and scheme_name_port[-1] else "PORT"
    kind = "service" if entry.resource.name == "services" else "pod"
    where = f"-n {entry.namespace} " if entry.namespace and _PLAIN.issuperset(entry.namespace) else ""
    return f"kubectl stepup exec -- port-forward {where}{kind}/{name} {port}"
