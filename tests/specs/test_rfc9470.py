"""Spec: RFC 9470 sections 3 (challenge), 4 (request) and 6 (acr and auth_time), by its examples.

A kubectl user sees no `WWW-Authenticate` header: the challenge is ours, in the JSON of a refusal that needs a person,
and its two parameters are those of the request that answers it.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from kubectl_stepup.errors import InteractionRequired, TokenRejected
from kubectl_stepup.oidc.claims import Expectation, IDTokenClaims, refuse_unexpected
from kubectl_stepup.oidc.evidence import shortfalls
from kubectl_stepup.oidc.id_token import verify
from kubectl_stepup.oidc.presets import PRESETS
from kubectl_stepup.oidc.requirement import AuthTime, Evidence, StepUpRequirement
from kubectl_stepup.oidc.step_up_parameters import step_up_parameters
from kubectl_stepup.secret import Secret
from kubectl_stepup.ui.errors import error_object
from tests.support.provider.keys import ec_key, public_jwk
from tests.support.provider.tokens import signed

REQUIREMENT = StepUpRequirement(
    level="mfa",
    evidence=Evidence(acr=("myACR",)),
    signed_in_within_s=5,
    server_window_s=2802,
    auth_time=AuthTime.REQUIRED,
    account_claim="sub",
    account="someone@example.net",
)
# Section 6.1, figure 6: the decoded content of a JWT access token.
HEADER: dict[str, object] = {"typ": "at+JWT", "alg": "ES256", "kid": "LTacESbw"}
ACCESS_TOKEN: dict[str, object] = {
    "iss": "https://as.example.net",
    "sub": "someone@example.net",
    "aud": "https://rs.example.com",
    "exp": 1646343000,
    "iat": 1646340200,
    "jti": "e1j3V_bKic8-LAEB_lccD0G",
    "client_id": "s6BhdRkqt3",
    "scope": "purchase",
    "auth_time": 1646340198,
    "acr": "myACR",
}
# Section 6.2, figure 7: an introspection response.
INTROSPECTED: dict[str, object] = {
    "active": True,
    "client_id": "s6BhdRkqt3",
    "scope": "purchase",
    "sub": "someone@example.net",
    "aud": "https://rs.example.com",
    "iss": "https://as.example.net",
    "exp": 1639528912,
    "iat": 1618354090,
    "auth_time": 1646340198,
    "acr": "myACR",
}
EXPECTED = Expectation(issuer="https://as.example.net", client_id="https://rs.example.com", algorithms=("ES256",))


@pytest.mark.parametrize(
    ("details", "challenge"),
    [
        ({"acr_values": "myACR"}, {"acr_values": "myACR"}),
        ({"max_age": 5}, {"max_age": 5}),
        ({"acr_values": "myACR", "max_age": 5}, {"acr_values": "myACR", "max_age": 5}),
    ],
    ids=["figure 2", "figure 3", "both"],
)
def test_a_refusal_that_needs_a_person_is_the_challenge(
    details: dict[str, object], challenge: dict[str, object]
) -> None:
    shown = error_object(InteractionRequired("A different authentication level is required", details=details))
    assert {name: shown[name] for name in ("error", "error_description")} == {
        "error": "insufficient_user_authentication",
        "error_description": "A different authentication level is required",
    }
    assert {name: shown[name] for name in ("acr_values", "max_age") if name in shown} == challenge


@pytest.mark.parametrize(
    "url",
    [
        "https://as.example.net/authorize?client_id=s6BhdRkqt3&response_type=code&scope=purchase&acr_values=myACR",
        "https://as.example.net/authorize?client_id=s6BhdRkqt3&response_type=code&scope=purchase&max_age=5",
    ],
    ids=["figure 4", "figure 5"],
)
def test_the_request_that_answers_it_has_the_same_parameters(url: str) -> None:
    parameters = step_up_parameters(PRESETS["generic"], REQUIREMENT, command=None)
    wanted = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert parameters == {"acr_values": "myACR", "max_age": "5"}
    assert {name: value for name, value in wanted.items() if name in {"acr_values", "max_age"}}.items() <= set(
        parameters.items()
    )


def test_acr_and_auth_time_of_a_token_are_checked() -> None:
    claims = IDTokenClaims.from_payload(ACCESS_TOKEN)
    at = {"granted_scope": ("purchase",), "now": 1646340201.0}
    assert shortfalls(REQUIREMENT, claims, flow_start=1646340199.0, **at) == ()  # type: ignore[arg-type]
    later = shortfalls(REQUIREMENT, claims, flow_start=1646340209.0, **at)  # type: ignore[arg-type]
    assert [(item.kind.value, item.wanted, item.got) for item in later] == [("stale", "5s", "11s")]
    stronger = replace(REQUIREMENT, evidence=Evidence(acr=("urn:example:silver",)))
    missing = shortfalls(stronger, claims, flow_start=1646340199.0, **at)  # type: ignore[arg-type]
    assert [(item.kind.value, item.got) for item in missing] == [("acr", "myACR")]


def test_an_access_token_is_no_id_token_however_strong() -> None:
    header = {name: value for name, value in HEADER.items() if name != "alg"}
    token = signed(ACCESS_TOKEN, ec_key(), alg="ES256", **header)
    with pytest.raises(TokenRejected) as caught:
        verify(
            Secret(token),
            EXPECTED,
            jwks=lambda force: {"keys": [public_jwk(ec_key(), kid="LTacESbw")]},
            now=1646340201,
        )
    assert caught.value.message == "the token is of type 'at+JWT', not an ID token"


def test_the_introspection_example_signed_in_after_it_expired() -> None:
    """As printed, figure 7 tells of a sign-in three months after `exp`: no moment exists at which it would pass."""
    claims = IDTokenClaims.from_payload(INTROSPECTED)
    assert (claims.acr, claims.signed_in_at) == ("myACR", 1646340198)
    with pytest.raises(TokenRejected, match="the ID token expired"):
        refuse_unexpected(claims, EXPECTED, now=1646340198)
    missing = shortfalls(REQUIREMENT, claims, granted_scope=(), flow_start=1618354090, now=1618354091)
    assert [item.kind.value for item in missing] == ["future", "window"]
