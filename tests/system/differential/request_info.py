"""Which request a method and a URL are to a kube-apiserver.

Spec: k8s.io/apiserver `request.RequestInfoFactory.NewRequestInfo`, written here anew from that source: the product's
own reader of paths is what is being tested.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
SPECIAL_VERBS = {"proxy", "watch"}
WITHOUT_SUBRESOURCE = {"proxy"}
NAMESPACE_PARTS = {"status", "finalize"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestInfo:
    """A request for a resource; empty fields are those that the URL does not have."""

    verb: str
    group: str
    version: str
    resource: str
    subresource: str
    namespace: str
    name: str
    query: dict[str, list[str]]

    @property
    def collection(self) -> str:
        """The path of the resource in all namespaces."""
        return f"/apis/{self.group}/{self.version}/{self.resource}" if self.group else f"/api/v1/{self.resource}"

    @property
    def api_version(self) -> str:
        """What an object's `apiVersion` is."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def option(self, name: str) -> str:
        """Return a query parameter, empty where there is none."""
        return self.query.get(name, [""])[0]


def request_info(method: str, url: str) -> RequestInfo | None:
    """Return what is asked for; None where it is no resource of the API."""
    split = urlsplit(url if not url.startswith("//") else f"/{url.lstrip('/')}")
    # Go's path is decoded before it is split, and only the slashes at both ends are taken off.
    parts = unquote(split.path).strip("/").split("/")
    query = parse_qs(split.query, keep_blank_values=True)
    if len(parts) < 3 or parts[0] not in {"api", "apis"}:
        return None
    if parts[0] == "apis" and len(parts) < 4:
        return None
    group, parts = ("", parts[1:]) if parts[0] == "api" else (parts[1], parts[2:])
    version, parts = parts[0], parts[1:]
    verb, namespace = VERBS.get(method, ""), ""
    if parts[0] in SPECIAL_VERBS:
        if len(parts) < 2:
            return None
        verb, parts = parts[0], parts[1:]
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in NAMESPACE_PARTS:
            parts = parts[2:]
    resource, name, subresource, *_ = (*parts, "", "")
    if verb in WITHOUT_SUBRESOURCE:
        subresource = ""
    if not name and verb == "get":
        verb = "watch" if _on(query.get("watch")) else "list"
        name = _one_name(query)
    elif not name and verb == "delete":
        verb = "deletecollection"
    return RequestInfo(
        verb=verb,
        group=group,
        version=version,
        resource=resource,
        subresource=subresource,
        namespace=namespace,
        name=name,
        query=query,
    )


def _on(values: list[str] | None) -> bool:
    return bool(values) and values is not None and values[0].lower() not in {"false", "0"}


def _one_name(query: dict[str, list[str]]) -> str:
    """Return the only name that a field selector lets through."""
    for key, operator, value in selector_terms(query.get("fieldSelector", [""])[0]):
        if key == "metadata.name" and operator == "=" and value and "/" not in value and "%" not in value:
            return value
    return ""


def selector_terms(text: str) -> Iterator[tuple[str, str, str]]:
    """Take a field selector apart: key, `=` or `!=`, value."""
    for term in filter(None, text.split(",")):
        key, negation, value = term.partition("!=")
        if negation:
            yield key, "!=", value
        else:
            key, _, value = term.partition("=")
            yield key, "=", value.removeprefix("=")
