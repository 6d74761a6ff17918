"""Sign ID tokens (RS256) and publish the key. Spec: OpenID Connect Core 1.0 section 2, RFC 7517."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from joserfc import jwk, jwt

from kubectl_stepup.demo.accounts import SignIn
from kubectl_stepup.secret import Secret

ALGORITHM = "RS256"


class Signer:
    """One RSA key, made for this run."""

    def __init__(self) -> None:
        self._key = jwk.generate_key("RSA", 2048, parameters={"use": "sig", "alg": ALGORITHM}, auto_kid=True)

    def jwks(self) -> dict[str, object]:
        """Return the public key set."""
        return {"keys": [self._key.as_dict(private=False)]}

    def sign(self, claims: Mapping[str, object]) -> Secret:
        """Return a signed JWT."""
        header = {"alg": ALGORITHM, "kid": str(self._key.kid)}
        return Secret(jwt.encode(header, dict(claims), self._key, algorithms=[ALGORITHM]))


def id_token_claims(
    sign_in: SignIn, *, issuer: str, client_id: str, scope: str, nonce: str | None, now: float, lifetime_s: int
) -> dict[str, object]:
    """Return the claims of an ID token for `client_id`; `email` and `groups` only where the scope asks for them."""
    claims: dict[str, object] = {
        "iss": issuer,
        "sub": sign_in.account.name,
        "aud": client_id,
        "azp": client_id,
        "iat": int(now),
        "exp": int(now) + lifetime_s,
        "auth_time": sign_in.auth_time,
        "acr": sign_in.acr,
        "amr": list(sign_in.amr),
        "jti": secrets.token_urlsafe(12),
    }
    scopes = scope.split()
    if "email" in scopes:
        claims |= {"email": sign_in.account.email, "email_verified": True}
    if "groups" in scopes:
        claims["groups"] = list(sign_in.account.groups)
    if nonce is not None:
        claims["nonce"] = nonce
    return claims
