"""What the client must send, what it gets, and what was recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""As a value in `Answer`'s mappings: the member is left out. As a value in `Want.parameters`: it must not be sent."""


@dataclass(kw_only=True)
class Want:
    """What a device authorization request must hold. A mapping's value ABSENT means: must not be there."""

    client_id: str = "kubectl-elevated"
    scope: tuple[str, ...] = ("openid",)
    """Scopes that must be asked for; `offline_access` never may."""

    parameters: Mapping[str, object] = field(default_factory=dict)
    """Parameters with their exact values."""

    pkce: bool = True


@dataclass(kw_only=True)
class Raw:
    """One answer given instead of the real one, byte by byte."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    trickle: bool = False
    """Send the body one byte a moment, without end."""

    trickle_headers: bool = False
    reset: bool = False
    """Close the connection without an answer."""

    missing: int = 0
    """Promise so many bytes more than are sent, then close the connection."""

    @classmethod
    def of(cls, document: object, status: int = 200) -> Raw:
        return cls(status=status, body=json.dumps(document).encode())

    @classmethod
    def html(cls, status: int = 200) -> Raw:
        return cls(status=status, body=b"<html>Sign in to the hotel's network</html>", content_type="text/html")

    @classmethod
    def redirect(cls, location: str, status: int = 307) -> Raw:
        return cls(status=status, headers={"Location": location})

    @classmethod
    def oversize(cls) -> Raw:
        return cls(body=b'{"padding": "' + b"x" * (2 << 20) + b'"}')


@dataclass(kw_only=True)
class Answer:
    """What the provider does. Change it at any time; the server reads it anew for each request."""

    account: str = "alice"
    acr: object = "urn:stepup:mfa"
    amr: object = field(default_factory=lambda: ["pwd", "otp", "mfa"])
    signed_in_ago_s: float = 0.0
    """How long before the approval the sign-in happened: an old session when it is large."""

    claims: Mapping[str, object] = field(default_factory=dict)
    """Put over the ID token's claims; ABSENT removes one."""

    lifetime_s: float = 300.0
    alg: str = "RS256"
    header: Mapping[str, object] = field(default_factory=dict)
    signed_by: str = "main"
    """Name of the key that signs; names that are not in `published` are unknown to the client."""

    published: tuple[str, ...] = ("main",)
    published_after_refetch: tuple[str, ...] | None = None
    """From the second request of the JWKS on: a key that was rotated a moment ago."""

    decoys: bool = False
    approve_after_polls: int | None = 1
    """How many polls are answered `authorization_pending`; None: until `approve()` or `deny()`."""

    denied: bool = False
    expired: bool = False
    slow_downs: int = 0
    """How many polls are answered `slow_down`, before any other answer."""

    interval: object = 5
    expires_in: object = 900
    device: Mapping[str, object] = field(default_factory=dict)
    """Put over the device authorization response; ABSENT removes a member."""

    tokens: Mapping[str, object] = field(default_factory=dict)
    """Put over the token response; `{"id_token": ABSENT}` leaves the token out, `{"scope": …}` reduces the scope."""

    metadata: Mapping[str, object] = field(default_factory=dict)
    honours_nonce: bool = False
    enforces_interval: bool = True
    """Answer `slow_down` to a poll that comes too early, and remember it as a failure."""

    faults: dict[str, list[Raw | Callable[[dict[str, str]], Raw]]] = field(default_factory=dict)
    """Endpoint (`device`, `token`, `jwks`, `discovery`, `revocation`) to answers that are given first, in order.

    One may be made of the form that was sent, as by a provider that says back what it was told.
    """


@dataclass(kw_only=True)
class Recorded:
    """One request that came in."""

    endpoint: str
    method: str
    form: dict[str, str]
    headers: dict[str, str]
    at: float
    """Monotonic seconds of the provider's clock."""
