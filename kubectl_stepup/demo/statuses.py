"""Error answers of the cluster stand-in, in the words of a kube-apiserver. Spec: meta.k8s.io/v1 Status."""

from __future__ import annotations

from kubectl_stepup.demo.https_server import HTTPResponse, json_response


class StatusError(Exception):
    """An answer that is a failed Status."""

    def __init__(self, code: int, reason: str, message: str, details: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def document(self) -> dict[str, object]:
        """Return the Status object."""
        status: dict[str, object] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        if self.details is not None:
            status["details"] = self.details
        return status

    def response(self) -> HTTPResponse:
        """Return the HTTP answer."""
        return json_response(self.document(), self.code)


def group_resource(group: str, resource: str) -> str:
    """Return `pods` or `deployments.apps`."""
    return f"{resource}.{group}" if group else resource


def unauthorized() -> StatusError:
    """No authenticator accepts the credential; the reason stays in the server's log."""
    return StatusError(401, "Unauthorized", "Unauthorized")


def forbidden(
    group: str, resource: str, name: str, why: str, causes: list[dict[str, str]] | None = None
) -> StatusError:
    """The user may not do this to this object."""
    subject = f'{group_resource(group, resource)} "{name}"' if name else group_resource(group, resource)
    details: dict[str, object] = _details(group, resource, name)
    if causes is not None:
        details["causes"] = causes
    return StatusError(403, "Forbidden", f"{subject} is forbidden: {why}", details)


def forbidden_path(user: str, verb: str, path: str) -> StatusError:
    """The user may not use a path that is no resource."""
    return StatusError(403, "Forbidden", f'forbidden: User "{user}" cannot {verb} path "{path}"', {})


def not_found(group: str, resource: str, name: str) -> StatusError:
    """There is no such object."""
    message = f'{group_resource(group, resource)} "{name}" not found'
    return StatusError(404, "NotFound", message, _details(group, resource, name))


def no_such_resource() -> StatusError:
    """There is no such API."""
    return StatusError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(group: str, resource: str, name: str) -> StatusError:
    """The name is taken."""
    message = f'{group_resource(group, resource)} "{name}" already exists'
    return StatusError(409, "AlreadyExists", message, _details(group, resource, name))


def conflict(group: str, resource: str, name: str, why: str) -> StatusError:
    """The object is not what the writer thinks."""
    message = f'Operation cannot be fulfilled on {group_resource(group, resource)} "{name}": {why}'
    return StatusError(409, "Conflict", message, _details(group, resource, name))


def invalid(kind: str, name: str, path: str, message: str, reason: str = "FieldValueInvalid") -> StatusError:
    """A field has a value that cannot be."""
    cause = {"reason": reason, "message": message, "field": path}
    return StatusError(
        422,
        "Invalid",
        f'{kind} "{name}" is invalid: {path}: {message}',
        {"name": name, "kind": kind, "causes": [cause]},
    )


def bad_request(message: str) -> StatusError:
    """The request makes no sense."""
    return StatusError(400, "BadRequest", message)


def not_allowed() -> StatusError:
    """The resource does not know the verb."""
    return StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def unsupported_media_type(content_type: str) -> StatusError:
    """The body is in a format that is not read here."""
    return StatusError(
        415, "UnsupportedMediaType", f"the body of the request was in an unknown format - {content_type}", {}
    )


def expired(oldest: int) -> StatusError:
    """A watch asks for changes that are no longer remembered."""
    return StatusError(410, "Expired", f"too old resource version: the oldest known is {oldest}")


def _details(group: str, resource: str, name: str) -> dict[str, object]:
    details: dict[str, object] = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    return details | {"kind": resource}
