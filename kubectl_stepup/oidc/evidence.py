"""Whether the sign-in behind a token meets the requirement, and what is missing where it does not.

Spec: OpenID Connect Core 1.0 section 3.1.3.7 (acr, auth_time); RFC 9470 section 5; RFC 8176 (amr).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from kubectl_stepup.durations import duration
from kubectl_stepup.errors import NotFresh, TokenRejected, TooWeak, WrongAccount
from kubectl_stepup.oidc.claims import IDTokenClaims
from kubectl_stepup.oidc.requirement import AuthTime, StepUpRequirement
from kubectl_stepup.sanitise import compared

FRESHNESS_LEEWAY_S = 5.0
"""The start of a flow is the provider's Date header, which has whole seconds, from another of its machines."""

CLOCK_LEEWAY_S = 60.0
LONGEST_COUNTED_LIFE_S = 900.0
WINDOW_LEEWAY_S = 60.0


class ShortfallKind(enum.StrEnum):
    """What is missing; also the order in which it is told."""

    ACCOUNT = "account"
    ACR = "acr"
    AMR = "amr"
    ACRS = "acrs"
    AUD = "aud"
    SCOPE = "scope"
    AUTH_TIME = "auth_time"
    FUTURE = "future"
    ISSUED = "issued"
    STALE = "stale"
    NOT_FRESH = "not-fresh"
    WINDOW = "window"


_EVIDENCE = frozenset(
    {ShortfallKind.ACR, ShortfallKind.AMR, ShortfallKind.ACRS, ShortfallKind.AUD, ShortfallKind.SCOPE}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """One thing that is missing: what was wanted and what came, both safe to show."""

    kind: ShortfallKind
    wanted: str
    got: str


def shortfalls(
    requirement: StepUpRequirement,
    claims: IDTokenClaims,
    *,
    granted_scope: Sequence[str],
    flow_start: float,
    now: float,
) -> tuple[Shortfall, ...]:
    """Return which parts of `requirement` the sign-in behind `claims` does not meet; empty means satisfied.

    `flow_start` is when the step-up began by the provider's clock, `now` is now by ours, both in seconds since the
    epoch. The age of a sign-in counts back from `flow_start`: a person may need minutes on the approval page.
    """
    missing = (
        *_account(requirement, claims),
        *_evidence(requirement, claims, granted_scope),
        *_freshness(requirement, claims, flow_start, now),
        *_window(requirement, claims),
    )
    return tuple(sorted(missing, key=lambda shortfall: list(ShortfallKind).index(shortfall.kind)))


def server_window(requirement: StepUpRequirement, claims: IDTokenClaims) -> float:
    """Return the bound of `exp - auth_time` that the API server is given too.

    Where the level names none: the allowed age of the sign-in, the token's own life (of which at most 15 minutes
    count) and a minute. A provider that issues tokens for hours thus needs the level to name its window.
    """
    if requirement.server_window_s is not None:
        return float(requirement.server_window_s)
    life = min(claims.exp - claims.iat, LONGEST_COUNTED_LIFE_S)
    return requirement.signed_in_within_s + life + WINDOW_LEEWAY_S


def rejection(
    missing: Sequence[Shortfall],
    requirement: StepUpRequirement,
    claims: IDTokenClaims,
) -> TokenRejected:
    """Return the error that tells `missing`, which must not be empty, to the person who signed in.

    The most telling kind decides the class: WrongAccount, TooWeak, NotFresh. `details` has every shortfall and
    `explanation`, one sentence about the provider.
    """
    first = missing[0]
    again = f"kubectl stepup login --fresh --level {requirement.level}"
    details: dict[str, object] = {
        "level": requirement.level,
        "shortfalls": [{"kind": item.kind.value, "wanted": item.wanted, "got": item.got} for item in missing],
    }
    if first.kind is ShortfallKind.ACCOUNT:
        return WrongAccount(f"approved as someone else: wanted {first.wanted}, got {first.got}", details=details)
    evidence = [item for item in missing if item.kind in _EVIDENCE]
    if evidence:
        details["explanation"] = _explanation(evidence)
        return TooWeak(_too_weak(evidence, claims), hint=again, details=details)
    message, hint = _not_fresh(first, requirement)
    if first.kind in {ShortfallKind.STALE, ShortfallKind.NOT_FRESH}:
        details["explanation"] = "the identity provider did not re-authenticate you"
    return NotFresh(message, hint=hint or again, details=details)


def _account(requirement: StepUpRequirement, claims: IDTokenClaims) -> tuple[Shortfall, ...]:
    if claims.account == requirement.account:
        return ()
    return (Shortfall(kind=ShortfallKind.ACCOUNT, wanted=compared(requirement.account, 80), got=_who(claims)),)


def _who(claims: IDTokenClaims) -> str:
    account = compared(claims.account, 80)
    return account if claims.username == claims.account else f"{account} ({compared(claims.username, 80)})"


def _evidence(
    requirement: StepUpRequirement, claims: IDTokenClaims, granted_scope: Sequence[str]
) -> tuple[Shortfall, ...]:
    evidence = requirement.evidence
    acr = () if claims.acr is None else (claims.acr,)
    tests = (
        (ShortfallKind.ACR, evidence.acr, acr, any),
        (ShortfallKind.AMR, evidence.amr, claims.amr, all),
        (ShortfallKind.ACRS, evidence.acrs, claims.acrs, any),
        (ShortfallKind.AUD, evidence.aud, claims.aud, any),
        (ShortfallKind.SCOPE, evidence.scope, tuple(granted_scope), all),
    )
    return tuple(
        Shortfall(
            kind=kind,
            wanted=_list(wanted, "+" if quantifier is all else "|"),
            got=claims.unreadable.get(kind.value) or _list(got, "+"),
        )
        for kind, wanted, got, quantifier in tests
        if wanted and not quantifier(value in got for value in wanted)
    )


def _freshness(
    requirement: StepUpRequirement, claims: IDTokenClaims, flow_start: float, now: float
) -> tuple[Shortfall, ...]:
    token_age = flow_start - claims.iat
    if token_age > CLOCK_LEEWAY_S:
        return (Shortfall(kind=ShortfallKind.ISSUED, wanted="a token of this request", got=duration(token_age)),)
    if requirement.auth_time is not AuthTime.REQUIRED:
        # When the person signed in is unknown; the token's own life stands in, but not for `fresh`.
        untrusted = "none" if claims.auth_time is None else "one that is not the sign-in's"
        return (
            (Shortfall(kind=ShortfallKind.AUTH_TIME, wanted="auth_time", got=untrusted),) if requirement.fresh else ()
        )
    if claims.auth_time is None:
        return (Shortfall(kind=ShortfallKind.AUTH_TIME, wanted="auth_time", got="none"),)
    # A future auth_time would pass every age test for as long as it lies ahead.
    ahead = claims.auth_time - min(now, claims.iat)
    if ahead > CLOCK_LEEWAY_S:
        return (
            Shortfall(
                kind=ShortfallKind.FUTURE, wanted="a sign-in in the past", got=f"{duration(ahead)} in the future"
            ),
        )
    age = flow_start - claims.auth_time
    if age > requirement.signed_in_within_s + FRESHNESS_LEEWAY_S:
        return (
            Shortfall(kind=ShortfallKind.STALE, wanted=duration(requirement.signed_in_within_s), got=duration(age)),
        )
    if requirement.fresh and age > FRESHNESS_LEEWAY_S:
        return (Shortfall(kind=ShortfallKind.NOT_FRESH, wanted="a sign-in for this request", got=duration(age)),)
    return ()


def _window(requirement: StepUpRequirement, claims: IDTokenClaims) -> tuple[Shortfall, ...]:
    """The API server's own test, so that Approved is never said of a token that the server will not honour."""
    start = claims.auth_time if requirement.auth_time is AuthTime.REQUIRED else claims.iat
    if start is None:
        return ()
    window, length = server_window(requirement, claims), claims.exp - start
    if 0 <= length <= window:
        return ()
    by = f", as cluster {requirement.window_by} publishes it" if requirement.window_by else ""
    return (Shortfall(kind=ShortfallKind.WINDOW, wanted=f"{duration(window)}{by}", got=duration(length)),)


def _too_weak(evidence: Sequence[Shortfall], claims: IDTokenClaims) -> str:
    wanted = ", ".join(f"{item.kind}={item.wanted}" for item in evidence)
    got = ", ".join(f"{item.kind}={item.got}" for item in evidence)
    told = {item.kind for item in evidence}
    aside = f" (amr={_list(claims.amr, '+')})" if claims.amr and ShortfallKind.AMR not in told else ""
    return f"you signed in, but not strongly enough: wanted {wanted}, got {got}{aside}"


def _explanation(evidence: Sequence[Shortfall]) -> str:
    match evidence[0].kind:
        case ShortfallKind.ACR:
            return "the identity provider ignored acr_values"
        case ShortfallKind.ACRS:
            return "the identity provider ignored the claims parameter"
        case ShortfallKind.SCOPE:
            return "the identity provider reduced the scope without an error"
        case _:
            return "the identity provider did not ask for a second factor"


def _not_fresh(first: Shortfall, requirement: StepUpRequirement) -> tuple[str, str | None]:
    match first.kind:
        case ShortfallKind.AUTH_TIME:
            return f"nothing proves when you signed in: wanted {first.wanted} in the ID token, got {first.got}", None
        case ShortfallKind.FUTURE:
            return f"the ID token says you signed in {first.got}", None
        case ShortfallKind.NOT_FRESH:
            return (
                f"you signed in, but not freshly enough: the sign-in is {first.got} older than this "
                "request, which needs one of its own"
            ), None
        case ShortfallKind.ISSUED:
            return f"the ID token was issued {first.got} before this request", None
        case ShortfallKind.STALE:
            return (
                f"you signed in, but not freshly enough: the sign-in was {first.got} old, level "
                f"{requirement.level} allows {first.wanted}"
            ), None
        case _:
            return (
                f"the token would live {first.got} after the sign-in, the cluster accepts {first.wanted} for level "
                f"{requirement.level}"
            ), f"shorten the client's ID tokens at the provider, or write serverWindow for level {requirement.level}"


def _list(values: Sequence[str], separator: str) -> str:
    return separator.join(compared(value, 60) for value in values[:10]) or "none"
