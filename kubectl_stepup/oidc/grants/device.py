"""The device authorization grant as values: the request, its answer, and what each poll means.

Nothing here waits or talks to anybody; `stepup/device_flow.py` does, with what these functions say.

Spec: RFC 8628 sections 3.1 to 3.5; RFC 7636 section 4 (PKCE).
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from kubectl_stepup.errors import ProviderResponse
from kubectl_stepup.oidc.known_secrets import SHORTEST
from kubectl_stepup.oidc.response import Response
from kubectl_stepup.oidc.url import checked_endpoint
from kubectl_stepup.sanitise import safe
from kubectl_stepup.secret import Secret

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
DEFAULT_INTERVAL_S = 5.0
MIN_INTERVAL_S, MAX_INTERVAL_S = 1.0, 300.0
DEFAULT_EXPIRES_IN_S = 900.0
MAX_EXPIRES_IN_S = 86_400.0
MAX_DEVICE_CODE_LENGTH = 8192
MAX_USER_CODE_LENGTH = 256
_MOST_DIGITS = 9


def pkce_challenge(code_verifier: Secret) -> str:
    """Return the S256 challenge of `code_verifier` (RFC 7636 section 4.2)."""
    digest = hashlib.sha256(code_verifier.reveal().encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRequest:
    """What is asked for; `parameters` are those beyond RFC 8628's own, such as `acr_values` and `max_age`."""

    client_id: str
    scope: tuple[str, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    nonce: str | None = None
    code_verifier: Secret | None = None

    def form(self) -> dict[str, str]:
        """Return the form of the device authorization request (RFC 8628 section 3.1)."""
        form = {"client_id": self.client_id, "scope": " ".join(self.scope), **self.parameters}
        if self.nonce is not None:
            form["nonce"] = self.nonce
        if self.code_verifier is not None:
            form["code_challenge"] = pkce_challenge(self.code_verifier)
            form["code_challenge_method"] = "S256"
        return form

    def token_form(self, device_code: Secret) -> dict[str, str]:
        """Return the form of the token request (RFC 8628 section 3.4). It holds secrets."""
        form = {"grant_type": GRANT_TYPE, "device_code": device_code.reveal(), "client_id": self.client_id}
        if self.code_verifier is not None:
            form["code_verifier"] = self.code_verifier.reveal()
        return form


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAuthorization:
    """The answer to a device authorization request.

    `user_code` is the provider's text, not yet safe to show. `verification_uri` is checked: https, on an enrolled
    host. `verification_uri_complete` is None where there is none or where it leads elsewhere, which `warning` says.
    `interval_s` is at least 1; `answered_at` is the provider's clock, None where it did not say.
    """

    device_code: Secret
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    expires_in_s: float
    interval_s: float
    answered_at: float | None = None
    warning: str | None = None

    @classmethod
    def from_response(cls, response: Response, *, issuer: str, hosts: tuple[str, ...] = ()) -> DeviceAuthorization:
        """Read the answer; a person may be sent to the issuer's host and to `hosts`.

        Raises:
            ProviderResponse: a member is missing, of the wrong type, out of bounds, or leads to a foreign host.

        """
        document = response.json_object()
        uri = document.get("verification_uri", document.get("verification_url"))
        if uri is None:
            raise ProviderResponse("the device authorization response has no verification_uri")
        device_code = _text(document, "device_code", MAX_DEVICE_CODE_LENGTH)
        user_code = _text(document, "user_code", MAX_USER_CODE_LENGTH)
        verification_uri = checked_endpoint("verification_uri", uri, issuer=issuer, hosts=hosts)
        if _shows(user_code, device_code) or _shows(verification_uri, device_code):
            raise ProviderResponse("the device authorization response shows its device_code, which is a secret")
        complete, warning = _complete_uri(document, device_code, issuer=issuer, hosts=hosts)
        expires_in = _expires_in(document)
        return cls(
            device_code=Secret(device_code),
            user_code=user_code,
            verification_uri=verification_uri,
            verification_uri_complete=complete,
            expires_in_s=expires_in,
            interval_s=_interval(document, expires_in),
            answered_at=response.date,
            warning=warning,
        )

    @property
    def browser_uri(self) -> str:
        """The address for a browser on this machine, with the code filled in where the provider offers that."""
        return self.verification_uri_complete or self.verification_uri


def _text(document: Mapping[str, object], name: str, limit: int) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise ProviderResponse(f"the device authorization response has no {name}")
    if len(value) > limit:
        raise ProviderResponse(f"{name} in the device authorization response is longer than {limit} characters")
    return value


def _shows(text: str, device_code: str) -> bool:
    """Whether a text for the person holds the code that only this program may have.

    A part of it is none: a provider may make the one code from the other.
    """
    return len(device_code) >= SHORTEST and (device_code in text or quote(device_code, safe="") in text)


def _complete_uri(
    document: Mapping[str, object], device_code: str, *, issuer: str, hosts: tuple[str, ...]
) -> tuple[str | None, str | None]:
    uri = document.get("verification_uri_complete")
    if uri is None or uri == "":
        return None, None
    if isinstance(uri, str) and _shows(uri, device_code):
        return None, "verification_uri_complete holds the device code, which is a secret; it is not opened"
    # The short address still works, so a bad long one costs the comfort, not the step-up.
    try:
        return checked_endpoint("verification_uri_complete", uri, issuer=issuer, hosts=hosts), None
    except ProviderResponse as exc:
        return None, f"{exc.message}; it is not opened"


def _number(value: object) -> float | None:
    """Return a number of seconds; some providers write it as a text of digits."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS:
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _expires_in(document: Mapping[str, object]) -> float:
    if document.get("expires_in") is None:
        return DEFAULT_EXPIRES_IN_S
    seconds = _number(document["expires_in"])
    if seconds is None or not 0 < seconds <= MAX_EXPIRES_IN_S:
        shown = safe(ascii(document["expires_in"]), 40)
        raise ProviderResponse(f"expires_in in the device authorization response makes no sense: {shown}")
    return seconds


def _interval(document: Mapping[str, object], expires_in: float) -> float:
    seconds = _number(document.get("interval"))
    if seconds is None or seconds <= 0:
        return DEFAULT_INTERVAL_S
    if seconds > expires_in:
        raise ProviderResponse(
            f"interval in the device authorization response is {seconds:g}s, longer than the code lives "
            f"({expires_in:g}s)"
        )
    return min(max(seconds, MIN_INTERVAL_S), MAX_INTERVAL_S)
