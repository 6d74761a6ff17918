"""Say an API server's error as kubectl does.

Spec: meta/v1 `Status`; client-go `rest.Request.transformResponse`, apimachinery `errors.NewGenericServerResponse` and
kubectl `cmdutil.StandardErrorMessage`.
"""

from __future__ import annotations

import json

LONGEST_BODY = 64 << 10
"""How much of an error's body is read."""

_LONGEST_TEXT = 2048

_GENERIC = {
    400: ("BadRequest", "the server rejected our request for an unknown reason"),
    401: ("Unauthorized", "the server has asked for the client to provide credentials"),
    404: ("NotFound", "the server could not find the requested resource"),
    405: ("MethodNotAllowed", "the server does not allow this method on the requested resource"),
    406: ("NotAcceptable", "the server was unable to respond with a content type that the client supports"),
    409: ("Conflict", "the server reported a conflict"),
    422: ("Invalid", "the server rejected our request due to an error in our request"),
    429: ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: (
        "Timeout",
        "the server was unable to return a response in the time allotted, but may still be processing the request",
    ),
}
_IN_ITS_OWN_WORDS = {403: "Forbidden", 406: "NotAcceptable", 415: "UnsupportedMediaType"}


def error_line(status: int, content_type: str, body: bytes) -> str:
    """Return what kubectl writes to standard error for an answer with this HTTP status."""
    reason, message = _status_object(content_type, body) or _generic(status, _text(content_type, body))
    if reason == "Unauthorized":
        return f"error: You must be logged in to the server ({message})"
    if reason == "Invalid":
        return f"The request is invalid: {message}"
    return f"Error from server ({reason}): {message}" if reason else f"Error from server: {message}"


def _generic(status: int, text: str) -> tuple[str, str]:
    if status in _IN_ITS_OWN_WORDS and (status not in _GENERIC or text not in ("", "unknown")):
        return _IN_ITS_OWN_WORDS[status], text
    if status in _GENERIC:
        return _GENERIC[status]
    if status >= 500:
        shown = json.dumps(text, ensure_ascii=False)
        return "InternalError", f"an error on the server ({shown}) has prevented the request from succeeding"
    return "", f"the server responded with the status code {status} but did not return more information"


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _text(content_type: str, body: bytes) -> str:
    if content_type and not _media_type(content_type).startswith("text/"):
        return "unknown"
    return body[:_LONGEST_TEXT].decode("utf-8", "replace").strip()


def _status_object(content_type: str, body: bytes) -> tuple[str, str] | None:
    """Return reason and message of a Status in JSON; None for anything else."""
    if _media_type(content_type) not in ("", "application/json"):
        return None
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("kind", "Status") != "Status" or found.get("status") != "Failure":
        return None
    reason, message = found.get("reason") or "", found.get("message") or "unknown"
    return (reason, message) if isinstance(reason, str) and isinstance(message, str) else None
