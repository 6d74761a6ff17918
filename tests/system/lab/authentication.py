"""The AuthenticationConfiguration of the lab, which is the one that docs/how-to/set-up-a-cluster.md shows.

Total on purpose: an expression that fails is a 401 for everybody (kubernetes.io, *Authenticating*, structured
authentication configuration).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

OURS = "kubectl-stepup.github.io"
EVERYDAY, ELEVATED = "kubectl", "kubectl-elevated"
WINDOW_S = 1260
"""The server's window for `exp - auth_time`: a sign-in of 15 minutes, a token of 5, and one to spare."""

_GROUPS = (
    "dyn(type(claims.?groups.orValue([])) == list ? claims.?groups.orValue([]) : [claims.?groups.orValue('')])"
    ".filter(g, type(g) == string).filter(g, !string(g).startsWith('stepup:'))"
)
_IS_NUMBER = "(type(claims.?auth_time.orValue('')) == int || type(claims.?auth_time.orValue('')) == double)"
_AGE = "claims.exp - claims.?auth_time.orValue(0)"


def groups_expression(*, level: str, acr: Sequence[str], window_s: int) -> str:
    """Give the CEL expression of the groups: the token's own, the level's, and those derived from both."""
    values = ", ".join(f"'{value}'" for value in acr)
    return (
        f"{_GROUPS} + ("
        f"'{ELEVATED}' in dyn(type(claims.aud) == list ? claims.aud : [claims.aud])"
        f" && claims.?acr.orValue('') in [{values}]"
        f" && {_IS_NUMBER} && {_AGE} <= {window_s} && {_AGE} >= 0"
        f" ? ['stepup:{level}'] + {_GROUPS}.map(g, 'stepup:{level}:' + string(g)) : [])"
    )


def authentication_configuration(
    *,
    issuer: str,
    acr: Sequence[str],
    ca_pem: str | None = None,
    username_claim: str = "sub",
    window_s: int = WINDOW_S,
    api_version: str = "v1",
) -> dict[str, Any]:
    """Give the configuration for one issuer with both clients and the level mfa."""
    mapped_acr = "type(claims.?acr.orValue('')) == string ? claims.?acr.orValue('') : ''"
    mapped_time = f"{_IS_NUMBER} ? string(int(claims.?auth_time.orValue(0))) : ''"
    trusted: dict[str, Any] = {
        "url": issuer,
        "audiences": [EVERYDAY, ELEVATED],
        "audienceMatchPolicy": "MatchAny",
    }
    if ca_pem is not None:
        trusted["certificateAuthority"] = ca_pem
    return {
        "apiVersion": f"apiserver.config.k8s.io/{api_version}",
        "kind": "AuthenticationConfiguration",
        "jwt": [
            {
                "issuer": trusted,
                "claimMappings": {
                    "username": {"claim": username_claim, "prefix": ""},
                    "groups": {"expression": groups_expression(level="mfa", acr=acr, window_s=window_s)},
                    "extra": [
                        {"key": f"{OURS}/issuer", "valueExpression": "claims.iss"},
                        {"key": f"{OURS}/acr", "valueExpression": mapped_acr},
                        {"key": f"{OURS}/auth-time", "valueExpression": mapped_time},
                    ],
                },
            }
        ],
    }
