"""Discovery and key documents that are hostile, broken, moved or somebody else's, met in the whole flow."""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

import json
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kubectl_stepup.errors import ProviderError, ProviderResponse, ProviderUnreachable, StepUpError, TokenRejected
from kubectl_stepup.oidc.provider import OIDCProvider
from kubectl_stepup.oidc.transport import Transport
from tests.attacks.test_device_flow import StepUp
from tests.support.certificates import Authority, presenting
from tests.support.provider import Raw
from tests.support.provider.clock import FakeClock
from tests.support.provider.fixtures import StartProvider, start_provider
from tests.support.provider.keys import public_jwk, rsa_key

__all__ = ["start_provider"]

KEY = public_jwk(rsa_key(), kid="main")

DOCUMENTS: list[tuple[str, str, Raw, type[StepUpError], str]] = [
    ("IDT-13 no keys", "jwks", Raw.of({"keys": []}), TokenRejected, "signed with key main, which the provider does not publish"),
    ("IDT-13 keys that are no list", "jwks", Raw.of({"keys": KEY}), TokenRejected, "the provider's JWKS has no list of keys"),
    ("IDT-13 not JSON", "jwks", Raw(body=b"keys"), ProviderResponse, "/jwks answered with JSON that is not JSON (HTTP 200)"),
    ("IDT-13 a page", "jwks", Raw.html(), ProviderResponse, "/jwks answered with text/html instead of JSON"),
    ("IDT-13 5,001 keys", "jwks", Raw.of({"keys": [{"kty": "RSA", "kid": "main", "n": "AQAB", "e": "AQAB"}] * 5001}), TokenRejected, "the provider's JWKS has 5001 keys, at most 200 are read"),
    ("IDT-13 2 MiB", "jwks", Raw.oversize(), ProviderResponse, "/jwks answered with more than 1024 KiB"),
    ("IDT-13 an error page of the key server", "jwks", Raw.html(503), ProviderError, "/jwks answered HTTP 503"),
    ("IDT-34 a key twice in the document", "jwks", Raw(body=b'{"keys":[],"keys":[' + json.dumps(KEY).encode() + b"]}"), ProviderResponse, "has the member 'keys' twice"),
    ("DIS-05 404", "discovery", Raw.of({"error": "not_found"}, 404), ProviderError, "/.well-known/openid-configuration answered HTTP 404"),
    ("DIS-05 a page", "discovery", Raw.html(), ProviderResponse, "/.well-known/openid-configuration answered with text/html instead of JSON"),
    ("DIS-05 2 MiB", "discovery", Raw.oversize(), ProviderResponse, "/.well-known/openid-configuration answered with more than 1024 KiB"),
    ("DIS-05 nested 100,000 times", "discovery", Raw(body=b'{"issuer":' + b"[" * 100_000), ProviderResponse, "answered with JSON that is nested too deeply"),
    ("DIS-05 a list", "discovery", Raw(body=b"[]"), ProviderResponse, "answered with JSON that is not a JSON object"),
    ("DIS-05 empty", "discovery", Raw(body=b""), ProviderResponse, "answered with JSON that is not JSON"),
    ("DIS-05 the issuer twice", "discovery", Raw(body=b'{"issuer":"https://evil.example","issuer":"x"}'), ProviderResponse, "has the member 'issuer' twice"),
    ("DIS-01 no issuer", "discovery", Raw.of({"token_endpoint": "https://evil.example"}), ProviderResponse, "names no issuer"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("endpoint", "raw", "kind", "message"), [case[1:] for case in DOCUMENTS], ids=[case[0] for case in DOCUMENTS]
)
def test_a_document_that_cannot_be_used_is_refused_soon_and_small(
    start_provider: StartProvider, endpoint: str, raw: Raw, kind: type[StepUpError], message: str
) -> None:
    # The second answer is for the one refetch of the keys.
    step_up = StepUp(start_provider, faults={endpoint: [raw, raw]})
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(StepUpError) as caught:
        step_up.run()
    took, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert type(caught.value) is kind
    assert message in caught.value.message
    assert took < 2
    assert peak < 100 << 20


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("issuer", ["x"], "speaks for the issuer ['x']"),
        ("issuer", None, "names no issuer"),
        ("token_endpoint", ["https://evil.example"], "token_endpoint of https://127.0.0.1"),
        ("token_endpoint", "", "is not https"),
        ("jwks_uri", {}, "jwks_uri of https://127.0.0.1"),
        ("jwks_uri", "https://user:secret@127.0.0.1/jwks", "has a user name in it"),
        ("jwks_uri", "https://127.0.0.1/jwks#keys", "has a fragment"),
        ("jwks_uri", "https://127.0.0.1/jwks", "is on '127.0.0.1', which is not enrolled"),
        ("device_authorization_endpoint", "http://127.0.0.1/device", "is not https"),
        ("device_authorization_endpoint", True, "device_authorization_endpoint of https://127.0.0.1"),
        ("revocation_endpoint", "https://evil.example/revoke", "is on 'evil.example', which is not enrolled"),
    ],
)
def test_a_member_that_may_not_be_used_is_named(
    start_provider: StartProvider, name: str, value: object, message: str
) -> None:
    """DIS-01, DIS-03, DIS-05: nobody is asked anything before the document is in order."""
    step_up = StepUp(start_provider, metadata={name: value})
    with pytest.raises(ProviderResponse) as caught:
        step_up.run()
    assert message in caught.value.message
    assert (step_up.shown, step_up.provider.count("device")) == ([], 0)


def test_an_endpoint_that_moved_is_found_by_the_next_command(start_provider: StartProvider) -> None:
    """DIS-06: the document is not kept from one command to the next, so there is nothing stale to refetch."""
    step_up = StepUp(start_provider)
    step_up.run()
    step_up.provider.answer.metadata = {"jwks_uri": f"{step_up.provider.issuer}/keys"}
    with pytest.raises(ProviderError, match="/keys answered HTTP 404"):
        step_up.run()
    assert step_up.provider.count("/keys") == 1


def test_the_answer_of_one_provider_is_nothing_for_another(start_provider: StartProvider) -> None:
    """DIS-10, IDT-38: two issuers with one client id and, at worst, one key; IDT-16 decides."""
    other = start_provider()
    step_up = StepUp(start_provider, claims={"iss": other.issuer})
    with pytest.raises(TokenRejected) as caught:
        step_up.run()
    assert caught.value.message == (f"the ID token is from issuer {other.issuer}, not from {step_up.provider.issuer}")
    assert other.requests == []


@pytest.mark.parametrize("endpoint", ["token_endpoint", "jwks_uri", "device_authorization_endpoint"])
def test_a_document_cannot_send_the_client_to_another_provider(start_provider: StartProvider, endpoint: str) -> None:
    """DIS-10."""
    other = start_provider()
    step_up = StepUp(start_provider, metadata={endpoint: f"{other.issuer}/{endpoint}"})
    with pytest.raises(ProviderResponse, match="which is not enrolled"):
        step_up.run()
    assert other.requests == []


def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    """DIS-08: and no option of this program turns that off."""
    authority, ended = Authority(), datetime.now(UTC) - timedelta(days=1)
    leaf = authority.leaf("127.0.0.1", not_before=ended - timedelta(days=1), not_after=ended)
    transport = Transport(environ={}, ca_file=str(authority.write(tmp_path / "ca.pem")))
    with presenting(leaf) as address, pytest.raises(ProviderUnreachable) as caught:
        OIDCProvider(issuer=address, transport=transport, clock=FakeClock()).metadata()
    assert caught.value.message.endswith("its certificate is not trusted: certificate has expired")
