"""How old a sign-in may be, and where exactly that ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubectl_stepup.oidc.claims import IDTokenClaims
from kubectl_stepup.oidc.evidence import Shortfall, ShortfallKind, shortfalls
from kubectl_stepup.oidc.requirement import AuthTime, StepUpRequirement
from tests.support.provider.cases import REQUIREMENT, payload
from tests.support.provider.model import ABSENT

START = 1_800_000_000.0
WIDE = replace(REQUIREMENT, server_window_s=100_000, signed_in_within_s=600)


def missing(requirement: StepUpRequirement, **changes: object) -> list[Shortfall]:
    times = {"auth_time": START, "iat": START, "exp": START + 300}
    claims = IDTokenClaims.from_payload(payload(**{**times, **changes}))
    return list(shortfalls(requirement, claims, granted_scope=(), flow_start=START, now=START + 30))


def one(kind: ShortfallKind, wanted: str, got: str) -> list[Shortfall]:
    return [Shortfall(kind=kind, wanted=wanted, got=got)]


@pytest.mark.parametrize(
    ("requirement", "changes"),
    [
        (WIDE, {}),
        (WIDE, {"iat": START - 60}),
        (WIDE, {"auth_time": START - 605}),
        (WIDE, {"auth_time": START + 90, "iat": START + 30}),
        (WIDE, {"auth_time": START + 60}),
        (replace(WIDE, fresh=True), {"auth_time": START - 5}),
        (replace(REQUIREMENT, server_window_s=300), {}),
        (replace(REQUIREMENT, server_window_s=0), {"exp": START}),
        (replace(WIDE, auth_time=AuthTime.ABSENT), {"auth_time": ABSENT}),
        (replace(WIDE, auth_time=AuthTime.UNTRUSTED), {"auth_time": START - 9999}),
    ],
)
def test_what_lies_on_the_line_is_enough(requirement: StepUpRequirement, changes: dict[str, object]) -> None:
    assert missing(requirement, **changes) == []


@pytest.mark.parametrize(
    ("requirement", "changes", "expected"),
    [
        (WIDE, {"iat": START - 61}, one(ShortfallKind.ISSUED, "a token of this request", "1m1s")),
        (WIDE, {"auth_time": START - 606}, one(ShortfallKind.STALE, "10m", "10m6s")),
        (WIDE, {"auth_time": ABSENT}, one(ShortfallKind.AUTH_TIME, "auth_time", "none")),
        (
            WIDE,
            {"auth_time": START + 61},
            one(ShortfallKind.FUTURE, "a sign-in in the past", "1m1s in the future"),
        ),
        (
            WIDE,
            {"auth_time": START + 95, "iat": START + 40, "exp": START + 400},
            one(ShortfallKind.FUTURE, "a sign-in in the past", "1m5s in the future"),
        ),
        (
            replace(WIDE, fresh=True),
            {"auth_time": START - 6},
            one(ShortfallKind.NOT_FRESH, "a sign-in for this request", "6s"),
        ),
        (replace(WIDE, fresh=True), {"auth_time": START - 606}, one(ShortfallKind.STALE, "10m", "10m6s")),
        (
            replace(WIDE, fresh=True, auth_time=AuthTime.ABSENT),
            {"auth_time": ABSENT},
            one(ShortfallKind.AUTH_TIME, "auth_time", "none"),
        ),
        (
            replace(WIDE, fresh=True, auth_time=AuthTime.UNTRUSTED),
            {},
            one(ShortfallKind.AUTH_TIME, "auth_time", "one that is not the sign-in's"),
        ),
        (replace(REQUIREMENT, server_window_s=299), {}, one(ShortfallKind.WINDOW, "4m59s", "5m")),
        (
            replace(REQUIREMENT, server_window_s=299, auth_time=AuthTime.UNTRUSTED),
            {"auth_time": 5},
            one(ShortfallKind.WINDOW, "4m59s", "5m"),
        ),
    ],
)
def test_what_lies_beyond_it_is_told(
    requirement: StepUpRequirement, changes: dict[str, object], expected: list[Shortfall]
) -> None:
    assert missing(requirement, **changes) == expected


def test_a_token_that_ends_before_the_sign_in_fits_no_window() -> None:
    early = replace(WIDE, signed_in_within_s=600)
    assert [item.kind for item in missing(early, auth_time=START + 20, exp=START + 19)] == [ShortfallKind.WINDOW]
