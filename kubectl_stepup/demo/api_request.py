"""Read a request to the Kubernetes API: its path, and its body in JSON or protobuf.

Spec: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from kubectl_stepup.demo import protobuf
from kubectl_stepup.demo.https_server import HTTPRequest
from kubectl_stepup.demo.statuses import bad_request, unsupported_media_type

_WRITE_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_JSON_TYPES = ("application/json", "application/apply-patch+yaml", "text/plain")


@dataclass(frozen=True, slots=True, kw_only=True)
class APIRequest:
    """A request in the API's terms; `resource` is empty for a path that is no resource."""

    verb: str
    path: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def full_resource(self) -> str:
        """Return `pods` or `pods/log`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def read(request: HTTPRequest) -> APIRequest:
    """Return verb, resource, namespace and name as the server's authorizer sees them."""
    parts = [unquote(part) for part in request.path.split("/") if part]
    if len(parts) > 2 and parts[:2] == ["api", "v1"]:
        group, rest = "", parts[2:]
    elif len(parts) > 3 and parts[0] == "apis" and parts[2] == "v1":
        group, rest = parts[1], parts[3:]
    else:
        return APIRequest(verb=request.method.lower(), path=request.path)
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        # /namespaces/NAME is a namespace, /namespaces/NAME/pods are pods in it.
        rest = rest[2:] if len(rest) > 2 else rest
    resource, name, subresource = [*rest[:3], "", ""][:3]
    verb = _verb(request, name)
    return APIRequest(
        verb=verb,
        path=request.path,
        group=group,
        resource=resource,
        subresource=subresource,
        namespace=namespace,
        name=name,
    )


def _verb(request: HTTPRequest, name: str) -> str:
    if request.method in ("GET", "HEAD"):
        if request.parameter("watch") in ("1", "true"):
            return "watch"
        return "get" if name else "list"
    verb = _WRITE_VERBS.get(request.method, request.method.lower())
    return "deletecollection" if verb == "delete" and not name else verb


def object_body(request: HTTPRequest) -> dict[str, Any]:
    """Return the object in a body. Raises `StatusError` (400, 415)."""
    body = read_body(request)
    if not isinstance(body, dict):
        raise bad_request("the body is not an object")
    return body


def read_body(request: HTTPRequest) -> Any:
    """Return whatever a body holds. Raises `StatusError` (400, 415)."""
    content_type = request.headers.get_content_type()
    if content_type == protobuf.CONTENT_TYPE:
        return protobuf.decoded(request.body)
    # `kubectl create --raw` sends JSON without saying so: the email parser then reads text/plain.
    if content_type not in _JSON_TYPES and not content_type.endswith("+json"):
        raise unsupported_media_type(content_type)
    try:
        return json.loads(request.body)
    except ValueError as exc:
        raise bad_request(f"couldn't read the body as JSON: {exc}") from exc
