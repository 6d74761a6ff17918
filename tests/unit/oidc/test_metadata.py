from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.errors import ProviderError, ProviderResponse
from kubectl_stepup.oidc.metadata import ProviderMetadata, discovery_url

ISSUER = "https://login.example.com"
DOCUMENT: dict[str, Any] = {
    "issuer": ISSUER,
    "jwks_uri": f"{ISSUER}/jwks",
    "token_endpoint": f"{ISSUER}/token",
    "device_authorization_endpoint": f"{ISSUER}/device",
    "revocation_endpoint": f"{ISSUER}/revoke",
    "id_token_signing_alg_values_supported": ["none", "HS256", "ES256", "RS256", "EdDSA", 5],
}


def test_the_document_is_read() -> None:
    metadata = ProviderMetadata.from_document(DOCUMENT, issuer=ISSUER)
    assert metadata.host == "login.example.com"
    assert metadata.device_endpoint() == f"{ISSUER}/device"
    assert metadata.accepted_algorithms() == ("RS256", "ES256")
    assert metadata.accepted_algorithms(("EdDSA",)) == ("EdDSA",)


@pytest.mark.parametrize(
    ("named", "scopes"),
    [(["openid", "groups", 5], ("openid", "groups")), (None, ()), ("openid groups", ()), ({"openid": 1}, ())],
)
def test_scopes_and_acr_values_are_what_is_named(named: object, scopes: tuple[str, ...]) -> None:
    document = {**DOCUMENT, "scopes_supported": named, "acr_values_supported": named}
    metadata = ProviderMetadata.from_document(document, issuer=ISSUER)
    assert (metadata.scopes, metadata.acr_values) == (scopes, scopes)


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        (ISSUER, f"{ISSUER}/.well-known/openid-configuration"),
        (f"{ISSUER}/", f"{ISSUER}/.well-known/openid-configuration"),
        (f"{ISSUER}/realms/prod", f"{ISSUER}/realms/prod/.well-known/openid-configuration"),
    ],
)
def test_the_document_is_below_the_issuer(issuer: str, url: str) -> None:
    assert discovery_url(issuer) == url


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"issuer": f"{ISSUER}/"}, "speaks for the issuer 'https://login.example.com/', not for"),
        ({"issuer": ISSUER.upper()}, "speaks for the issuer 'HTTPS://LOGIN.EXAMPLE.COM'"),
        ({"issuer": None}, "names no issuer"),
        ({"issuer": [ISSUER]}, "speaks for the issuer ['https://login.example.com']"),
        ({"jwks_uri": None}, "has no jwks_uri"),
        ({"token_endpoint": None}, "has no token_endpoint"),
        ({"token_endpoint": "https://evil.example/token"}, "token_endpoint of https://login.example.com is on"),
        ({"jwks_uri": "http://login.example.com/jwks"}, "is not https"),
        ({"revocation_endpoint": "https://x@login.example.com/"}, "has a user name in it"),
        ({"device_authorization_endpoint": 5}, "is not a string"),
    ],
)
def test_a_document_that_may_not_be_used_is_refused(changes: dict[str, Any], message: str) -> None:
    """DIS-01, DIS-03."""
    with pytest.raises(ProviderResponse) as caught:
        ProviderMetadata.from_document({**DOCUMENT, **changes}, issuer=ISSUER)
    assert message in caught.value.message


def test_enrolled_hosts_may_serve_endpoints() -> None:
    """DIS-03."""
    document = {**DOCUMENT, "token_endpoint": "https://auth.example.com/token"}
    metadata = ProviderMetadata.from_document(document, issuer=ISSUER, endpoint_hosts=("auth.example.com",))
    assert metadata.token_endpoint == "https://auth.example.com/token"


def test_a_provider_without_the_device_flow_is_named() -> None:
    metadata = ProviderMetadata.from_document({**DOCUMENT, "device_authorization_endpoint": None}, issuer=ISSUER)
    with pytest.raises(ProviderError, match=r"login\.example\.com has no device flow"):
        metadata.device_endpoint()


@pytest.mark.parametrize("offered", [None, "RS256", {}, []])
def test_rs256_is_accepted_where_nothing_usable_is_offered(offered: object) -> None:
    document = {**DOCUMENT, "id_token_signing_alg_values_supported": offered}
    assert ProviderMetadata.from_document(document, issuer=ISSUER).accepted_algorithms() == ("RS256",)
