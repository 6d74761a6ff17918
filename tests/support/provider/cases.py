"""A good ID token to start from, and the call that evaluates it; each case changes one thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubectl_stepup.oidc.claims import Expectation, IDTokenClaims
from kubectl_stepup.oidc.evidence import rejection, shortfalls
from kubectl_stepup.oidc.id_token import verify
from kubectl_stepup.oidc.requirement import AuthTime, Evidence, StepUpRequirement
from kubectl_stepup.secret import Secret
from tests.support.provider.keys import public_jwk, rsa_key
from tests.support.provider.model import ABSENT
from tests.support.provider.tokens import signed

NOW = 1_800_000_000.0
FLOW_START = NOW - 20
ISSUER = "https://login.example.com"
CLIENT = "kubectl-elevated"
EXPECTED = Expectation(issuer=ISSUER, client_id=CLIENT, algorithms=("RS256",))
REQUIREMENT = StepUpRequirement(
    level="mfa",
    evidence=Evidence(acr=("mfa",)),
    signed_in_within_s=60,
    server_window_s=None,
    auth_time=AuthTime.REQUIRED,
    account_claim="sub",
    account="alice",
)


def payload(**changes: object) -> dict[str, object]:
    """Return a good payload with `changes`; ABSENT removes a claim."""
    claims: dict[str, object] = {
        "iss": ISSUER,
        "sub": "alice",
        "aud": CLIENT,
        "exp": int(NOW) + 300,
        "iat": int(NOW) - 2,
        "auth_time": int(NOW) - 4,
        "acr": "mfa",
        "amr": ["pwd", "otp", "mfa"],
    }
    return {name: value for name, value in {**claims, **changes}.items() if value is not ABSENT}


def good(header: Mapping[str, Any] | None = None, **changes: object) -> str:
    """Return a good token, signed RS256 with key `main`, with changes of the payload and the header."""
    return signed(payload(**changes), rsa_key(), **{"kid": "main", **(header or {})})


class Published:
    """A JWKS endpoint that counts: `jwks(force)` as `verify` wants it."""

    def __init__(self, *keys: object, after_refetch: Sequence[object] | None = None) -> None:
        self.keys = list(keys) if keys else [public_jwk(rsa_key(), kid="main", use="sig", alg="RS256")]
        self.after_refetch = after_refetch
        self.calls: list[bool] = []

    def __call__(self, force: bool) -> object:
        self.calls.append(force)
        if force and self.after_refetch is not None:
            return {"keys": list(self.after_refetch)}
        return {"keys": self.keys}


def checked(
    token: str,
    *,
    expected: Expectation = EXPECTED,
    jwks: Published | None = None,
    requirement: StepUpRequirement = REQUIREMENT,
    access_token: str | None = None,
    scope: Sequence[str] = ("openid",),
) -> IDTokenClaims:
    """Return the claims of a token that a step-up accepts, or raise."""
    claims = verify(
        Secret(token),
        expected,
        jwks=jwks or Published(),
        now=NOW,
        access_token=None if access_token is None else Secret(access_token),
    )
    missing = shortfalls(requirement, claims, granted_scope=scope, flow_start=FLOW_START, now=NOW)
    if missing:
        raise rejection(missing, requirement, claims)
    return claims


def accept(token: str, **options: Any) -> None:
    """Check `token`, which must pass."""
    assert checked(token, **options).account == REQUIREMENT.account
