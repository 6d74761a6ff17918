"""The OpenID Foundation's tests of relying parties, played on our provider; each case has its module's name.

Of the FAPI profiles' names the version is left out (fapi2-security-profile-final-client-test-… and so on).

The modules are written for the code flow. What they do to discovery, keys and tokens is done here to the device flow;
those about an authorization response, userinfo or a client secret have nothing to act on, and the last test shows it.

Spec: https://gitlab.com/openid/conformance-suite.
"""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from kubectl_stepup.errors import NotFresh, ProviderResponse, StepUpError, TokenRejected
from kubectl_stepup.oidc.claims import IDTokenClaims
from tests.attacks.test_device_flow import OIDC, StepUp
from tests.support.provider import ABSENT, Raw
from tests.support.provider.fixtures import StartProvider, start_provider
from tests.support.provider.grants import Device
from tests.support.provider.keys import base64url, ec_key, public_jwk, rsa_key
from tests.support.provider.tokens import signature

__all__ = ["start_provider"]

PRESET = replace(OIDC, nonce_in_device=True)
"""With a nonce, which the modules send too."""

NOT_COMPACT = "the ID token is not a signed JWT in compact form"
Change = Callable[[str], str]


def played(start: StartProvider, answer: Mapping[str, Any], change: Change | None = None) -> StepUp:
    """Return a step-up at a provider with these answers, whose finished ID tokens go through `change`."""
    step_up = StepUp(start, **{"honours_nonce": True, **answer})
    if change is not None:
        grants = step_up.provider.grants
        made = grants.id_token

        def changed(device: Device, access_token: str) -> str:
            return change(made(device, access_token))

        grants.id_token = changed  # type: ignore[method-assign]
    return step_up


def run(step_up: StepUp) -> IDTokenClaims:
    return step_up.run(PRESET)


def with_header(header: Mapping[str, object], signed: Callable[[bytes], bytes]) -> Change:
    """Sign the same claims under another header."""

    def change(token: str) -> str:
        message = f"{base64url(json.dumps(header).encode())}.{token.split('.')[1]}"
        return f"{message}.{base64url(signed(message.encode()))}"

    return change


def with_broken_signature(token: str) -> str:
    message, _, text = token.rpartition(".")
    octets = bytearray(base64.urlsafe_b64decode(text + "=="))
    octets[5] ^= 0x5A
    return f"{message}.{base64url(bytes(octets))}"


def claims(**changed: object) -> dict[str, Any]:
    return {"claims": changed}


PUBLIC_JWK = json.dumps(public_jwk(rsa_key(), kid="main")).encode()
WEEK_S = 604_800

REFUSED: dict[str, tuple[dict[str, Any], Change | None, type[StepUpError], str]] = {
    "oidcc-client-test-invalid-iss": (claims(iss="https://invalid.example"), None, TokenRejected, "from issuer https://invalid.example"),
    "oidcc-client-test-invalid-aud": (claims(aud="kubectl-elevated1"), None, TokenRejected, "for kubectl-elevated1, not for kubectl-elevated"),
    "oidcc-client-test-missing-aud": (claims(aud=ABSENT), None, TokenRejected, "the ID token has no audience"),
    "oidcc-client-test-missing-iat": (claims(iat=ABSENT), None, TokenRejected, "the ID token has no iat"),
    "oidcc-client-test-missing-sub": (claims(sub=ABSENT), None, TokenRejected, "the ID token has no sub"),
    "oidcc-client-test-nonce-invalid": (claims(nonce="changed"), None, TokenRejected, "nonce is not the one of this request"),
    "oidcc-client-test-invalid-sig-rs256": ({}, with_broken_signature, TokenRejected, "the ID token's signature is wrong"),
    "oidcc-client-test-invalid-sig-es256": ({"alg": "ES256"}, with_broken_signature, TokenRejected, "the ID token's signature is wrong"),
    "oidcc-client-test-invalid-sig-hs256": ({}, with_header({"alg": "HS256", "kid": "main"}, lambda message: signature("HS256", PUBLIC_JWK, message)), TokenRejected, "signed with 'HS256', accepted are RS256"),
    "oidcc-client-test-idtoken-sig-none": ({}, with_header({"alg": "none"}, lambda message: b""), TokenRejected, NOT_COMPACT),
    "oidcc-client-test-discovery-issuer-mismatch": ({"metadata": {"issuer": "https://invalid.example"}}, None, ProviderResponse, "speaks for the issuer 'https://invalid.example'"),
    "fapi2-client-test-invalid-null-alg": ({}, with_header({"alg": None, "kid": "main"}, lambda message: b"x"), TokenRejected, "signed with None, accepted are RS256"),
    "fapi2-client-test-invalid-alternate-alg": ({"metadata": {"id_token_signing_alg_values_supported": ["RS256"]}}, with_header({"alg": "PS256", "kid": "main"}, lambda message: signature("PS256", rsa_key(), message)), TokenRejected, "signed with 'PS256', accepted are RS256"),
    "fapi2-client-test-invalid-signature": ({"alg": "PS256"}, with_broken_signature, TokenRejected, "the ID token's signature is wrong"),
    "fapi2-client-test-invalid-aud": (claims(aud="https://invalid.example"), None, TokenRejected, "not for kubectl-elevated"),
    "fapi2-client-test-invalid-secondary-aud": (claims(aud=["kubectl-elevated", "https://invalid.example"], azp="kubectl-elevated"), None, TokenRejected, "also for https://invalid.example, which is not enrolled"),
    "fapi2-client-test-invalid-iss": (claims(iss="https://invalid.example/"), None, TokenRejected, "from issuer https://invalid.example/"),
    "fapi2-client-test-invalid-missing-iss": (claims(iss=ABSENT), None, TokenRejected, "the ID token has no iss"),
    "fapi2-client-test-invalid-missing-aud": (claims(aud=ABSENT), None, TokenRejected, "the ID token has no audience"),
    "fapi2-client-test-invalid-missing-exp": (claims(exp=ABSENT), None, TokenRejected, "the ID token has no exp"),
    "fapi2-client-test-invalid-expired-exp": ({"lifetime_s": -60}, None, TokenRejected, "the ID token expired"),
    "fapi2-client-test-invalid-missing-nonce": (claims(nonce=ABSENT), None, TokenRejected, "the ID token has no nonce although one was sent"),
    "fapi2-client-test-invalid-nonce": (claims(nonce="n-invalid"), None, TokenRejected, "nonce is not the one of this request"),
    "fapi1-client-test-iat-is-week-in-past": (claims(iat=1_800_000_000 - WEEK_S), None, TokenRejected, "at most 86400s is accepted"),
    "fapi1-client-test-iat-is-week-in-past, and lives on": (claims(iat=1_800_000_000 - 7_000, auth_time=1_800_000_000 - 7_100), None, NotFresh, "the ID token was issued 1h56m before this request"),
    "fapi1-client-test-encrypted-idtoken-usingrsa15": ({}, lambda token: "eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.AAAA.AAAA.AAAA.AAAA", TokenRejected, NOT_COMPACT),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "change", "kind", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(
    start_provider: StartProvider,
    answer: dict[str, Any],
    change: Change | None,
    kind: type[StepUpError],
    message: str,
) -> None:
    step_up = played(start_provider, answer, change)
    with pytest.raises(StepUpError) as caught:
        run(step_up)
    assert type(caught.value) is kind
    assert message in caught.value.message


def without_kid(token: str) -> str:
    return with_header({"alg": "RS256"}, lambda message: signature("RS256", rsa_key(), message))(token)


def jwks(*keys: object) -> dict[str, Any]:
    return {"faults": {"jwks": [Raw.of({"keys": list(keys)})]}}


SEVERAL = (public_jwk(rsa_key("other"), use="sig"), public_jwk(ec_key(), use="sig"), public_jwk(rsa_key(), use="sig"))
ACCEPTED: dict[str, tuple[dict[str, Any], Change | None]] = {
    "oidcc-client-test": ({}, None),
    "oidcc-client-test, with the suite's unusable keys": ({"decoys": True}, None),
    "oidcc-client-test-kid-absent-single-jwks": (jwks(public_jwk(rsa_key(), use="sig")), without_kid),
    "oidcc-client-test-kid-absent-multiple-jwks": (jwks(*SEVERAL), without_kid),
    "oidcc-client-test-signing-key-rotation-just-before-signing": (
        {"signed_by": "next", "published_after_refetch": ("main", "next")},
        None,
    ),
    "fapi2-client-test-no-scope-in-token-endpoint-response": ({"tokens": {"scope": ABSENT}}, None),
}


@pytest.mark.parametrize(("answer", "change"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(start_provider: StartProvider, answer: dict[str, Any], change: Change | None) -> None:
    assert run(played(start_provider, answer, change)).account == "alice"


def test_oidcc_client_test_discovery_openid_config(start_provider: StartProvider) -> None:
    """The endpoints are those of the document, wherever on the host it puts them."""
    step_up = played(start_provider, {})
    provider = step_up.provider
    provider.answer.metadata = {"token_endpoint": f"{provider.issuer}/elsewhere"}
    with pytest.raises(StepUpError):
        run(step_up)
    assert [item.endpoint for item in provider.requests][:3] == ["discovery", "device", "/elsewhere"]


def test_oidcc_client_test_discovery_jwks_uri_keys(start_provider: StartProvider) -> None:
    step_up = played(start_provider, {})
    run(step_up)
    assert step_up.provider.count("jwks") == 1


def test_oidcc_client_test_signing_key_rotation(start_provider: StartProvider) -> None:
    """Two step-ups, the key rotated in between: each command fetches the keys anew, so nothing stale is in the way."""
    step_up = played(start_provider, {})
    run(step_up)
    step_up.provider.answer.signed_by, step_up.provider.answer.published = "next", ("next",)
    run(step_up)
    assert step_up.provider.count("jwks") == 2


@pytest.mark.parametrize(
    "module",
    [
        "oidcc-client-test-refresh-token",
        "oidcc-client-test-refresh-token-invalid-issuer",
        "oidcc-client-test-refresh-token-invalid-sub",
    ],
)
def test_a_refresh_token_is_neither_asked_for_nor_used(start_provider: StartProvider, module: str) -> None:
    """What a refreshed ID token says matters to nobody: a refresh token is revoked before it can be used."""
    step_up = played(start_provider, {"tokens": {"refresh_token": module}})
    run(step_up)
    provider = step_up.provider
    assert "offline_access" not in provider.forms("device")[0]["scope"].split()
    assert {form["grant_type"] for form in provider.forms("token")} == {"urn:ietf:params:oauth:grant-type:device_code"}
    assert [(form["token"], form["token_type_hint"]) for form in provider.forms("revocation")] == [
        (module, "refresh_token")
    ]


NOT_RUN = {
    "oidcc-client-test-userinfo-invalid-sub": "userinfo",
    "oidcc-client-test-userinfo-bearer-header": "userinfo",
    "oidcc-client-test-userinfo-bearer-body": "userinfo",
    "oidcc-client-test-scope-userinfo-claims": "userinfo",
    "oidcc-client-test-client-secret-basic": "client_secret",
    "fapi2-client-test-invalid-authorization-response-iss": "authorize",
    "fapi2-client-test-remove-authorization-response-iss": "authorize",
    "fapi2-client-test-ensure-authorization-response-with-invalid-state-fails": "authorize",
    "fapi2-client-test-ensure-authorization-response-with-invalid-missing-state-fails": "authorize",
    "fapi1-client-test-invalid-shash": "authorize",
    "fapi1-client-test-invalid-chash": "authorize",
    "fapi1-client-test-ensure-jarm-signature-is-not-none": "authorize",
}
"""Modules about something that a device flow of a public client does not have: an endpoint, or a parameter."""


@pytest.mark.parametrize("what", sorted(set(NOT_RUN.values())))
def test_what_these_modules_are_about_does_not_happen(start_provider: StartProvider, what: str) -> None:
    step_up = played(start_provider, {})
    step_up.provider.answer.metadata = {"userinfo_endpoint": f"{step_up.provider.issuer}/userinfo"}
    run(step_up)
    for request in step_up.provider.requests:
        assert what not in request.endpoint
        assert what not in request.form
        assert "authorization" not in request.headers
