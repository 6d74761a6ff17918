"""What a step-up must prove: evidence of strength, freshness, and whose sign-in it is.

Spec: OpenID Connect Core 1.0 section 2 (acr, amr, auth_time); RFC 8176 (amr values); RFC 9470 section 4.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass


class AuthTime(enum.StrEnum):
    """How far a provider's `auth_time` claim can be believed."""

    REQUIRED = "required"
    """The provider sends the time of the sign-in: it must be there and recent."""

    ABSENT = "absent"
    """The provider never sends it; the life of the token (`exp - iat`) takes its place."""

    UNTRUSTED = "untrusted"
    """The provider sends something else under that name (the time of issue, say); as with ABSENT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a token must show to prove a level; every member that is not empty must be met.

    `acr`, `acrs` and `aud`: any one of the values, compared exactly. `amr` and `scope`: all of the values.

    Raises:
        ValueError: every member is empty. Any sign-in would meet that.
    """

    acr: tuple[str, ...] = ()
    amr: tuple[str, ...] = ()
    acrs: tuple[str, ...] = ()
    aud: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.acr or self.amr or self.acrs or self.aud or self.scope):
            raise ValueError("asks for nothing, so any sign-in would prove the level")

    @property
    def fingerprint(self) -> str:
        """Return 16 hex digits that stand for the requirement: a session that proved something else is not reused."""
        members = repr((self.acr, self.amr, self.acrs, self.aud, self.scope))
        return hashlib.sha256(members.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUpRequirement:
    """Everything one step-up must prove.

    `signed_in_within_s` counts back from the start of the flow. `server_window_s` bounds `exp - auth_time` as the
    API server does, and `window_by` is the cluster that published it; None means the default window of
    `check.server_window`. With `fresh` the sign-in must have happened for this very flow. `account` is the value that
    claim `account_claim` must have.
    """

    level: str
    evidence: Evidence
    signed_in_within_s: int
    server_window_s: int | None
    auth_time: AuthTime
    account_claim: str
    account: str
    fresh: bool = False
    window_by: str | None = None
