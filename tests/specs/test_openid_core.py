"""Spec: OpenID Connect Core 1.0 section 2 (the ID token), appendix A.2 to A.4 (signed ID tokens)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubectl_stepup.errors import NotFresh, TokenRejected, TooWeak
from kubectl_stepup.oidc.claims import Expectation, IDTokenClaims, refuse_unexpected
from kubectl_stepup.oidc.evidence import rejection, shortfalls
from kubectl_stepup.oidc.id_token import verify
from kubectl_stepup.oidc.requirement import AuthTime, Evidence, StepUpRequirement
from kubectl_stepup.secret import Secret
from tests.specs import openid

EXPECTED = Expectation(issuer=openid.ISSUER, client_id=openid.CLIENT, algorithms=("RS256",), nonce=openid.NONCE)
NOW = openid.ISSUED_AT + 30.0

# Section 2, the non-normative example of the Claims Set in an ID token.
CLAIMS: dict[str, object] = {
    "iss": "https://server.example.com",
    "sub": "24400320",
    "aud": "s6BhdRkqt3",
    "nonce": "n-0S6_WzA2Mj",
    "exp": 1311281970,
    "iat": 1311280970,
    "auth_time": 1311280969,
    "acr": "urn:mace:incommon:iap:silver",
}
REQUIREMENT = StepUpRequirement(
    level="mfa",
    evidence=Evidence(acr=("urn:mace:incommon:iap:silver",)),
    signed_in_within_s=300,
    server_window_s=1060,
    auth_time=AuthTime.REQUIRED,
    account_claim="sub",
    account="24400320",
)


def read(token: str, *, expected: Expectation = EXPECTED, access_token: str | None = None) -> IDTokenClaims:
    return verify(
        Secret(token),
        expected,
        jwks=lambda force: {"keys": [openid.A7_KEY]},
        now=NOW,
        access_token=None if access_token is None else Secret(access_token),
    )


def missing(requirement: StepUpRequirement, *, flow_start: float = openid.ISSUED_AT - 10.0) -> TokenRejected | None:
    claims = IDTokenClaims.from_payload(CLAIMS)
    found = shortfalls(requirement, claims, granted_scope=("openid",), flow_start=flow_start, now=NOW)
    return rejection(found, requirement, claims) if found else None


def test_the_claims_of_section_2_are_read_and_prove_what_they_say() -> None:
    claims = IDTokenClaims.from_payload(CLAIMS)
    refuse_unexpected(claims, EXPECTED, now=NOW)
    assert (claims.account, claims.acr, claims.signed_in_at) == ("24400320", "urn:mace:incommon:iap:silver", 1311280969)
    assert missing(REQUIREMENT) is None


def test_silver_is_not_gold_and_an_old_sign_in_is_old() -> None:
    gold = missing(replace(REQUIREMENT, evidence=Evidence(acr=("urn:mace:incommon:iap:gold",))))
    assert type(gold) is TooWeak
    assert gold.message == (
        "you signed in, but not strongly enough: wanted acr=urn:mace:incommon:iap:gold, "
        "got acr=urn:mace:incommon:iap:silver"
    )
    # Its sign-in was one second before the issue; a level that wants seventeen minutes after it is not served.
    assert type(missing(replace(REQUIREMENT, server_window_s=1000))) is NotFresh


@pytest.mark.parametrize(
    "token", [openid.A2_ID_TOKEN, openid.A3_ID_TOKEN, openid.A4_ID_TOKEN], ids=["A.2", "A.3", "A.4"]
)
def test_a_published_id_token_passes_everything_but_a_level(token: str) -> None:
    claims = read(token)
    assert (claims.iss, claims.aud, claims.nonce) == (openid.ISSUER, (openid.CLIENT,), openid.NONCE)
    assert (claims.account, claims.iat, claims.exp) == (openid.SUBJECT, openid.ISSUED_AT, openid.EXPIRES_AT)
    # None of them says how, or when, the person signed in.
    requirement = replace(REQUIREMENT, account=openid.SUBJECT)
    found = shortfalls(requirement, claims, granted_scope=("openid",), flow_start=NOW, now=NOW)
    assert [item.kind.value for item in found] == ["acr", "auth_time"]


def test_the_name_of_the_person_is_what_people_know() -> None:
    assert read(openid.A2_ID_TOKEN).username == "janedoe@example.com"


def test_the_published_access_token_is_the_one_of_its_at_hash() -> None:
    """Appendix A.3, and no other access token."""
    assert read(openid.A3_ID_TOKEN, access_token=openid.A3_ACCESS_TOKEN).at_hash == "77QmUPtjPfzWtF2AnpK9RQ"
    with pytest.raises(TokenRejected, match=r"\(at_hash\)"):
        read(openid.A3_ID_TOKEN, access_token=openid.A3_ACCESS_TOKEN[:-1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"issuer": "http://server.example.com"}, "from issuer https://server.example.com, not from http://"),
        ({"client_id": "s6bhdrkqt3"}, "the ID token is for s6BhdRkqt3, not for s6bhdrkqt3"),
        ({"nonce": None}, "the ID token's nonce is not the one of this request"),
        ({"nonce": "n-0S6_WzA2Mk"}, "the ID token's nonce is not the one of this request"),
        ({"algorithms": ("ES256",)}, "signed with 'RS256', accepted are ES256"),
        ({"longest_life_s": 999.0}, "the ID token lives 1000s, at most 999s is accepted"),
    ],
)
def test_it_is_refused_by_anybody_else(changes: dict[str, object], message: str) -> None:
    with pytest.raises(TokenRejected) as caught:
        read(openid.A2_ID_TOKEN, expected=replace(EXPECTED, **changes))  # type: ignore[arg-type]
    assert message in caught.value.message
