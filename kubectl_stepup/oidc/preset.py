"""How one identity provider is asked for a step-up, and what may be believed of its answer.

Most providers drop `acr_values`, `max_age` and `claims` from a device authorization request without a word
(RFC 8628 section 3.1 defines only `client_id` and `scope`), so a preset names a strategy, not just an acr value.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from kubectl_stepup.oidc.requirement import AuthTime, Evidence

ELEVATED_CLIENT = "{elevatedClientID}"
"""In an `aud` of a preset's evidence: the provider's own elevated client id."""

FLOWS = ("device", "code", "ciba")


class Strategy(enum.StrEnum):
    """How a provider is moved to ask for a second factor."""

    PARAM = "param"
    """By parameters of the request (`acr_values`, `claims`)."""

    CLIENT = "client"
    """By a second client id for which the provider always demands it."""

    SCOPE = "scope"
    """By a scope that the provider grants only with it."""

    CODE = "code"
    """By parameters of an authorization code request: the device flow drops them."""

    CIBA = "ciba"
    """By backchannel authentication."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One provider's ways; how to ask, and what may be believed of the answer."""

    name: str
    strategy: Strategy = Strategy.PARAM
    flows: tuple[str, ...] = ("device", "code")
    """In order of preference."""

    scopes: tuple[str, ...] = ("openid",)
    elevated_scope: str | None = None
    """Added to `scopes` when stepping up (strategy `scope`)."""

    acr_values: bool | str = True
    """True: the acr values of the level's evidence; a string: this instead; False: not sent."""

    claims: str | None = None
    """Template of the `claims` parameter (JSON): `"$acr"` and `"$acrs"` stand for the level's first such value."""

    max_age: bool = True
    """Whether `max_age` is sent. On the wire it is never 0: a device endpoint may turn 0 into a prompt it drops."""

    prompt: str | None = None
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Sent as they are."""

    command_parameter: str | None = None
    """Name of the parameter that carries the command, for the provider's approval page; None: not sent."""

    auth_time: AuthTime = AuthTime.REQUIRED
    nonce_in_device: bool = False
    """Whether a `nonce` of a device authorization request comes back in the ID token."""

    pkce_in_device: bool = True
    """Whether the device authorization request carries a PKCE challenge (RFC 7636)."""

    evidence: Mapping[str, Evidence] = field(default_factory=lambda: MappingProxyType({}))
    """Level name to the evidence that stands where the config names none."""

    signing_algorithms: tuple[str, ...] = ()
    """The only `alg` values accepted; empty: RS256 and what discovery offers of the asymmetric ones."""

    extra_audiences: tuple[str, ...] = ()
    """Audiences that may stand beside the client id."""

    endpoint_hosts: tuple[str, ...] = ()
    """Hosts, other than the issuer's, that may serve the provider's endpoints."""

    verification_hosts: tuple[str, ...] = ()
    """Hosts, other than the issuer's, to which a person may be sent."""

    revoke: bool = True
    """Whether tokens can be revoked by a public client (RFC 7009)."""

    unsupported: str | None = None
    """Why this provider cannot prove a step-up at all."""

    def default_evidence(self, level: str, elevated_client_id: str) -> Evidence | None:
        """Return this preset's evidence of `level`, or None where only the config can say."""
        evidence = self.evidence.get(level)
        if evidence is None:
            return None
        return replace(
            evidence, aud=tuple(elevated_client_id if value == ELEVATED_CLIENT else value for value in evidence.aud)
        )
