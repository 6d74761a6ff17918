"""A plain OAuth client for the tests' own requests to a provider: what it gets owes nothing to the product's code."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import requests

from tests.system.parts.person import Person
from tests.system.parts.provider import RunningProvider

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
VERIFIER = "v" * 43
CHALLENGE = "7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM"
"""The S256 challenge of VERIFIER (RFC 7636 section 4.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthClient:
    """A public client of a provider."""

    provider: RunningProvider
    client_id: str

    def post(self, endpoint: str, **form: str) -> requests.Response:
        """Post a form to the endpoint that the discovery document names."""
        with self._session() as session:
            return session.post(self.metadata()[endpoint], data={"client_id": self.client_id, **form}, timeout=20)

    def metadata(self) -> dict[str, Any]:
        """Return the discovery document."""
        with self._session() as session:
            found: dict[str, Any] = session.get(
                f"{self.provider.issuer}/.well-known/openid-configuration", timeout=20
            ).json()
            return found

    def device(self, person: Person, *, deny: bool = False, **more: str) -> requests.Response:
        """Go through the device flow with a person; return the token endpoint's answer."""
        asked = self.post(
            "device_authorization_endpoint",
            scope=self.provider.scope,
            code_challenge=CHALLENGE,
            code_challenge_method="S256",
            **more,
        ).json()
        (person.deny if deny else person.approve)(asked["verification_uri"], asked["user_code"])
        return self.post(
            "token_endpoint", grant_type=DEVICE_GRANT, device_code=asked["device_code"], code_verifier=VERIFIER
        )

    def id_token(self, person: Person, **more: str) -> str:
        """Return the ID token that the device flow gives."""
        answer = self.device(person, deny=False, **more)
        assert answer.ok, answer.text
        return str(answer.json()["id_token"])

    def userinfo(self, access_token: str) -> int:
        """Return the status of the userinfo endpoint's answer to an access token."""
        with self._session() as session:
            bearer = {"Authorization": f"Bearer {access_token}"}
            return session.get(self.metadata()["userinfo_endpoint"], headers=bearer, timeout=20).status_code

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env, session.verify = False, str(self.provider.ca_file)
        return session


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a JWT, unverified."""
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found
