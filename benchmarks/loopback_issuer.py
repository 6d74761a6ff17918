"""An issuer on loopback that approves every device at once: enough for kubelogin to log in once and fill its cache."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from joserfc import jwt
from joserfc.jwk import RSAKey

from kubectl_stepup.demo.certificates import new_authority
from kubectl_stepup.demo.https_server import HTTPRequest, HTTPResponse, HTTPSServer, json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENT = "kubernetes"
TOKEN_CHARACTERS = 1700
"""The size of a usual ID token."""

LIFE_S = 6 * 3600


class LoopbackIssuer:
    """Serve until `close()`. `token` is the one ID token that it issues; `requests` counts its requests."""

    def __init__(self, *, now: float) -> None:
        authority = new_authority(now)
        self.ca_pem = authority.pem
        self.requests = 0
        self._key = RSAKey.generate_key(2048, {"use": "sig", "kid": "bench"})
        self._server = HTTPSServer(authority.server_context(now), self._answer)
        self.url = self._server.url
        self.token = self._signed(now)

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    def _signed(self, now: float) -> str:
        claims: dict[str, object] = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "alice",
            "iat": int(now),
            "exp": int(now) + LIFE_S,
            "auth_time": int(now),
            "acr": "mfa",
        }
        header = {"alg": "RS256", "kid": "bench"}
        # The groups that a real token has, in one text of the length that is wanting; base64 takes 4 for 3.
        wanting = (TOKEN_CHARACTERS - len(jwt.encode(header, claims, self._key))) * 3 // 4 - len(',"groups":""')
        return jwt.encode(header, {**claims, "groups": secrets.token_hex(wanting // 2)}, self._key)

    def _answer(self, request: HTTPRequest) -> HTTPResponse:
        self.requests += 1
        answers: Mapping[str, object] = {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "device_authorization_endpoint": f"{self.url}/device",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            },
            "/jwks": {"keys": [self._key.as_dict(private=False)]},
            "/device": {
                "device_code": "device",
                "user_code": "CODE",
                "verification_uri": f"{self.url}/verify",
                "expires_in": 60,
                "interval": 1,
            },
            "/token": {"access_token": "access", "token_type": "Bearer", "id_token": self.token, "expires_in": LIFE_S},
        }
        found = answers.get(request.path)
        return (
            json_response({"error": "not_found"}, 404)
            if found is None
            else json_response(json.loads(json.dumps(found)))
        )
