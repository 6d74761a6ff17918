"""What is said to the provider and what it answers, in lines for `-vv`: enough to find a fault, nothing to steal.

Shown as it is: what is public or was typed into a config. A code or token is shown by its length and the start of
its SHA-256: two lines that mean the same one can be matched, and neither can be used. A user code is too short for
that (whoever has its digest could try them all). Every other member is only counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kubectl_stepup.oidc.known_secrets import SECRET_MEMBERS
from kubectl_stepup.sanitise import safe, safe_url

if TYPE_CHECKING:
    from kubectl_stepup.oidc.response import Response

SHOWN = frozenset(
    {
        # asked
        *("acr_values", "client_id", "code_challenge_method", "grant_type", "max_age", "prompt", "scope"),
        *("claims", "audience", "resource", "token_type_hint"),
        # answered
        *("error", "error_description", "expires_in", "interval", "issuer", "token_type"),
        *("authorization_endpoint", "device_authorization_endpoint", "jwks_uri", "revocation_endpoint"),
        *("scopes_supported", "token_endpoint", "verification_uri", "verification_url"),
        *("acr_values_supported", "id_token_signing_alg_values_supported"),
    }
)
DIGESTED = SECRET_MEMBERS - {"client_secret"} | {"code_challenge"}
HIDDEN = frozenset({"user_code", "verification_uri_complete"})
"""For the person alone; the second holds the first."""

_NAMED = SHOWN | DIGESTED | HIDDEN
_VALUE_LIMIT = 200


def request_line(method: str, url: str, form: Mapping[str, str] | None) -> str:
    """Return the line for a request."""
    return _joined(f"> {method} {safe_url(url)}", {} if form is None else form)


def response_line(response: Response, seconds: float) -> str:
    """Return the line for a response and its duration."""
    head = f"< HTTP {response.status} from {safe_url(response.url)} after {seconds:.2f}s"
    if response.document is None:
        return f"{head}: {response.problem or 'no JSON'}"
    return _joined(head, response.document)


def failure_line(url: str, message: str, seconds: float) -> str:
    """Return the line for a request without a usable response."""
    return f"< nothing from {safe_url(url)} after {seconds:.2f}s: {message}"


def _joined(head: str, members: Mapping[str, object]) -> str:
    shown = [f"{name}={_shown(name, value)}" for name, value in members.items() if name in _NAMED]
    if len(members) > len(shown):
        shown.append(f"and {len(members) - len(shown)} more")
    return f"{head}: {' '.join(shown)}" if shown else head


def _shown(name: str, value: object) -> str:
    text = value if isinstance(value, str) else ascii(value)
    if name in SHOWN:
        return safe(text, _VALUE_LIMIT)
    if name in HIDDEN:
        return f"[{len(text)} characters]"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"[{len(text)} characters, sha256 {digest[:8]}]"
