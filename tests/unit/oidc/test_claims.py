"""What is read of a payload, and where the line runs between a token that is taken and one that is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubectl_stepup.errors import TokenRejected
from kubectl_stepup.oidc.claims import IDTokenClaims, refuse_unexpected
from tests.support.provider.cases import CLIENT, EXPECTED, ISSUER, NOW, payload
from tests.support.provider.model import ABSENT


def refused(**changes: object) -> str:
    """Return the message of the refusal."""
    with pytest.raises(TokenRejected) as caught:
        taken(**changes)
    return caught.value.message


def taken(**changes: object) -> IDTokenClaims:
    claims = IDTokenClaims.from_payload(payload(**changes))
    refuse_unexpected(claims, EXPECTED, now=NOW)
    return claims


def test_every_claim_is_read_by_its_own_name() -> None:
    claims = IDTokenClaims.from_payload(
        {
            "iss": "i",
            "sub": "s",
            "aud": ["a", "b"],
            "exp": 1,
            "iat": 2,
            "nbf": 3,
            "auth_time": 4,
            "azp": "z",
            "nonce": "n",
            "acr": "r",
            "amr": ["m"],
            "acrs": ["c"],
            "jti": "j",
            "at_hash": "h",
            "oid": "o",
            "email": "e",
        },
        account_claim="oid",
    )
    assert claims == IDTokenClaims(
        iss="i",
        sub="s",
        aud=("a", "b"),
        exp=1.0,
        iat=2.0,
        account="o",
        username="e",
        nbf=3.0,
        auth_time=4.0,
        azp="z",
        nonce="n",
        acr="r",
        amr=("m",),
        acrs=("c",),
        jti="j",
        at_hash="h",
    )
    assert claims.signed_in_at == 4.0
    assert replace(claims, auth_time=None).signed_in_at == 2.0


def test_what_may_be_absent_is_nothing() -> None:
    claims = IDTokenClaims.from_payload({"iss": "i", "sub": "s", "aud": "a", "exp": 2, "iat": 1})
    assert claims == IDTokenClaims(iss="i", sub="s", aud=("a",), exp=2.0, iat=1.0, account="s", username="s")


def test_a_subject_is_bounded_also_where_another_claim_names_the_account() -> None:
    with pytest.raises(TokenRejected) as caught:
        IDTokenClaims.from_payload(payload(sub="a" * 256, oid="o"), account_claim="oid")
    assert caught.value.message == "sub in the ID token is longer than 255 characters"


@pytest.mark.parametrize("verified", [{}, {"email_verified": True}], ids=("silent", "verified"))
def test_an_address_may_name_the_account(verified: dict[str, object]) -> None:
    claims = IDTokenClaims.from_payload(payload(email="a@example.com", **verified), account_claim="email")
    assert claims.account == "a@example.com"


@pytest.mark.parametrize(
    ("verified", "shown"),
    [(False, "False"), (None, "None"), ("x" * 38, f"'{'x' * 38}'"), ("x" * 39, f"'{'x' * 32}...[+8]")],
    ids=("no", "null", "whole", "cut"),
)
def test_an_address_that_is_not_verified_names_nobody(verified: object, shown: str) -> None:
    odd = payload(email="a@example.com", email_verified=verified)
    assert IDTokenClaims.from_payload(odd).account == "alice"
    with pytest.raises(TokenRejected) as caught:
        IDTokenClaims.from_payload(odd, account_claim="email")
    assert caught.value.message == f"email in the ID token is not verified (email_verified: {shown})"


@pytest.mark.parametrize(
    ("names", "username"),
    [
        ({"name": "n"}, "n"),
        ({"name": "n", "upn": "u"}, "u"),
        ({"name": "n", "upn": "u", "preferred_username": "p"}, "p"),
        ({"name": "n", "upn": "u", "preferred_username": "p", "email": "e"}, "e"),
        ({"name": "n", "email": ""}, "n"),
        ({"name": 5}, "alice"),
    ],
)
def test_people_know_an_account_by_its_most_telling_name(names: dict[str, object], username: str) -> None:
    assert taken(**names).username == username


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW + 0.5},
        {"iat": NOW + 60, "exp": NOW + 61},
        {"nbf": NOW + 60},
        {"iat": NOW, "exp": NOW + 86_400},
        {"auth_time": 0},
        {"sub": "a" * 255},
        {"azp": CLIENT},
    ],
    ids=" ".join,
)
def test_what_lies_on_the_line_is_taken(changes: dict[str, object]) -> None:
    assert taken(**changes).iss == ISSUER


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exp": NOW, "iat": NOW - 1}, "the ID token expired 0s ago"),
        ({"exp": NOW - 7, "iat": NOW - 9}, "the ID token expired 7s ago"),
        ({"iat": NOW + 60.5}, "the ID token is issued 60s in the future (is this clock slow?)"),
        ({"iat": NOW + 99}, "the ID token is issued 99s in the future (is this clock slow?)"),
        ({"nbf": NOW + 60.5}, "the ID token is not valid for another 60s"),
        ({"nbf": NOW + 99}, "the ID token is not valid for another 99s"),
        ({"iat": NOW + 5, "exp": NOW + 5}, "the ID token lives 0s, at most 86400s is accepted"),
        ({"iat": NOW, "exp": NOW + 86_401}, "the ID token lives 86401s, at most 86400s is accepted"),
        ({"sub": "a" * 256}, "sub in the ID token is longer than 255 characters"),
        ({"sub": None}, "the ID token has no sub"),
        ({"iss": ""}, "the ID token has no iss"),
        ({"exp": None}, "the ID token has no exp"),
        ({"iat": ABSENT}, "the ID token has no iat"),
        ({"aud": None}, "the ID token has no audience"),
        ({"aud": [CLIENT, ""]}, "the ID token has no audience"),
        ({"aud": ["a", "b"]}, "the ID token is for a b, not for kubectl-elevated"),
        ({"aud": [CLIENT, "b"]}, "the ID token is also for b, which is not enrolled"),
        ({"azp": "b"}, "the ID token was given to b, not to kubectl-elevated"),
        ({"azp": ""}, "the ID token was given to '', not to kubectl-elevated"),
        ({"nonce": "n"}, "the ID token's nonce is not the one of this request"),
        ({"iss": "x"}, "the ID token is from issuer x, not from https://login.example.com"),
        ({"jti": 5}, "jti in the ID token is not a string: 5"),
        ({"nbf": 1e308}, "nbf in the ID token is not a time: 1e+308"),
        ({"exp": 253_402_300_800}, "exp in the ID token is not a time: 253402300800"),
        ({"nbf": "soon"}, "nbf in the ID token is not a time: 'soon'"),
        ({"nbf": float("inf")}, "nbf in the ID token is not a time: inf"),
        ({"auth_time": -1}, "auth_time in the ID token is not a time: -1"),
        ({"auth_time": True}, "auth_time in the ID token is not a time: True"),
    ],
)
def test_what_lies_beyond_it_is_refused_with_both_values(changes: dict[str, object], message: str) -> None:
    assert refused(**changes) == message


def test_a_nonce_that_does_not_come_back_is_told_from_a_wrong_one() -> None:
    with pytest.raises(TokenRejected) as caught:
        refuse_unexpected(IDTokenClaims.from_payload(payload()), replace(EXPECTED, nonce="sent"), now=NOW)
    assert caught.value.message == "the ID token has no nonce although one was sent"


def test_audiences_that_are_enrolled_may_stand_beside_the_client() -> None:
    expected = replace(EXPECTED, extra_audiences=("account", "api"))
    both = IDTokenClaims.from_payload(payload(aud=["api", CLIENT], azp=CLIENT))
    refuse_unexpected(both, expected, now=NOW)
    with pytest.raises(TokenRejected) as caught:
        refuse_unexpected(replace(both, azp=None), expected, now=NOW)
    assert caught.value.message == "the ID token has several audiences and no azp"


def test_what_a_token_says_is_shown_in_part() -> None:
    assert f"issuer {'i' * 100}, not" in refused(iss="i" * 100)
    assert f"issuer {'i' * 93}...[+8], not" in refused(iss="i" * 101)
    assert refused(jti=["x" * 56]).endswith(f": ['{'x' * 56}']")
    assert refused(jti=["x" * 57]).endswith(f": ['{'x' * 51}...[+8]")
    assert refused(jti=["\u202e"]).endswith(r": ['\u202e']")


@pytest.mark.parametrize(("length", "shown"), [(40, "c" * 40), (41, "c" * 33 + "...[+8]")], ids=("whole", "cut"))
def test_the_name_of_the_account_claim_is_shown_in_part(length: int, shown: str) -> None:
    name = "c" * length
    for value, message in (
        (5, f"{shown} in the ID token is not a string: 5"),
        ("", f"the ID token has no {shown}"),
        ("a" * 256, f"{shown} in the ID token is longer than 255 characters"),
    ):
        with pytest.raises(TokenRejected) as caught:
            IDTokenClaims.from_payload(payload(**{name: value}), account_claim=name)
        assert caught.value.message == message
