"""Well-signed tokens whose claims have unexpected types, look like the right ones, or name unusual times and audiences."""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from kubectl_stepup.errors import NotFresh, TokenRejected, TooWeak, WrongAccount
from kubectl_stepup.oidc.requirement import Evidence
from tests.support.provider.cases import CLIENT, EXPECTED, FLOW_START, ISSUER, NOW, REQUIREMENT, accept, checked, good
from tests.support.provider.model import ABSENT

T = int(NOW)

NO_TEXT: tuple[object, ...] = (True, False, 0, 1.5, [], ["mfa"], {}, {"value": "mfa"})
NO_TIME: tuple[object, ...] = (
    *(True, False, "", str(T + 300), "NaN", "2027-01-15T08:05:00Z", [], [T + 300], {}, {"$date": T + 300}, -1, -0.5),
)
NO_LIST: tuple[object, ...] = (
    *(True, 0, 1.5, "", "mfa pwd", {}, {"0": "mfa"}, [1], [None], [["mfa"]], [{}], ["mfa", 2], ["mfa", None]),
)
NO_AUDIENCES: tuple[object, ...] = (
    *(
        True,
        0,
        1.5,
        {},
        {"aud": CLIENT},
        [1],
        [None],
        [[CLIENT]],
        [{}],
        [CLIENT, None],
        [CLIENT, 0],
        [CLIENT, [CLIENT]],
    ),
)

UNEXPECTED_TYPES: list[tuple[str, object, str]] = [
    *((name, value, f"{name} in the ID token is not a string") for name in ("iss", "sub", "azp", "nonce", "acr", "jti", "at_hash") for value in NO_TEXT),
    *((name, value, f"{name} in the ID token is not a time") for name in ("exp", "iat", "nbf", "auth_time") for value in NO_TIME),
    *(("aud", value, "aud in the ID token is not a list of strings") for value in NO_AUDIENCES),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "message"),
    UNEXPECTED_TYPES,
    ids=[f"{name} {json.dumps(value)}" for name, value, _ in UNEXPECTED_TYPES],
)
def test_a_claim_of_an_unexpected_type_is_refused_by_name(name: str, value: object, message: str) -> None:
    with pytest.raises(TokenRejected) as caught:
        checked(good(None, **{name: value}))
    assert type(caught.value) is TokenRejected
    assert caught.value.message.startswith(f"{message}: ")


@pytest.mark.parametrize("value", NO_LIST, ids=json.dumps)
@pytest.mark.parametrize("name", ["amr", "acrs"])
def test_methods_of_an_unexpected_type_prove_nothing_and_cost_nothing_where_they_are_not_asked_for(
    name: str, value: object
) -> None:
    changes: dict[str, Any] = {name: value}
    accept(good(None, **changes))
    asked = replace(REQUIREMENT, evidence=Evidence(**{name: ("mfa",)}))
    with pytest.raises(TooWeak, match=f"wanted {name}=mfa, got {name}="):
        checked(good(None, **changes), requirement=asked)


@pytest.mark.parametrize("name", ["amr", "acrs"])
def test_one_text_is_a_list_of_one_and_nothing_in_it_is_a_list(name: str) -> None:
    """As the API server takes it (`texts_of` of the compiled expressions)."""
    asked = replace(REQUIREMENT, evidence=Evidence(**{name: ("mfa",)}))
    accept(good(None, **{name: "mfa"}), requirement=asked)
    for text in ("mfa pwd", "mfa,pwd", "mf", "mfa ", '["mfa"]', "MFA"):
        with pytest.raises(TooWeak):
            checked(good(None, **{name: text}), requirement=asked)


# Each looks, or is compared carelessly, like the value that is wanted.
LOOKALIKES: list[tuple[str, str, type[TokenRejected], str]] = [
    *(("sub", text, WrongAccount, "approved as someone else: wanted alice, got ") for text in (
        "аlice", "alicе", "ａｌｉｃｅ", "alice\u200b", "\u200balice", "alice\u0301", "a\u00adlice", "\u202ealice", "alice\n", "alice\t", "ALICE",
        "alice@example.com", "alice\ufeff", "alice,bob", "alice bob", "𝐚lice", "alıce", "*", "al*", ".*", "%61lice", "alice\u00a0",
    )),
    *(("iss", text, TokenRejected, "the ID token is from issuer ") for text in (
        "https://login.exаmple.com", "https://login.example.com.", "https://login.example.com:443", "https://login.example.com/.", "https://login.example.com?",
        "https://login.example.com#", "http://login.example.com", "https://login.example.com@evil.example", "https://login.example.com\u200b", "login.example.com",
        "https://login.example.com.evil.example", "https://login.example.com\\", "https://LOGIN.example.com", " https://login.example.com", "https://login.example.com\n",
    )),
    *(("aud", text, TokenRejected, f"not for {CLIENT}") for text in (
        "кubectl-elevated", "kubectl-elevated ", "kubectl_elevated", "Kubectl-Elevated", "kubectl\u2010elevated", "kubectl-elevated,kubectl", "kubectl-elevated\u200b", "*",
    )),
    *(("acr", text, TooWeak, "not strongly enough: wanted acr=mfa, got acr=") for text in (
        "ｍｆａ", "mfа", "mfa\u200b", "mfa\n", "mfa\t", '"mfa"', "[mfa]", "mfa,pwd", "mfa|pwd", "*", "mf?", ".*", "mfa*", "1", "true", "urn:mfa", "mfa/", "Mfa", "pwd\nmfa",
    )),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "kind", "message"), LOOKALIKES, ids=[f"{name} {text!a}" for name, text, *_ in LOOKALIKES]
)
def test_what_looks_like_the_right_value_is_another(
    name: str, text: str, kind: type[TokenRejected], message: str
) -> None:
    with pytest.raises(TokenRejected) as caught:
        checked(good(None, **{name: text}))
    assert type(caught.value) is kind
    assert message in caught.value.message
    # What cannot be seen is shown escaped, so that the two values differ on the screen as well.
    assert caught.value.message.isprintable()
    assert not set("\u200b\u00ad\u202e\ufeff") & set(caught.value.message)


UNUSUAL_TIMES: list[tuple[str, dict[str, Any], type[TokenRejected], str]] = [
    ("exp a millisecond ago", {"exp": NOW - 0.001}, TokenRejected, "the ID token expired 0s ago"),
    ("exp now as a float", {"exp": NOW}, TokenRejected, "the ID token expired 0s ago"),
    ("exp in milliseconds", {"exp": (T + 300) * 1000}, TokenRejected, "exp in the ID token is not a time: "),
    ("exp 2^53", {"exp": 2**53}, TokenRejected, "exp in the ID token is not a time: "),
    ("exp 2^63", {"exp": 2**63}, TokenRejected, "exp in the ID token is not a time: "),
    ("exp 2^64 + what is right", {"exp": 2**64 + T + 300}, TokenRejected, "exp in the ID token is not a time: "),
    ("exp 2^32 too much", {"exp": 2**32 + T + 300}, TokenRejected, "at most 86400s is accepted"),
    ("exp 1e300", {"exp": 1e300}, TokenRejected, "exp in the ID token is not a time: "),
    ("exp 0", {"exp": 0, "iat": 0}, TokenRejected, "the ID token expired"),
    ("exp is iat", {"exp": T + 30, "iat": T + 30}, TokenRejected, "the ID token lives 0s"),
    ("exp one second over a day", {"exp": T + 86_399, "iat": T - 2}, TokenRejected, "the ID token lives 86401s"),
    ("iat in milliseconds", {"iat": T * 1000}, TokenRejected, "iat in the ID token is not a time: "),
    ("iat 0", {"iat": 0}, TokenRejected, "at most 86400s is accepted"),
    ("iat 60.5s ahead", {"iat": NOW + 60.5}, TokenRejected, "in the future (is this clock slow?)"),
    ("iat 1e300", {"iat": 1e300}, TokenRejected, "iat in the ID token is not a time: "),
    ("iat 61s before the request", {"iat": int(FLOW_START) - 61}, NotFresh, "the ID token was issued 1m1s before this request"),
    ("nbf 60.5s ahead", {"nbf": NOW + 60.5}, TokenRejected, "the ID token is not valid for another 60s"),
    ("nbf in milliseconds", {"nbf": T * 1000}, TokenRejected, "nbf in the ID token is not a time: "),
    ("nbf 2^63", {"nbf": 2**63}, TokenRejected, "nbf in the ID token is not a time: "),
    ("auth_time in milliseconds", {"auth_time": T * 1000}, TokenRejected, "auth_time in the ID token is not a time: "),
    ("auth_time 2^63", {"auth_time": 2**63}, TokenRejected, "auth_time in the ID token is not a time: "),
    ("auth_time 1e300", {"auth_time": 1e300}, TokenRejected, "auth_time in the ID token is not a time: "),
    ("auth_time 61s after the issue", {"auth_time": T + 59, "iat": T - 2}, NotFresh, "in the future"),
    ("auth_time 65.5s before the request", {"auth_time": FLOW_START - 65.5}, NotFresh, "level mfa allows 1m"),
    ("auth_time of 2001", {"auth_time": 1_000_000_000}, NotFresh, "not freshly enough"),
    ("auth_time as updated_at alone", {"auth_time": ABSENT, "updated_at": T - 4}, NotFresh, "nothing proves when you signed in"),
    ("auth_time as authTime", {"auth_time": ABSENT, "authTime": T - 4}, NotFresh, "nothing proves when you signed in"),
    ("a life one second over the window", {"exp": T + 60 + 900 + 60 - 3, "iat": T - 2}, NotFresh, "the cluster accepts"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "kind", "message"), [case[1:] for case in UNUSUAL_TIMES], ids=[case[0] for case in UNUSUAL_TIMES]
)
def test_an_unusual_time_is_refused(changes: dict[str, Any], kind: type[TokenRejected], message: str) -> None:
    with pytest.raises(TokenRejected) as caught:
        checked(good(**changes))
    assert type(caught.value) is kind
    assert message in caught.value.message


# With `account` enrolled beside the client: what the token says of audience and authorised party.
AUDIENCES: list[tuple[dict[str, Any], str]] = [
    ({"aud": [CLIENT, "account"]}, "the ID token has several audiences and no azp"),
    ({"aud": [CLIENT, "account"], "azp": None}, "the ID token has several audiences and no azp"),
    ({"aud": ["account", CLIENT, "account"]}, "the ID token has several audiences and no azp"),
    ({"aud": [CLIENT, "account"], "azp": "account"}, "the ID token was given to account, not to"),
    ({"aud": [CLIENT, "account"], "azp": ""}, "the ID token was given to "),
    ({"aud": [CLIENT, "account"], "azp": f"{CLIENT} "}, "the ID token was given to "),
    ({"aud": [CLIENT, "account", "evil"], "azp": CLIENT}, "the ID token is also for evil, which is not enrolled"),
    ({"aud": [CLIENT, "accounts"], "azp": CLIENT}, "the ID token is also for accounts, which is not enrolled"),
    ({"aud": [CLIENT, "Account"], "azp": CLIENT}, "the ID token is also for Account, which is not enrolled"),
    ({"aud": ["account"], "azp": CLIENT}, f"the ID token is for account, not for {CLIENT}"),
    ({"aud": "account", "azp": CLIENT}, f"the ID token is for account, not for {CLIENT}"),
    ({"aud": f"{CLIENT} account", "azp": CLIENT}, f"not for {CLIENT}"),
    ({"aud": [f"{CLIENT},account"], "azp": CLIENT}, f"not for {CLIENT}"),
    ({"aud": CLIENT, "azp": "account"}, "the ID token was given to account, not to"),
    ({"aud": [CLIENT, ""], "azp": CLIENT}, "the ID token has no audience"),
    ({"aud": [], "azp": CLIENT}, "the ID token has no audience"),
    ({"aud": None, "azp": CLIENT}, "the ID token has no audience"),
    ({"aud": ABSENT, "client_id": CLIENT}, "the ID token has no audience"),
    ({"aud": ["*"], "azp": CLIENT}, f"the ID token is for '*', not for {CLIENT}"),
    ({"aud": [ISSUER], "azp": CLIENT}, f"not for {CLIENT}"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), AUDIENCES, ids=[str(changes) for changes, _ in AUDIENCES])
def test_an_unusual_audience_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TokenRejected) as caught:
        checked(good(**changes), expected=replace(EXPECTED, extra_audiences=("account",)))
    assert message in caught.value.message


PHR, OTP, SCOPE, ACRS = (
    Evidence(acr=("phr",)),
    Evidence(amr=("otp",)),
    Evidence(scope=("kube-admin",)),
    Evidence(acrs=("c1",)),
)

# What the level asks for, what stands elsewhere in the token, and what is missing.
CONFUSED: list[tuple[str, Evidence, dict[str, Any], str]] = [
    ("IDT-24 a weaker acr of those that were asked for", PHR, {"acr": "mfa"}, "wanted acr=phr, got acr=mfa"),
    ("IDT-25 an acr that sorts higher", PHR, {"acr": "zzz"}, "wanted acr=phr, got acr=zzz"),
    ("IDT-25 a longer acr", PHR, {"acr": "phrh"}, "wanted acr=phr, got acr=phrh"),
    ("IDT-25 a number that is higher", Evidence(acr=("2",)), {"acr": "3"}, "wanted acr=2, got acr=3"),
    ("the acr in amr", PHR, {"acr": "mfa", "amr": ["phr"]}, "wanted acr=phr, got acr=mfa (amr=phr)"),
    ("the acr in acrs", PHR, {"acr": "mfa", "acrs": ["phr"]}, "wanted acr=phr, got acr=mfa"),
    ("the acr in aud", PHR, {"acr": ABSENT, "azp": CLIENT}, "wanted acr=phr, got acr=none"),
    ("the acr_values echoed", PHR, {"acr": ABSENT, "acr_values": "phr"}, "wanted acr=phr, got acr=none"),
    ("the claims parameter echoed", PHR, {"acr": ABSENT, "claims": {"id_token": {"acr": {"value": "phr"}}}}, "wanted acr=phr, got acr=none"),
    ("the acr under another name", PHR, {"acr": ABSENT, "ACR": "phr", "acr ": "phr", "ａcr": "phr"}, "wanted acr=phr, got acr=none"),
    ("the acr in a nested token", PHR, {"acr": ABSENT, "act": {"acr": "phr"}}, "wanted acr=phr, got acr=none"),
    ("IDT-26 amr with the password alone", OTP, {"acr": ABSENT, "amr": ["pwd"]}, "wanted amr=otp, got amr=pwd"),
    ("amr in one text of the list", OTP, {"amr": ["pwd otp"]}, "wanted amr=otp, got amr='pwd otp'"),
    ("amr in acr", OTP, {"acr": "otp", "amr": ["pwd"]}, "wanted amr=otp, got amr=pwd"),
    ("amr in upper case", OTP, {"amr": ["OTP"]}, "wanted amr=otp, got amr=OTP"),
    ("a scope that the token claims and nobody granted", SCOPE, {"scope": "openid kube-admin"}, "wanted scope=kube-admin, got scope=openid"),
    ("a scope in scp", SCOPE, {"scp": ["kube-admin"]}, "wanted scope=kube-admin, got scope=openid"),
    ("acrs in acr", ACRS, {"acr": "c1"}, "wanted acrs=c1, got acrs=none"),
    ("acrs in wids", ACRS, {"wids": ["c1"]}, "wanted acrs=c1, got acrs=none"),
    ("acrs in xms_cc", ACRS, {"acrs": [], "xms_cc": ["c1"]}, "wanted acrs=c1, got acrs=none"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("evidence", "changes", "message"), [case[1:] for case in CONFUSED], ids=[case[0] for case in CONFUSED]
)
def test_evidence_in_the_wrong_place_is_none(evidence: Evidence, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TooWeak) as caught:
        checked(good(**changes), requirement=replace(REQUIREMENT, evidence=evidence))
    assert message in caught.value.message


def test_a_weaker_answer_may_serve_the_level_that_asks_for_less() -> None:
    """IDT-24: the same token, evaluated for the level that `mfa` proves. IDT-26: amr alone, where the level says so."""
    accept(good(acr="mfa"), requirement=replace(REQUIREMENT, evidence=Evidence(acr=("phr", "mfa"))))
    accept(good(acr=ABSENT, amr=["pwd", "otp"]), requirement=replace(REQUIREMENT, evidence=OTP))
