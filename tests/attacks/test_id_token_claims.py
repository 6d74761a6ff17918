"""Well-signed tokens that prove something else than what was asked for."""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubectl_stepup.errors import NotFresh, TokenRejected, TooWeak, WrongAccount
from kubectl_stepup.oidc.requirement import AuthTime, Evidence
from tests.support.provider.cases import CLIENT, EXPECTED, FLOW_START, ISSUER, NOW, REQUIREMENT, accept, checked, good
from tests.support.provider.model import ABSENT

T = int(NOW)
START = int(FLOW_START)

# What the token says, the class of the error, and words of its message.
REFUSED: list[tuple[str, dict[str, Any], type[TokenRejected], str]] = [
    ("IDT-16 iss other", {"iss": "https://evil.example"}, TokenRejected, "from issuer https://evil.example, not from https://login.example.com"),
    ("IDT-16 iss missing", {"iss": ABSENT}, TokenRejected, "the ID token has no iss"),
    ("IDT-16 iss upper case", {"iss": ISSUER.upper()}, TokenRejected, "from issuer HTTPS://LOGIN.EXAMPLE.COM"),
    ("IDT-16 iss with a slash", {"iss": ISSUER + "/"}, TokenRejected, "from issuer https://login.example.com/"),
    ("IDT-16 iss list", {"iss": [ISSUER]}, TokenRejected, "iss in the ID token is not a string"),
    ("IDT-16 iss null", {"iss": None}, TokenRejected, "the ID token has no iss"),
    ("IDT-17 aud other", {"aud": "kubectl"}, TokenRejected, "the ID token is for kubectl, not for kubectl-elevated"),
    ("IDT-17 aud missing", {"aud": ABSENT}, TokenRejected, "the ID token has no audience"),
    ("IDT-17 aud empty", {"aud": []}, TokenRejected, "the ID token has no audience"),
    ("IDT-17 aud empty text", {"aud": ""}, TokenRejected, "the ID token has no audience"),
    ("IDT-17 aud longer", {"aud": CLIENT + "-2"}, TokenRejected, "not for kubectl-elevated"),
    ("IDT-17 aud shorter", {"aud": "kubectl-elevate"}, TokenRejected, "not for kubectl-elevated"),
    ("IDT-17 aud with a foreign one", {"aud": [CLIENT, "evil"], "azp": CLIENT}, TokenRejected, "the ID token is also for evil, which is not enrolled"),
    ("IDT-17 aud with a number", {"aud": [CLIENT, 1]}, TokenRejected, "aud in the ID token is not a list of strings"),
    ("IDT-17 aud object", {"aud": {"a": CLIENT}}, TokenRejected, "aud in the ID token is not a list of strings"),
    ("IDT-18 azp other", {"azp": "kubectl"}, TokenRejected, "the ID token was given to kubectl, not to kubectl-elevated"),
    ("IDT-18 azp number", {"azp": 5}, TokenRejected, "azp in the ID token is not a string"),
    ("IDT-19 exp past", {"exp": T - 1, "iat": T - 60}, TokenRejected, "the ID token expired 1s ago"),
    ("IDT-19 exp now", {"exp": T}, TokenRejected, "the ID token expired 0s ago"),
    ("IDT-19 exp missing", {"exp": ABSENT}, TokenRejected, "the ID token has no exp"),
    ("IDT-19 exp text", {"exp": str(T + 300)}, TokenRejected, "exp in the ID token is not a time"),
    ("IDT-19 exp true", {"exp": True}, TokenRejected, "exp in the ID token is not a time: True"),
    ("IDT-19 exp 10^30", {"exp": 10**30}, TokenRejected, "exp in the ID token is not a time: "),
    ("IDT-19 exp in the year 9999", {"exp": 253_402_300_799}, TokenRejected, "at most 86400s is accepted"),
    ("IDT-19 exp negative", {"exp": -1}, TokenRejected, "exp in the ID token is not a time"),
    ("IDT-19 exp before iat", {"exp": T + 10, "iat": T + 20}, TokenRejected, "lives -10s"),
    ("IDT-19 lives two days", {"exp": T + 172_800}, TokenRejected, "the ID token lives 172802s"),
    ("IDT-20 nbf ahead", {"nbf": T + 100}, TokenRejected, "the ID token is not valid for another 100s"),
    ("IDT-20 iat tomorrow", {"iat": T + 86_400, "exp": T + 86_700}, TokenRejected, "issued 86400s in the future"),
    ("IDT-20 iat missing", {"iat": ABSENT}, TokenRejected, "the ID token has no iat"),
    ("IDT-20 iat false", {"iat": False}, TokenRejected, "iat in the ID token is not a time"),
    ("IDT-20 iat a week ago", {"iat": T - 604_800}, TokenRejected, "at most 86400s is accepted"),
    ("IDT-20 iat before the request", {"iat": START - 3600, "auth_time": START - 10}, NotFresh, "the ID token was issued 1h before this request"),
    ("IDT-22 sub missing", {"sub": ABSENT}, TokenRejected, "the ID token has no sub"),
    ("IDT-22 sub empty", {"sub": ""}, TokenRejected, "the ID token has no sub"),
    ("IDT-22 sub number", {"sub": 7}, TokenRejected, "sub in the ID token is not a string: 7"),
    ("IDT-22 sub 300 characters", {"sub": "a" * 300}, TokenRejected, "sub in the ID token is longer than 255 characters"),
    ("IDT-22 sub of another", {"sub": "bob"}, WrongAccount, "approved as someone else: wanted alice, got bob"),
    ("IDT-22 sub of another, with a name", {"sub": "0b0b", "email": "bob@example.com"}, WrongAccount, "wanted alice, got 0b0b (bob@example.com)"),
    ("IDT-22 sub upper case", {"sub": "Alice"}, WrongAccount, "wanted alice, got Alice"),
    ("IDT-22 sub with a space", {"sub": "alice "}, WrongAccount, "wanted alice, got 'alice '"),
    ("IDT-22 sub with ESC", {"sub": "bob\x1b[2K"}, WrongAccount, "got 'bob\\x1b[2K'"),
    ("another, and weak and old too", {"sub": "bob", "acr": "pwd", "auth_time": 1}, WrongAccount, "approved as someone else"),
    ("IDT-23 acr missing", {"acr": ABSENT}, TooWeak, "you signed in, but not strongly enough: wanted acr=mfa, got acr=none (amr=pwd+otp+mfa)"),
    ("IDT-23 acr null", {"acr": None}, TooWeak, "got acr=none"),
    ("IDT-23 acr empty", {"acr": ""}, TooWeak, "got acr="),
    ("IDT-23 acr 0", {"acr": "0"}, TooWeak, "wanted acr=mfa, got acr=0"),
    ("IDT-23 acr weaker", {"acr": "pwd", "amr": ["pwd"]}, TooWeak, "you signed in, but not strongly enough: wanted acr=mfa, got acr=pwd (amr=pwd)"),
    ("IDT-23 acr upper case", {"acr": "MFA"}, TooWeak, "got acr=MFA"),
    ("IDT-23 acr with a space", {"acr": "mfa "}, TooWeak, "got acr='mfa '"),
    ("IDT-23 acr with more", {"acr": "pwd mfa"}, TooWeak, "got acr='pwd mfa'"),
    ("IDT-23 acr list", {"acr": ["mfa"]}, TokenRejected, "acr in the ID token is not a string"),
    ("IDT-23 acr object", {"acr": {"value": "mfa"}}, TokenRejected, "acr in the ID token is not a string"),
    ("IDT-23 acr number", {"acr": 2}, TokenRejected, "acr in the ID token is not a string: 2"),
    ("IDT-27 auth_time a day old", {"auth_time": START - 86_400}, NotFresh, "the sign-in was 1d old, level mfa allows 1m"),
    ("IDT-27 auth_time one second too old", {"auth_time": START - 66}, NotFresh, "the sign-in was 1m6s old, level mfa allows 1m"),
    ("IDT-27 auth_time 0", {"auth_time": 0}, NotFresh, "not freshly enough"),
    ("IDT-28 auth_time missing", {"auth_time": ABSENT}, NotFresh, "nothing proves when you signed in: wanted auth_time in the ID token, got none"),
    ("IDT-28 auth_time null", {"auth_time": None}, NotFresh, "nothing proves when you signed in"),
    ("IDT-28 auth_time true", {"auth_time": True}, TokenRejected, "auth_time in the ID token is not a time: True"),
    ("IDT-28 auth_time text", {"auth_time": str(T)}, TokenRejected, "auth_time in the ID token is not a time"),
    ("IDT-28 auth_time list", {"auth_time": [T]}, TokenRejected, "auth_time in the ID token is not a time"),
    ("IDT-28 auth_time tomorrow", {"auth_time": T + 86_400}, NotFresh, "the ID token says you signed in 1d in the future"),
    ("IDT-28 auth_time after the issue", {"auth_time": T + 70}, NotFresh, "in the future"),
    ("IDT-19 lives an hour", {"exp": T + 3600}, NotFresh, "the token would live 1h after the sign-in, the cluster accepts 17m for level mfa"),
    ("IDT-31 nonce though none was sent", {"nonce": "n-1"}, TokenRejected, "nonce is not the one of this request"),
    ("IDT-31 nonce number", {"nonce": 1}, TokenRejected, "nonce in the ID token is not a string"),
    ("jti number", {"jti": 1}, TokenRejected, "jti in the ID token is not a string"),
    ("at_hash number", {"at_hash": 1}, TokenRejected, "at_hash in the ID token is not a string"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "error", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_token_that_proves_something_else_is_refused(
    changes: dict[str, Any], error: type[TokenRejected], message: str
) -> None:
    with pytest.raises(TokenRejected) as caught:
        checked(good(**changes))
    assert type(caught.value) is error
    assert message in caught.value.message
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize("nonce", [ABSENT, None, "", "other", "sent "])
def test_a_nonce_that_was_sent_must_come_back(nonce: object) -> None:
    """IDT-31."""
    with pytest.raises(TokenRejected, match="nonce"):
        checked(good(nonce=nonce), expected=replace(EXPECTED, nonce="sent"))


def test_several_audiences_need_an_azp() -> None:
    """IDT-18."""
    expected = replace(EXPECTED, extra_audiences=("account",))
    with pytest.raises(TokenRejected, match="several audiences and no azp"):
        checked(good(aud=[CLIENT, "account"]), expected=expected)
    assert checked(good(aud=[CLIENT, "account"], azp=CLIENT), expected=expected).aud == (CLIENT, "account")


@pytest.mark.parametrize(("account", "got"), [("0b0b", "0b0b"), ("", "no oid"), (None, "no oid")])
def test_the_enrolled_account_claim_decides(account: object, got: str) -> None:
    """IDT-22: whichever claim says who it is."""
    with pytest.raises(TokenRejected, match=got):
        checked(
            good(oid=account),
            expected=replace(EXPECTED, account_claim="oid"),
            requirement=replace(REQUIREMENT, account_claim="oid"),
        )


@pytest.mark.parametrize("verified", [False, None, "true", "false", 0, 1, [], {}])
def test_an_email_that_is_not_verified_is_nobodys(verified: object) -> None:
    """IDT-22: where the account is an address, whoever registers it at the provider would be that account."""
    expected = replace(EXPECTED, account_claim="email")
    requirement = replace(REQUIREMENT, account_claim="email", account="alice@example.com")
    claims: dict[str, Any] = {"email": "alice@example.com", "sub": "0b0b"}
    for accepted in ({}, {"email_verified": True}):
        checked(good(None, **claims, **accepted), expected=expected, requirement=requirement)
    with pytest.raises(TokenRejected, match="email in the ID token is not verified"):
        checked(good(**claims, email_verified=verified), expected=expected, requirement=requirement)
    accept(good(email="alice@example.com", email_verified=verified))


@pytest.mark.parametrize(
    ("evidence", "changes", "scope", "message"),
    [
        (Evidence(amr=("mfa",)), {"amr": ["pwd"]}, "openid", "wanted amr=mfa, got amr=pwd"),
        (Evidence(amr=("otp", "hwk")), {}, "openid", "wanted amr=otp+hwk, got amr=pwd+otp+mfa"),
        (Evidence(amr=("mfa",)), {"amr": ABSENT}, "openid", "wanted amr=mfa, got amr=none"),
        (Evidence(acrs=("c1", "c2")), {"acrs": ["c3"]}, "openid", "wanted acrs=c1|c2, got acrs=c3"),
        (Evidence(acrs=("c1",)), {}, "openid", "wanted acrs=c1, got acrs=none"),
        (Evidence(aud=("other",)), {}, "openid", "wanted aud=other, got aud=kubectl-elevated"),
        (Evidence(scope=("kube-admin",)), {}, "openid", "wanted scope=kube-admin, got scope=openid"),
        (Evidence(acr=("phr",)), {"acr": "mfa"}, "openid", "wanted acr=phr, got acr=mfa"),
        (Evidence(acr=("phr",), amr=("hwk",)), {}, "openid", "wanted acr=phr, amr=hwk, got acr=mfa, amr=pwd+otp+mfa"),
    ],
)
def test_evidence_that_is_not_there(evidence: Evidence, changes: dict[str, Any], scope: str, message: str) -> None:
    """IDT-23, IDT-26."""
    with pytest.raises(TooWeak) as caught:
        checked(good(**changes), requirement=replace(REQUIREMENT, evidence=evidence), scope=scope.split())
    assert message in caught.value.message


def test_fresh_refuses_a_sign_in_from_before_the_request() -> None:
    """IDT-29."""
    fresh = replace(REQUIREMENT, fresh=True)
    accept(good(auth_time=START - 5), requirement=fresh)
    with pytest.raises(NotFresh) as caught:
        checked(good(auth_time=START - 7), requirement=fresh)
    assert caught.value.message == (
        "you signed in, but not freshly enough: the sign-in is 7s older than this request, which needs one of its own"
    )


@pytest.mark.parametrize("auth_time", [AuthTime.ABSENT, AuthTime.UNTRUSTED])
def test_fresh_cannot_be_proven_without_auth_time(auth_time: AuthTime) -> None:
    with pytest.raises(NotFresh, match="nothing proves when you signed in"):
        checked(good(), requirement=replace(REQUIREMENT, auth_time=auth_time, fresh=True))


def test_where_auth_time_is_untrusted_the_life_of_the_token_is_bounded() -> None:
    requirement = replace(REQUIREMENT, auth_time=AuthTime.UNTRUSTED, server_window_s=300)
    accept(good(exp=T + 298, auth_time=5), requirement=requirement)
    with pytest.raises(NotFresh, match="would live 5m2s after the sign-in, the cluster accepts 5m"):
        checked(good(exp=T + 300), requirement=requirement)
