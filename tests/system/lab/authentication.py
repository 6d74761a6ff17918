"""The AuthenticationConfiguration of the lab: what `policy compile` makes for its provider and the level mfa."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubectl_stepup.enforce.issuer_trust import ClaimNames, Trust, TrustedLevel
from kubectl_stepup.enforce.targets import authentication
from kubectl_stepup.names import OWN_GROUP as OURS
from kubectl_stepup.oidc.requirement import AuthTime, Evidence

__all__ = ["ELEVATED", "EVERYDAY", "OURS", "WINDOW_S", "authentication_configuration"]

EVERYDAY, ELEVATED = "kubectl", "kubectl-elevated"
WINDOW_S = 1260
"""The server's window for `exp - auth_time`: a sign-in of 15 minutes, a token of 5, and one to spare."""


def authentication_configuration(
    *, issuer: str, acr: Sequence[str], ca_pem: str, username_claim: str, api_version: str
) -> dict[str, Any]:
    """Return the configuration for one issuer with both clients."""
    trust = Trust(
        issuer=issuer,
        everyday=EVERYDAY,
        elevated=ELEVATED,
        levels=(TrustedLevel(name="mfa", evidence=Evidence(acr=tuple(acr)), window_s=WINDOW_S),),
        auth_time=AuthTime.REQUIRED,
        claims=ClaimNames(username=username_claim),
        ca_pem=ca_pem,
    )
    return authentication.configuration(trust, version=api_version)
