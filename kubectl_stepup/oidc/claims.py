"""The claims of an ID token, typed, and the checks every ID token must pass whatever level is asked for.

Spec: OpenID Connect Core 1.0 sections 2 and 3.1.3.7; RFC 7519 section 4.1; RFC 8176.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubectl_stepup.errors import TokenRejected
from kubectl_stepup.oidc.metadata import slash_hint
from kubectl_stepup.sanitise import compared, quoted, safe

LEEWAY_S = 60.0
"""For `iat` and `nbf` alone; `exp` gets none, because the API server gives none."""

LONGEST_LIFE_S = 86_400.0
LATEST = 253_402_300_799
"""The last second of the year 9999; a number beyond it is no time."""

MAX_ACCOUNT_LENGTH = 255
_NAMES = ("email", "preferred_username", "upn", "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What an ID token must say whatever its level.

    `nonce` None means that none was sent, and then none may come back. `account_claim` names the claim that says who
    signed in.
    """

    issuer: str
    client_id: str
    algorithms: tuple[str, ...]
    nonce: str | None = None
    account_claim: str = "sub"
    extra_audiences: tuple[str, ...] = ()
    longest_life_s: float = LONGEST_LIFE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class IDTokenClaims:
    """The claims of an ID token. Times are seconds since the epoch; a claim that is absent or null is None or empty.

    `amr` and `acrs` may be one text in place of a list, as the API server takes them. What is neither proves nothing,
    and is in `unreadable`, by its name and safe to show: it costs the step-up only where the level asks for that claim.

    Texts are the provider's and not yet safe to show. `account` is the value of the enrolled account claim, `username`
    what people know the account by.
    """

    iss: str
    sub: str
    aud: tuple[str, ...]
    exp: float
    iat: float
    account: str
    username: str
    nbf: float | None = None
    auth_time: float | None = None
    azp: str | None = None
    nonce: str | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    acrs: tuple[str, ...] = ()
    jti: str | None = None
    at_hash: str | None = None
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_payload(cls, payload: Mapping[str, object], *, account_claim: str = "sub") -> IDTokenClaims:
        """Read the claims, refusing wrong types: a bool is no number, a string no list.

        Raises:
            TokenRejected: a claim is missing or of the wrong type.

        """
        account = _required_text(payload, account_claim, MAX_ACCOUNT_LENGTH)
        _refuse_unverified_email(payload, account_claim)
        methods = {name: _methods(payload, name) for name in ("amr", "acrs")}
        return cls(
            iss=_required_text(payload, "iss"),
            sub=_required_text(payload, "sub", MAX_ACCOUNT_LENGTH),
            aud=_audiences(payload),
            exp=_required_time(payload, "exp"),
            iat=_required_time(payload, "iat"),
            account=account,
            username=_username(payload, account),
            nbf=_time(payload, "nbf"),
            auth_time=_time(payload, "auth_time"),
            azp=_text(payload, "azp"),
            nonce=_text(payload, "nonce"),
            acr=_text(payload, "acr"),
            amr=methods["amr"] or (),
            acrs=methods["acrs"] or (),
            jti=_text(payload, "jti"),
            at_hash=_text(payload, "at_hash"),
            unreadable={
                name: f"{quoted(payload[name], 60)}, which is no list of texts"
                for name, texts in methods.items()
                if texts is None
            },
        )

    @property
    def signed_in_at(self) -> float:
        """The time of the sign-in as far as the token says: `auth_time`, else `iat`."""
        return self.iat if self.auth_time is None else self.auth_time


def refuse_unexpected(claims: IDTokenClaims, expected: Expectation, *, now: float) -> None:
    """Check issuer, audience, authorised party, times and nonce.

    Raises:
        TokenRejected: one of them is not as expected; the message names it with both values.

    """
    if claims.iss != expected.issuer:
        raise TokenRejected(
            f"the ID token is from issuer {_shown(claims.iss)}, not from {_shown(expected.issuer)}",
            hint=slash_hint(claims.iss, expected.issuer),
        )
    _refuse_audience(claims, expected)
    _refuse_times(claims, expected, now)
    if claims.nonce != expected.nonce:
        raise TokenRejected(
            "the ID token has no nonce although one was sent"
            if claims.nonce is None
            else "the ID token's nonce is not the one of this request"
        )


def _refuse_audience(claims: IDTokenClaims, expected: Expectation) -> None:
    if expected.client_id not in claims.aud:
        shown = " ".join(map(_shown, claims.aud[:10]))
        raise TokenRejected(f"the ID token is for {shown}, not for {_shown(expected.client_id)}")
    for audience in claims.aud:
        if audience != expected.client_id and audience not in expected.extra_audiences:
            raise TokenRejected(f"the ID token is also for {_shown(audience)}, which is not enrolled")
    if claims.azp is None and len(set(claims.aud)) > 1:
        raise TokenRejected("the ID token has several audiences and no azp")
    if claims.azp is not None and claims.azp != expected.client_id:
        raise TokenRejected(f"the ID token was given to {_shown(claims.azp)}, not to {_shown(expected.client_id)}")


def _refuse_times(claims: IDTokenClaims, expected: Expectation, now: float) -> None:
    if claims.exp <= now:
        raise TokenRejected(f"the ID token expired {now - claims.exp:.0f}s ago")
    if claims.iat > now + LEEWAY_S:
        raise TokenRejected(f"the ID token is issued {claims.iat - now:.0f}s in the future (is this clock slow?)")
    if claims.nbf is not None and claims.nbf > now + LEEWAY_S:
        raise TokenRejected(f"the ID token is not valid for another {claims.nbf - now:.0f}s")
    if not 0 < claims.exp - claims.iat <= expected.longest_life_s:
        raise TokenRejected(
            f"the ID token lives {claims.exp - claims.iat:.0f}s, at most {expected.longest_life_s:.0f}s is accepted"
        )


def _shown(text: str) -> str:
    return compared(text)


def _wrong(name: str, kind: str, value: object) -> TokenRejected:
    return TokenRejected(f"{safe(name, 40)} in the ID token is not {kind}: {safe(ascii(value), 60)}")


def _text(payload: Mapping[str, object], name: str) -> str | None:
    value = payload.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _wrong(name, "a string", value)
    return value


def _required_text(payload: Mapping[str, object], name: str, limit: int | None = None) -> str:
    value = _text(payload, name)
    if not value:
        raise TokenRejected(f"the ID token has no {safe(name, 40)}")
    if limit is not None and len(value) > limit:
        raise TokenRejected(f"{safe(name, 40)} in the ID token is longer than {limit} characters")
    return value


def _refuse_unverified_email(payload: Mapping[str, object], account_claim: str) -> None:
    """An address that anybody could have typed names nobody; the API server refuses it as a user name too."""
    if account_claim == "email" and payload.get("email_verified", True) is not True:
        shown = safe(ascii(payload["email_verified"]), 40)
        raise TokenRejected(f"email in the ID token is not verified (email_verified: {shown})")


def _texts(payload: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = payload.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(name, "a list of strings", value)
    return tuple(value)


def _methods(payload: Mapping[str, object], name: str) -> tuple[str, ...] | None:
    """Return the texts of a claim that is a list, or one text; None: it is neither."""
    value = payload.get(name, [])
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return None


def _audiences(payload: Mapping[str, object]) -> tuple[str, ...]:
    value = payload.get("aud")
    audiences = (value,) if isinstance(value, str) else _texts(payload, "aud")
    if not audiences or "" in audiences:
        raise TokenRejected("the ID token has no audience")
    return audiences


def _time(payload: Mapping[str, object], name: str) -> float | None:
    value = payload.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LATEST:
        raise _wrong(name, "a time", value)
    return float(value)


def _required_time(payload: Mapping[str, object], name: str) -> float:
    value = _time(payload, name)
    if value is None:
        raise TokenRejected(f"the ID token has no {name}")
    return value


def _username(payload: Mapping[str, object], account: str) -> str:
    for name in _NAMES:
        value = payload.get(name)
        if isinstance(value, str) and value:
            return value
    return account
