"""The errors that people read when a sign-in was not enough: what was wanted, what came, what to type."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubectl_stepup.errors import NotFresh, TokenRejected, TooWeak
from kubectl_stepup.oidc.claims import IDTokenClaims
from kubectl_stepup.oidc.evidence import Shortfall, ShortfallKind, rejection, shortfalls
from kubectl_stepup.oidc.requirement import Evidence
from tests.support.provider.cases import FLOW_START, NOW, REQUIREMENT, payload

AGAIN = "kubectl stepup login --fresh --level mfa"


def refusal(evidence: Evidence = REQUIREMENT.evidence, **changes: object) -> TokenRejected:
    requirement = replace(REQUIREMENT, evidence=evidence)
    claims = IDTokenClaims.from_payload(payload(**changes))
    found = shortfalls(requirement, claims, granted_scope=("openid", "x"), flow_start=FLOW_START, now=NOW)
    return rejection(found, requirement, claims)


def of(kind: ShortfallKind) -> TokenRejected:
    found = Shortfall(kind=kind, wanted="WANTED", got="GOT")
    return rejection([found], REQUIREMENT, IDTokenClaims.from_payload(payload()))


def test_somebody_else_is_named_in_the_details_too() -> None:
    assert refusal(sub="bob", email="b@example.com").details == {
        "level": "mfa",
        "shortfalls": [{"kind": "account", "wanted": "alice", "got": "bob (b@example.com)"}],
    }


@pytest.mark.parametrize(("length", "shown"), [(80, "b" * 80), (81, "b" * 73 + "...[+8]")], ids=("whole", "cut"))
def test_names_are_shown_in_part(length: int, shown: str) -> None:
    assert refusal(sub="b" * length).message.endswith(f"got {shown}")
    assert refusal(sub="bob", email="b" * length).message.endswith(f"got bob ({shown})")
    wanted = replace(REQUIREMENT, account="b" * length)
    claims = IDTokenClaims.from_payload(payload())
    found = shortfalls(wanted, claims, granted_scope=(), flow_start=FLOW_START, now=NOW)
    assert (found[0].wanted, found[0].got) == (shown, "alice")


@pytest.mark.parametrize(
    ("evidence", "changes", "wanted", "explanation"),
    [
        (Evidence(acr=("gold", "phr")), {}, "acr=gold|phr, got acr=mfa", "the identity provider ignored acr_values"),
        (
            Evidence(acrs=("c1", "c2")),
            {"acrs": ["c3", "c4"]},
            "acrs=c1|c2, got acrs=c3+c4",
            "the identity provider ignored the claims parameter",
        ),
        (
            Evidence(scope=("kube-admin", "x")),
            {},
            "scope=kube-admin+x, got scope=openid+x",
            "the identity provider reduced the scope without an error",
        ),
        (
            Evidence(amr=("hwk", "mfa")),
            {},
            "amr=hwk+mfa, got amr=pwd+otp+mfa",
            "the identity provider did not ask for a second factor",
        ),
        (
            Evidence(aud=("up",)),
            {},
            "aud=up, got aud=kubectl-elevated",
            "the identity provider did not ask for a second factor",
        ),
    ],
)
def test_a_weak_sign_in_is_explained(
    evidence: Evidence, changes: dict[str, object], wanted: str, explanation: str
) -> None:
    error = refusal(evidence, **changes)
    aside = "" if evidence.amr else " (amr=pwd+otp+mfa)"
    assert error.message == f"you signed in, but not strongly enough: wanted {wanted}{aside}"
    assert (error.details["explanation"], error.hint) == (explanation, AGAIN)
    assert isinstance(error, TooWeak)


def test_how_somebody_signed_in_is_told_where_the_token_says_so() -> None:
    assert refusal(acr="pwd", amr=[]).message.endswith("got acr=pwd")
    both = refusal(Evidence(acr=("phr",), amr=("hwk",))).message
    assert both.endswith("wanted acr=phr, amr=hwk, got acr=mfa, amr=pwd+otp+mfa")
    assert refusal(acr=None).message.endswith("got acr=none (amr=pwd+otp+mfa)")
    assert refusal(Evidence(acrs=("c1",)), amr=[]).message.endswith("wanted acrs=c1, got acrs=none")


def test_ten_values_are_listed_and_each_in_part() -> None:
    many = [str(number) for number in range(11)]
    assert refusal(acr="x", amr=many).message.endswith("(amr=0+1+2+3+4+5+6+7+8+9)")
    assert refusal(acr="x" * 60, amr=[]).message.endswith("=" + "x" * 60)
    assert refusal(acr="x" * 61, amr=[]).message.endswith("=" + "x" * 53 + "...[+8]")


@pytest.mark.parametrize(
    ("kind", "message", "hint"),
    [
        (ShortfallKind.AUTH_TIME, "nothing proves when you signed in: wanted WANTED in the ID token, got GOT", AGAIN),
        (ShortfallKind.FUTURE, "the ID token says you signed in GOT", AGAIN),
        (
            ShortfallKind.NOT_FRESH,
            "you signed in, but not freshly enough: the sign-in is GOT older than this request, which needs one of its "
            "own",
            AGAIN,
        ),
        (ShortfallKind.ISSUED, "the ID token was issued GOT before this request", AGAIN),
        (
            ShortfallKind.STALE,
            "you signed in, but not freshly enough: the sign-in was GOT old, level mfa allows WANTED",
            AGAIN,
        ),
        (
            ShortfallKind.WINDOW,
            "the token would live GOT after the sign-in, the cluster accepts WANTED for level mfa",
            "shorten the client's ID tokens at the provider, or write serverWindow for level mfa",
        ),
    ],
)
def test_a_sign_in_that_is_not_fresh_is_explained(kind: ShortfallKind, message: str, hint: str) -> None:
    error = of(kind)
    assert isinstance(error, NotFresh)
    assert (error.message, error.hint) == (message, hint)
    explained = kind in {ShortfallKind.STALE, ShortfallKind.NOT_FRESH}
    assert error.details.get("explanation") == (
        "the identity provider did not re-authenticate you" if explained else None
    )
    assert error.details["shortfalls"] == [{"kind": kind.value, "wanted": "WANTED", "got": "GOT"}]
    assert error.details["level"] == "mfa"
