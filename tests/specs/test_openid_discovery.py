"""Spec: OpenID Connect Discovery 1.0 section 4.2, the example of a provider's configuration, member by member."""

from __future__ import annotations

import pytest

from kubectl_stepup.errors import ProviderError, ProviderResponse
from kubectl_stepup.oidc.metadata import ProviderMetadata, discovery_url

ISSUER = "https://server.example.com"
DOCUMENT: dict[str, object] = {
    "issuer": "https://server.example.com",
    "authorization_endpoint": "https://server.example.com/connect/authorize",
    "token_endpoint": "https://server.example.com/connect/token",
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
    "token_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
    "userinfo_endpoint": "https://server.example.com/connect/userinfo",
    "check_session_iframe": "https://server.example.com/connect/check_session",
    "end_session_endpoint": "https://server.example.com/connect/end_session",
    "jwks_uri": "https://server.example.com/jwks.json",
    "registration_endpoint": "https://server.example.com/connect/register",
    "scopes_supported": ["openid", "profile", "email", "address", "phone", "offline_access"],
    "response_types_supported": ["code", "code id_token", "id_token", "id_token token"],
    "acr_values_supported": ["urn:mace:incommon:iap:silver", "urn:mace:incommon:iap:bronze"],
    "subject_types_supported": ["public", "pairwise"],
    "userinfo_signing_alg_values_supported": ["RS256", "ES256", "HS256"],
    "userinfo_encryption_alg_values_supported": ["RSA-OAEP-256", "A128KW"],
    "userinfo_encryption_enc_values_supported": ["A128CBC-HS256", "A128GCM"],
    "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256"],
    "id_token_encryption_alg_values_supported": ["RSA-OAEP-256", "A128KW"],
    "id_token_encryption_enc_values_supported": ["A128CBC-HS256", "A128GCM"],
    "request_object_signing_alg_values_supported": ["none", "RS256", "ES256"],
    "display_values_supported": ["page", "popup"],
    "claim_types_supported": ["normal", "distributed"],
    "claims_supported": [
        *("sub", "iss", "auth_time", "acr", "name", "given_name", "family_name", "nickname", "profile", "picture"),
        *("website", "email", "email_verified", "locale", "zoneinfo", "http://example.info/claims/groups"),
    ],
    "claims_parameter_supported": True,
    "service_documentation": "http://server.example.com/connect/service_documentation.html",
    "ui_locales_supported": ["en-US", "en-GB", "en-CA", "fr-FR", "fr-CA"],
}


def test_the_example_is_read() -> None:
    metadata = ProviderMetadata.from_document(DOCUMENT, issuer=ISSUER)
    assert metadata.token_endpoint == "https://server.example.com/connect/token"
    assert metadata.jwks_uri == "https://server.example.com/jwks.json"
    assert metadata.scopes == ("openid", "profile", "email", "address", "phone", "offline_access")


def test_hmac_that_the_example_offers_is_never_accepted() -> None:
    assert ProviderMetadata.from_document(DOCUMENT, issuer=ISSUER).accepted_algorithms() == ("RS256", "ES256")


def test_the_example_has_no_device_flow_which_is_said() -> None:
    with pytest.raises(ProviderError) as caught:
        ProviderMetadata.from_document(DOCUMENT, issuer=ISSUER).device_endpoint()
    assert caught.value.message == "server.example.com has no device flow (no device_authorization_endpoint)"


def test_the_example_speaks_for_no_other_issuer() -> None:
    with pytest.raises(ProviderResponse, match=r"speaks for the issuer 'https://server\.example\.com', not for"):
        ProviderMetadata.from_document(DOCUMENT, issuer="https://server.example.com/issuer1")


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        ("https://example.com", "https://example.com/.well-known/openid-configuration"),
        ("https://example.com/issuer1", "https://example.com/issuer1/.well-known/openid-configuration"),
    ],
)
def test_the_document_is_asked_for_where_section_4_1_says(issuer: str, url: str) -> None:
    assert discovery_url(issuer) == url
