"""Why the provider cannot be reached, in words: what lies under the errors of requests and urllib3."""

from __future__ import annotations

import http.client
import socket
import ssl
from urllib.parse import urlsplit

from kubectl_stepup.errors import ProviderUnreachable
from kubectl_stepup.oidc.url import host
from kubectl_stepup.sanitise import safe


def unreachable(exc: Exception, *, url: str, proxy: str | None) -> ProviderUnreachable:
    """Return the error to show for `exc`, which came of a request to `url` through `proxy`."""
    name = host(url)
    via = f" through the proxy {_proxy_name(proxy)}" if proxy else ""
    causes = _causes(exc)
    return ProviderUnreachable(f"{name} cannot be reached{via}: {_reason(causes)}", hint=_hint(causes))


def _causes(exc: BaseException) -> list[BaseException]:
    """Unwrap: requests keeps urllib3's error in `args`, urllib3 keeps its own in `reason`."""
    causes: list[BaseException] = []
    pending: list[BaseException | None] = [exc]
    while pending and len(causes) < 20:
        current = pending.pop(0)
        if current is None or current in causes:
            continue
        causes.append(current)
        inner = [getattr(current, "reason", None), *current.args, current.__cause__, current.__context__]
        pending.extend(item for item in inner if isinstance(item, BaseException))
    return causes


def _reason(causes: list[BaseException]) -> str:
    # The first match counts, not the first cause: what lies deepest says most.
    for kind, text in _TEXTS:
        for cause in causes:
            if isinstance(cause, kind):
                return text.format(detail=safe(_detail(cause)))
    return safe(str(causes[-1]), 160) or type(causes[0]).__name__


_TEXTS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "its certificate is not trusted: {detail}"),
    (ssl.SSLError, "TLS failed: {detail}"),
    (socket.gaierror, "its name cannot be resolved"),
    (ConnectionRefusedError, "connection refused"),
    (http.client.RemoteDisconnected, "the connection was closed without an answer"),
    (ConnectionResetError, "the connection was reset"),
    (BrokenPipeError, "the connection was reset"),
    (TimeoutError, "it did not answer in time"),
    (http.client.IncompleteRead, "the answer broke off"),
    (http.client.HTTPException, "it does not speak HTTP"),
)


def _detail(cause: BaseException) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return cause.verify_message
    return str(getattr(cause, "reason", None) or cause)


def _hint(causes: list[BaseException]) -> str | None:
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return "if your organisation runs its own CA, name its file: kubectl stepup setup --ca-file FILE"
    return None


def _proxy_name(proxy: str) -> str:
    # A proxy's URL may hold a password.
    try:
        return safe(urlsplit(proxy).netloc.rpartition("@")[2], 100)
    except ValueError:
        return "that is configured"
