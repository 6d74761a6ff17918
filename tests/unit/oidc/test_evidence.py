from __future__ import annotations

from dataclasses import replace

import pytest

from kubectl_stepup.errors import TokenRejected
from kubectl_stepup.oidc.claims import IDTokenClaims
from kubectl_stepup.oidc.evidence import rejection, server_window, shortfalls
from kubectl_stepup.oidc.requirement import Evidence
from tests.support.provider.cases import FLOW_START, NOW, REQUIREMENT, payload


def claims(**changes: object) -> IDTokenClaims:
    return IDTokenClaims.from_payload(payload(**changes))


def refusal(read: IDTokenClaims) -> TokenRejected:
    missing = shortfalls(REQUIREMENT, read, granted_scope=("openid",), flow_start=FLOW_START, now=NOW)
    return rejection(missing, REQUIREMENT, read)


def test_nothing_is_missing_from_a_good_sign_in() -> None:
    assert shortfalls(REQUIREMENT, claims(), granted_scope=(), flow_start=FLOW_START, now=NOW) == ()


def test_every_shortfall_is_told_most_telling_first() -> None:
    missing = shortfalls(
        replace(REQUIREMENT, evidence=Evidence(acr=("mfa",), amr=("hwk",))),
        claims(sub="bob", acr="pwd", auth_time=NOW - 7200),
        granted_scope=(),
        flow_start=FLOW_START,
        now=NOW,
    )
    assert [item.kind.value for item in missing] == ["account", "acr", "amr", "stale", "window"]
    assert [(item.wanted, item.got) for item in missing][3:] == [("1m", "1h59m"), ("7m2s", "2h5m")]


@pytest.mark.parametrize(
    ("signed_in_within", "life", "named", "window"),
    [(900, 300, None, 1260), (900, 3600, None, 1860), (0, 300, None, 360), (900, 3600, 4000, 4000), (900, 300, 0, 0)],
)
def test_the_window_counts_at_most_a_quarter_of_an_hour_of_the_tokens_life(
    signed_in_within: int, life: int, named: int | None, window: float
) -> None:
    requirement = replace(REQUIREMENT, signed_in_within_s=signed_in_within, server_window_s=named)
    assert server_window(requirement, claims(iat=NOW, exp=NOW + life)) == window


def test_the_error_of_a_weak_sign_in_says_what_was_ignored_and_what_to_type() -> None:
    error = refusal(claims(acr="pwd", amr=["pwd"]))
    assert error.message == "you signed in, but not strongly enough: wanted acr=mfa, got acr=pwd (amr=pwd)"
    assert error.hint == "kubectl stepup login --fresh --level mfa"
    assert error.code == "too-weak"
    assert error.details == {
        "level": "mfa",
        "explanation": "the identity provider ignored acr_values",
        "shortfalls": [{"kind": "acr", "wanted": "mfa", "got": "pwd"}],
    }


def test_the_error_of_another_person_offers_no_repetition() -> None:
    error = refusal(claims(sub="bob"))
    assert (error.message, error.hint, error.code) == (
        "approved as someone else: wanted alice, got bob",
        None,
        "wrong-account",
    )


def test_the_error_of_an_old_sign_in_names_its_age() -> None:
    error = refusal(claims(auth_time=FLOW_START - 86_400 - 7200, exp=NOW + 300))
    assert error.message == ("you signed in, but not freshly enough: the sign-in was 1d2h old, level mfa allows 1m")
    assert error.details["explanation"] == "the identity provider did not re-authenticate you"


def test_the_error_of_a_token_that_lives_too_long_says_how_to_mend_it() -> None:
    error = refusal(claims(exp=NOW + 7200))
    assert error.hint == "shorten the client's ID tokens at the provider, or write serverWindow for level mfa"


def test_minutes_on_the_approval_page_do_not_count() -> None:
    slow = claims(auth_time=FLOW_START - 30, iat=FLOW_START + 500, exp=FLOW_START + 800)
    requirement = replace(REQUIREMENT, signed_in_within_s=60, server_window_s=900)
    assert shortfalls(requirement, slow, granted_scope=(), flow_start=FLOW_START, now=FLOW_START + 501) == ()


@pytest.mark.parametrize("members", [{}, {"acr": ()}, dict.fromkeys(("acr", "amr", "acrs", "aud", "scope"), ())])
def test_evidence_that_any_sign_in_would_meet_cannot_be_made(members: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValueError, match="asks for nothing"):
        Evidence(**members)
    with pytest.raises(ValueError, match="asks for nothing"):
        replace(Evidence(acr=("mfa",)), acr=())
