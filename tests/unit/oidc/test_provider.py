from __future__ import annotations

import pytest

from kubectl_stepup.errors import ProviderError, ProviderResponse
from kubectl_stepup.oidc.grants.device import DeviceRequest
from kubectl_stepup.oidc.provider import OIDCProvider
from kubectl_stepup.oidc.transport import Transport
from kubectl_stepup.secret import Secret
from tests.support.provider import ABSENT, Provider, Raw
from tests.support.provider.clock import FakeClock
from tests.support.provider.fixtures import provider, start_provider

__all__ = ["provider", "start_provider"]

REQUEST = DeviceRequest(
    client_id="kubectl-elevated", scope=("openid",), code_verifier=Secret("v" * 43), parameters={"acr_values": "x"}
)


def client(to: Provider, clock: FakeClock | None = None) -> OIDCProvider:
    return OIDCProvider(
        issuer=to.issuer, transport=Transport(environ={}, ca_file=str(to.ca_file)), clock=clock or FakeClock()
    )


def test_metadata_is_fetched_once(provider: Provider) -> None:
    asked = client(provider)
    assert asked.metadata() is asked.metadata()
    assert asked.algorithms() == ("RS256",)
    assert (asked.host, provider.count("discovery")) == (provider.host, 1)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (Raw.of({}, 404), "answered HTTP 404"),
        (Raw.html(), "answered with text/html instead of JSON (HTTP 200)"),
        (Raw.oversize(), "answered with more than 1024 KiB"),
        (Raw.of({"issuer": "https://evil.example"}), "speaks for the issuer 'https://evil.example'"),
        (Raw.redirect("https://evil.example/"), "redirects to 'https://evil.example/' (HTTP 307)"),
    ],
)
def test_a_bad_discovery_document_is_named_with_its_address(provider: Provider, raw: Raw, message: str) -> None:
    """DIS-04, DIS-05."""
    provider.answer.faults = {"discovery": [raw]}
    with pytest.raises(ProviderError) as caught:
        client(provider).metadata()
    assert caught.value.message.startswith(f"{provider.issuer}/.well-known/openid-configuration ")
    assert message in caught.value.message


def test_a_device_authorization_is_asked_for(provider: Provider) -> None:
    authorization = client(provider).authorize_device(REQUEST)
    assert authorization.user_code == provider.devices[0].user_code
    assert provider.forms("device")[0]["acr_values"] == "x"


def test_a_provider_without_the_device_flow(provider: Provider) -> None:
    """DEV-21."""
    provider.answer.metadata = {"device_authorization_endpoint": ABSENT}
    with pytest.raises(ProviderError) as caught:
        client(provider).authorize_device(REQUEST)
    assert caught.value.message == f"{provider.host} has no device flow (no device_authorization_endpoint)"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (
            Raw.of({"error": "unauthorized_client"}, 400),
            "does not let client kubectl-elevated use the device flow (unauthorized_client)",
        ),
        (
            Raw.of({"error": "invalid_scope", "error_description": "no\x1b"}, 400),
            "refused the device authorization request (invalid_scope: no\\u{1b})",
        ),
        (
            Raw.of({"error": "slow_down"}, 429),
            "takes no more device authorization requests for now (slow_down)",
        ),
        (Raw.of({}, 500), "/device_authorization answered HTTP 500"),
    ],
)
def test_a_refused_device_authorization(provider: Provider, raw: Raw, message: str) -> None:
    """DEV-21: the client is not allowed to."""
    provider.answer.faults = {"device": [raw]}
    with pytest.raises(ProviderError) as caught:
        client(provider).authorize_device(REQUEST)
    assert message in caught.value.message


def test_a_device_authorization_that_is_no_json(provider: Provider) -> None:
    provider.answer.faults = {"device": [Raw.html()]}
    with pytest.raises(ProviderResponse, match="answered with text/html instead of JSON"):
        client(provider).authorize_device(REQUEST)


def test_keys_are_refetched_at_most_once_a_minute(provider: Provider) -> None:
    """IDT-10."""
    clock = FakeClock()
    asked = client(provider, clock)
    asked.jwks()
    asked.jwks()
    assert provider.count("jwks") == 1
    for _ in range(50):
        asked.jwks(True)
        clock.sleep(1)
    assert provider.count("jwks") == 2
    clock.sleep(11)
    asked.jwks(True)
    assert provider.count("jwks") == 3


def test_tokens_are_revoked_where_that_is_offered(provider: Provider) -> None:
    assert client(provider).revoke(Secret("at"), kind="access_token", client_id="kubectl-elevated")
    assert provider.forms("revocation") == [
        {"token": "at", "token_type_hint": "access_token", "client_id": "kubectl-elevated"}
    ]
    provider.answer.faults = {"revocation": [Raw.of({"error": "unsupported_token_type"}, 400)]}
    assert not client(provider).revoke(Secret("at"), kind="access_token", client_id="kubectl-elevated")
    provider.answer.metadata = {"revocation_endpoint": ABSENT}
    assert not client(provider).revoke(Secret("at"), kind="access_token", client_id="kubectl-elevated")
    assert provider.count("revocation") == 2
