"""The API server's trust in a provider: issuer, clients, claims, and what proves each level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.oidc.evidence import LONGEST_COUNTED_LIFE_S, WINDOW_LEEWAY_S
from kubectl_stepup.oidc.requirement import AuthTime, Evidence

if TYPE_CHECKING:
    from kubectl_stepup.policy.model import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedLevel:
    """A level, what a token must show for it, and the longest time in seconds from the sign-in to its expiry."""

    name: str
    evidence: Evidence
    window_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimNames:
    """Which claims become the user's name and groups, and the prefix of each."""

    username: str = "sub"
    username_prefix: str = ""
    groups: str = "groups"
    groups_prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """One provider as the API server sees it; `levels` are those that it can prove, weakest first.

    `everyday` and `elevated` are the client ids, equal where one client serves both. `ca_pem` is the CA of the
    issuer's own certificate, None for the system's. `reserved` are groups that no token may bring.
    """

    issuer: str
    everyday: str
    elevated: str
    levels: tuple[TrustedLevel, ...]
    auth_time: AuthTime
    claims: ClaimNames = ClaimNames()
    ca_pem: str | None = None
    reserved: tuple[str, ...] = ()

    def level(self, name: str) -> TrustedLevel | None:
        """Return a level; None where the provider cannot prove it."""
        return next((level for level in self.levels if level.name == name), None)


def window_of(level: Level, token_life_s: int) -> int:
    """Return the bound of `exp - auth_time` in seconds, which the client tests too (`oidc.evidence`).

    It is the level's `serverWindow`, else the sign-in's age, the token's lifetime (at most 15 minutes of it) and one
    minute: a token with a lifetime of an hour stays elevated for it only if the policy says so.
    """
    if level.server_window_s is not None:
        return level.server_window_s
    return int(level.signed_in_within_s + min(token_life_s, LONGEST_COUNTED_LIFE_S) + WINDOW_LEEWAY_S)
