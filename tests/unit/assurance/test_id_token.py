"""Unusual tokens that are right: refusing them would lock people out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubectl_stepup.assurance.requirement import AuthTime, Evidence
from tests.provider.cases import CLIENT, EXPECTED, FLOW_START, NOW, REQUIREMENT, accept, good, judge
from tests.provider.model import ABSENT
from tests.provider.tokens import at_hash

T = int(NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"exp": NOW + 300.5, "iat": NOW - 1.25, "auth_time": NOW - 3.5},
        {"aud": [CLIENT]},
        {"aud": [CLIENT], "azp": CLIENT},
        {"aud": [CLIENT, CLIENT]},
        {"azp": None, "nonce": None, "jti": None, "nbf": None},
        {"nbf": T + 59},
        {"iat": T + 59},
        {"auth_time": FLOW_START - 65},
        {"auth_time": T + 30, "iat": T + 30},
        {"groups": ["a\nb", "\x1b[31m"], "email": "alice@example.com\r"},
        {"amr": []},
        {"amr": ABSENT},
        {"unknown": {"deep": [[[["fine"]]]]}},
        {"name": "Ålice 🦊 Ωmega"},
        {"email": 5, "preferred_username": ["x"]},
        {"jti": "a-b-c", "sid": "s", "sub": "alice"},
    ],
    ids=str,
)
def test_a_right_token_is_accepted(changes: dict[str, Any]) -> None:
    assert judge(good(**changes)).account == "alice"


@pytest.mark.parametrize(
    "header",
    [
        {"x5c": ["A" * 3000], "x5t": "AAAA"},
        {"typ": None},
        {"typ": "jwt"},
        {"kid": None},
        {"cty": "JWT"},
        {"unknown": [1]},
        {"jku": "https://login.example.com/jwks"},
    ],
    ids=str,
)
def test_an_unusual_header_is_accepted(header: dict[str, Any]) -> None:
    assert judge(good(header)).acr == "mfa"


def test_the_claims_are_read() -> None:
    claims = judge(good(jti="j", azp=CLIENT, preferred_username="alice.a"))
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


@pytest.mark.parametrize(
    ("evidence", "changes", "scope"),
    [
        (Evidence(acr=("phr", "mfa")), {}, ()),
        (Evidence(amr=("mfa", "pwd")), {"acr": ABSENT}, ()),
        (Evidence(acrs=("c1", "c2")), {"acrs": ["c2"], "acr": ABSENT}, ()),
        (Evidence(aud=(CLIENT,)), {"acr": ABSENT, "amr": ABSENT}, ()),
        (Evidence(scope=("kube-admin",), amr=("otp",)), {}, ("openid", "kube-admin")),
    ],
)
def test_each_kind_of_evidence_can_prove_a_level(
    evidence: Evidence, changes: dict[str, Any], scope: tuple[str, ...]
) -> None:
    accept(good(**changes), requirement=replace(REQUIREMENT, evidence=evidence), scope=scope)


def test_a_provider_without_auth_time_can_be_enrolled() -> None:
    accept(good(auth_time=ABSENT), requirement=replace(REQUIREMENT, auth_time=AuthTime.ABSENT))
    accept(good(auth_time=7), requirement=replace(REQUIREMENT, auth_time=AuthTime.UNTRUSTED))


def test_a_level_may_name_a_longer_window() -> None:
    accept(good(exp=T + 3600), requirement=replace(REQUIREMENT, server_window_s=3700))
