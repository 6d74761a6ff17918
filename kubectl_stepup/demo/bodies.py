"""Read the body of an API request, in JSON or protobuf."""

from __future__ import annotations

import json
from typing import Any

from kubectl_stepup.demo import protobuf
from kubectl_stepup.demo.https_server import HTTPRequest
from kubectl_stepup.demo.statuses import bad_request, unsupported_media_type

_JSON_TYPES = ("application/json", "application/apply-patch+yaml", "text/plain")


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
