"""Unusual tokens that are right: refusing them would lock people out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubectl_stepup.oidc.requirement import AuthTime, Evidence
from tests.support.provider.cases import CLIENT, EXPECTED, FLOW_START, NOW, REQUIREMENT, accept, checked, good
from tests.support.provider.model import ABSENT
from tests.support.provider.tokens import at_hash

T = int(NOW)


RIGHT: list[dict[str, Any]] = [
    {},
    {"exp": NOW + 300.5, "iat": NOW - 1.25, "auth_time": NOW - 3.5},
    {"exp": 1.8000003e9, "iat": 1.8e9 - 2.0},
    {"exp": NOW + 0.001, "auth_time": T - 4},
    {"aud": [CLIENT]},
    {"aud": [CLIENT], "azp": CLIENT},
    {"aud": [CLIENT, CLIENT]},
    {"aud": CLIENT, "azp": CLIENT},
    {"azp": None, "nonce": None, "jti": None, "nbf": None, "at_hash": None, "acrs": None},
    {"nbf": T + 59},
    {"nbf": 0},
    {"iat": T + 59},
    {"auth_time": FLOW_START - 65},
    {"auth_time": T + 30, "iat": T + 30},
    {"groups": ["a\nb", "\x1b[31m"], "email": "alice@example.com\r"},
    {"amr": []},
    {"amr": ABSENT},
    {"amr": ["mfa"] * 20},
    {"acrs": ["c1"]},
    {"unknown": {"deep": [[[["fine"]]]]}},
    {"name": "Ålice 🦊 Ωmega"},
    {"email": 5, "preferred_username": ["x"]},
    {"email": "", "name": None},
    {"jti": "a-b-c", "sid": "s", "sub": "alice"},
    {"padding": "x" * 40_000},
    {"acr": "mfa", "Acr": "pwd", "ACR": "pwd"},
    {"c_hash": "AAAA", "s_hash": "AAAA", "at_hash": "AAAA"},
]
"""What a right token may say beside what is asked of it."""

UNUSUAL_HEADERS: list[dict[str, Any]] = [
    {"x5c": ["A" * 3000], "x5t": "AAAA"},
    {"typ": None},
    {"typ": "jwt"},
    {"typ": "application/jwt"},
    {"typ": "application/JWT"},
    {"kid": None},
    {"cty": "JWT"},
    {"unknown": [1]},
    {"jku": "https://login.example.com/jwks"},
    {"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
    {"zip": "DEF", "enc": "A256GCM"},
    {"nonce": "as Entra's access tokens have it"},
]


@pytest.mark.parametrize("changes", RIGHT, ids=" ".join)
def test_a_right_token_is_accepted(changes: dict[str, Any]) -> None:
    """IDT-40: groups and other claims with line breaks or ESC do not matter here; what is shown of them is escaped."""
    assert checked(good(**changes)).account == "alice"


@pytest.mark.parametrize("header", UNUSUAL_HEADERS, ids=" ".join)
def test_an_unusual_header_is_accepted(header: dict[str, Any]) -> None:
    """IDT-36: a header of 3 KB with certificates in it is read, and nothing in it is used as a key."""
    assert checked(good(header)).acr == "mfa"


def test_the_claims_are_read() -> None:
    claims = checked(good(jti="j", azp=CLIENT, preferred_username="alice.a"))
    assert (claims.username, claims.amr, claims.signed_in_at, claims.jti) == (
        "alice.a",
        ("pwd", "otp", "mfa"),
        NOW - 4,
        "j",
    )


def test_at_hash_is_checked_against_the_access_token() -> None:
    accept(good(at_hash=at_hash("at-1")), access_token="at-1")
    accept(good(at_hash=at_hash("at-1")))
    accept(good(), access_token="at-1")


def test_the_nonce_that_was_sent_comes_back() -> None:
    accept(good(nonce="sent"), expected=replace(EXPECTED, nonce="sent"))


PROVEN: list[tuple[Evidence, dict[str, Any], tuple[str, ...]]] = [
    (Evidence(acr=("phr", "mfa")), {}, ()),
    (Evidence(amr=("mfa", "pwd")), {"acr": ABSENT}, ()),
    (Evidence(amr=("pwd",)), {"amr": ["pwd", "pwd"]}, ()),
    (Evidence(acrs=("c1", "c2")), {"acrs": ["c2"], "acr": ABSENT}, ()),
    (Evidence(aud=(CLIENT,)), {"acr": ABSENT, "amr": ABSENT}, ()),
    (Evidence(scope=("kube-admin",), amr=("otp",)), {}, ("openid", "kube-admin")),
    (Evidence(acr=("mfa",), amr=("otp",), aud=(CLIENT,)), {}, ()),
]


@pytest.mark.parametrize(("evidence", "changes", "scope"), PROVEN)
def test_each_kind_of_evidence_can_prove_a_level(
    evidence: Evidence, changes: dict[str, Any], scope: tuple[str, ...]
) -> None:
    accept(good(**changes), requirement=replace(REQUIREMENT, evidence=evidence), scope=scope)


def test_a_provider_without_auth_time_can_be_enrolled() -> None:
    accept(good(auth_time=ABSENT), requirement=replace(REQUIREMENT, auth_time=AuthTime.ABSENT))
    accept(good(auth_time=7), requirement=replace(REQUIREMENT, auth_time=AuthTime.UNTRUSTED))


def test_a_level_may_name_a_longer_window() -> None:
    accept(good(exp=T + 3600), requirement=replace(REQUIREMENT, server_window_s=3700))
