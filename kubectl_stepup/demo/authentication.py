"""Verify bearer tokens as a kube-apiserver with an AuthenticationConfiguration does.

Spec: OpenID Connect Core 1.0 section 3.1.3.7; apiserver.config.k8s.io/v1 AuthenticationConfiguration.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from kubectl_stepup.demo.https_client import HTTPSClient
from kubectl_stepup.names import OWN_GROUP

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512")
LEVEL_PREFIX = "stepup:"


class TokenRefused(Exception):
    """The token is not accepted; the reason is for the server's log, never for the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """The user of a request, as authorization and admission see it."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_person(self) -> bool:
        """Whether an authenticator of people accepted the login."""
        return f"{OWN_GROUP}/issuer" in self.extra

    def info(self) -> dict[str, object]:
        """Return the user as authentication.k8s.io/v1 UserInfo."""
        info: dict[str, object] = {"username": self.name, "groups": list(self.groups)}
        if self.uid:
            info["uid"] = self.uid
        if self.extra:
            info["extra"] = {name: list(values) for name, values in self.extra.items()}
        return info


ANONYMOUS = User(name="system:anonymous", groups=("system:unauthenticated",))


@dataclass(frozen=True, slots=True, kw_only=True)
class JWTAuthenticator:
    """One `jwt` entry of an AuthenticationConfiguration, for any issuer.

    `level_acr` maps a level to the acr values that prove it; `window_s` is the longest `exp - auth_time` with which a
    token carries a level. Levels are given to tokens for `elevated_audience` alone.
    """

    issuer: str
    ca_pem: str
    audiences: tuple[str, ...]
    elevated_audience: str
    level_acr: Mapping[str, tuple[str, ...]]
    window_s: int = 900
    username_claim: str = "sub"
    username_prefix: str = "oidc:"
    groups_claim: str = "groups"

    def level_groups(self, claims: Mapping[str, object]) -> tuple[str, ...]:
        """Return the groups of `claims`: the provider's, without forged levels, then those of the proven levels.

        It is total, as the expression on a real server must be: a claim of an unexpected type never rejects a login,
        it only proves no level. A member of `dev` gets `stepup:mfa` and `stepup:mfa:dev`.
        """
        plain = tuple(g for g in _strings(claims.get(self.groups_claim)) if not g.startswith(LEVEL_PREFIX))
        levels: list[str] = []
        for level, values in self.level_acr.items():
            if self._proves(claims, values):
                levels += [f"{LEVEL_PREFIX}{level}", *(f"{LEVEL_PREFIX}{level}:{group}" for group in plain)]
        return (*plain, *levels)

    def _proves(self, claims: Mapping[str, object], values: tuple[str, ...]) -> bool:
        expiry, auth_time = _number(claims.get("exp")), _number(claims.get("auth_time"))
        return (
            self.elevated_audience in _strings(claims.get("aud"))
            and claims.get("acr") in values
            and expiry is not None
            and auth_time is not None
            and 0 <= expiry - auth_time <= self.window_s
        )

    def user(self, claims: Mapping[str, object]) -> User:
        """Return the user behind verified claims. Raises `TokenRefused` without a user name."""
        name = claims.get(self.username_claim)
        if not isinstance(name, str) or not name:
            raise TokenRefused(f"claim {self.username_claim} is not a user name")
        if self.username_claim == "email" and claims.get("email_verified", True) is not True:
            raise TokenRefused("email not verified")
        extra = {f"{OWN_GROUP}/issuer": (self.issuer,)}
        acr, auth_time, token_id = claims.get("acr"), _number(claims.get("auth_time")), claims.get("jti")
        if isinstance(acr, str) and acr:
            extra[f"{OWN_GROUP}/acr"] = (acr,)
        if auth_time is not None:
            extra[f"{OWN_GROUP}/auth-time"] = (str(int(auth_time)),)
        if isinstance(token_id, str) and token_id:
            extra["authentication.kubernetes.io/credential-id"] = (f"JTI={token_id}",)
        groups = (*self.level_groups(claims), "system:authenticated")
        return User(name=self.username_prefix + name, groups=groups, extra=MappingProxyType(extra))


class TokenVerifier:
    """Verify tokens of one issuer with the keys that it publishes; they are fetched once, and for an unknown key."""

    def __init__(self, authenticator: JWTAuthenticator) -> None:
        self.authenticator = authenticator
        self._client = HTTPSClient(authenticator.ca_pem)
        self._keys: KeySet | None = None
        self._lock = threading.Lock()

    def verify(self, token: str, now: float) -> User:
        """Return the user behind a token. Raises `TokenRefused`."""
        try:
            claims = self._claims(token)
        except (JoseError, OSError, ValueError, KeyError, TypeError) as exc:
            raise TokenRefused(f"{type(exc).__name__}: {exc}") from exc
        self._check(claims, now)
        return self.authenticator.user(claims)

    def _claims(self, token: str) -> Mapping[str, object]:
        with self._lock:
            keys = self._keys or self._fetch()
            try:
                return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
            except InvalidKeyIdError:
                return dict(jwt.decode(token, self._fetch(), algorithms=ALGORITHMS).claims)

    def _fetch(self) -> KeySet:
        issuer = self.authenticator.issuer
        discovery = self._client.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration").json()
        if not isinstance(discovery, dict) or discovery.get("issuer") != issuer:
            raise ValueError(f"discovery is not of {issuer}")
        jwks = self._client.get(str(discovery["jwks_uri"])).json()
        if not isinstance(jwks, dict):
            raise ValueError("the key set is not an object")
        self._keys = KeySet.import_key_set({"keys": jwks["keys"]})
        return self._keys

    def _check(self, claims: Mapping[str, object], now: float) -> None:
        expiry, not_before = _number(claims.get("exp")), _number(claims.get("nbf", 0))
        if claims.get("iss") != self.authenticator.issuer:
            raise TokenRefused("wrong issuer")
        if not set(_strings(claims.get("aud"))) & set(self.authenticator.audiences):
            raise TokenRefused("wrong audience")
        if expiry is None or now >= expiry:
            raise TokenRefused("token is expired")
        if not_before is None or now < not_before:
            raise TokenRefused("token is not valid yet")


def unverified_issuer(token: str) -> str:
    """Return the `iss` that a token claims, to choose who verifies it; empty if it cannot be read."""
    parts = token.split(".")
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        return ""
    issuer = payload.get("iss") if isinstance(payload, dict) else None
    return issuer if isinstance(issuer, str) else ""


def _strings(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(item for item in value if isinstance(item, str) and item) if isinstance(value, list) else ()


def _number(value: object) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
