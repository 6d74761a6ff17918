"""What a provider says of itself.

Spec: OpenID Connect Discovery 1.0 sections 3 and 4; RFC 8414 section 2; RFC 8628 section 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubectl_stepup.errors import ProviderError, ProviderResponse
from kubectl_stepup.oidc.url import checked_endpoint, checked_issuer, host
from kubectl_stepup.sanitise import quoted

RS256 = "RS256"
"""What every provider must be able to use (OpenID Connect Core section 15.1)."""

_ALGORITHMS = "id_token_signing_alg_values_supported"
ASYMMETRIC_ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512")
"""Accepted where discovery offers them. EdDSA only where the config names it; HMAC and `none` never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderMetadata:
    """The endpoints of one issuer, each checked: https, and on the issuer's host or an enrolled one."""

    issuer: str
    jwks_uri: str
    token_endpoint: str
    device_authorization_endpoint: str | None
    revocation_endpoint: str | None
    signing_algorithms: tuple[str, ...]
    scopes: tuple[str, ...] = ()
    """What it names of the scopes it knows (`scopes_supported`)."""

    offered_algorithms: tuple[str, ...] | None = None
    """What it names of the `alg` values it signs ID tokens with; None where it does not say."""

    acr_values: tuple[str, ...] = ()
    """What it names of the acr values it can prove (`acr_values_supported`); empty where it does not say."""

    @classmethod
    def from_document(
        cls, document: Mapping[str, object], *, issuer: str, endpoint_hosts: tuple[str, ...] = ()
    ) -> ProviderMetadata:
        """Read the document of `/.well-known/openid-configuration`.

        Raises:
            ProviderResponse: another issuer than the configured one, or an endpoint that may not be used.

        """
        if document.get("issuer") != issuer:
            raise _other_issuer(document.get("issuer"), issuer)

        def endpoint(name: str) -> str | None:
            if document.get(name) is None:
                return None
            return checked_endpoint(name, document[name], issuer=issuer, hosts=endpoint_hosts)

        jwks_uri, token_endpoint = endpoint("jwks_uri"), endpoint("token_endpoint")
        if jwks_uri is None or token_endpoint is None:
            missing = "jwks_uri" if jwks_uri is None else "token_endpoint"
            raise ProviderResponse(f"{discovery_url(issuer)} has no {missing}")
        return cls(
            issuer=issuer,
            jwks_uri=jwks_uri,
            token_endpoint=token_endpoint,
            device_authorization_endpoint=endpoint("device_authorization_endpoint"),
            revocation_endpoint=endpoint("revocation_endpoint"),
            signing_algorithms=_signing_algorithms(document),
            scopes=_named(document, "scopes_supported"),
            acr_values=_named(document, "acr_values_supported"),
            offered_algorithms=_named(document, _ALGORITHMS) if isinstance(document.get(_ALGORITHMS), list) else None,
        )

    @property
    def host(self) -> str:
        """The issuer's host, as people call the provider."""
        return host(self.issuer)

    def device_endpoint(self) -> str:
        """Return the device authorization endpoint.

        Raises:
            ProviderError: the provider has none.

        """
        if self.device_authorization_endpoint is None:
            raise ProviderError(
                f"{self.host} has no device flow (no device_authorization_endpoint)",
                hint="enable the device authorization grant (RFC 8628) at the provider",
            )
        return self.device_authorization_endpoint

    def accepted_algorithms(self, enrolled: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return the `alg` values an ID token may have: the `enrolled` ones, else RS256 and what is offered."""
        return enrolled or (RS256, *(name for name in self.signing_algorithms if name != RS256))


def discovery_url(issuer: str) -> str:
    """Return the address of the metadata (OpenID Connect Discovery section 4)."""
    return f"{checked_issuer(issuer).rstrip('/')}/.well-known/openid-configuration"


def _other_issuer(got: object, issuer: str) -> ProviderResponse:
    if got is None:
        return ProviderResponse(f"{discovery_url(issuer)} names no issuer")
    message = f"{discovery_url(issuer)} speaks for the issuer {quoted(got, 200)}, not for {issuer!a}"
    return ProviderResponse(message, hint=slash_hint(got, issuer))


def slash_hint(got: object, issuer: str) -> str | None:
    """Return what to type where two issuers differ by the slash at their end alone."""
    if not isinstance(got, str) or got.rstrip("/") != issuer.rstrip("/"):
        return None
    return f"an issuer counts to its last character, the slash too: kubectl stepup setup --issuer {got}"


def _signing_algorithms(document: Mapping[str, object]) -> tuple[str, ...]:
    offered = document.get(_ALGORITHMS)
    if not isinstance(offered, list):
        return ()
    return tuple(name for name in ASYMMETRIC_ALGORITHMS if name in offered)


def _named(document: Mapping[str, object], member: str) -> tuple[str, ...]:
    named = document.get(member)
    return tuple(name for name in named if isinstance(name, str)) if isinstance(named, list) else ()
