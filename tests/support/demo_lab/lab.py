"""A provider, a cluster and a person on loopback, with a clock that only tests move."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

from kubectl_stepup.demo.accounts import Account, Credentials, SignIn
from kubectl_stepup.demo.certificates import Authority
from kubectl_stepup.demo.cluster import DemoCluster
from kubectl_stepup.demo.https_client import HTTPAnswer, HTTPSClient
from kubectl_stepup.demo.identity_provider import IdentityProvider
from kubectl_stepup.demo.person import Person
from kubectl_stepup.demo.tokens import Signer, id_token_claims
from kubectl_stepup.secret import Secret

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Clock:
    """Time that stands still; real at the start, because TLS looks at the real one."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, kw_only=True)
class Lab:
    """Everything a test may reach."""

    clock: Clock
    authority: Authority
    provider: IdentityProvider
    cluster: DemoCluster
    account: Account
    credentials: Credentials
    person: Person
    client: HTTPSClient
    other: Account = field(repr=False)

    def device(self, client_id: str = "kubectl-elevated", **more: str) -> HTTPAnswer:
        """Ask for a device code; a parameter given as an empty string is left out."""
        form = {
            "client_id": client_id,
            "scope": "openid email groups",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "acr_values": "mfa",
            **more,
        }
        return self.client.post(f"{self.provider.issuer}/device_authorization", form)

    def poll(self, device_code: str, client_id: str = "kubectl-elevated", verifier: str = VERIFIER) -> HTTPAnswer:
        """Ask for tokens."""
        form = {
            "client_id": client_id,
            "grant_type": DEVICE_GRANT,
            "device_code": device_code,
            "code_verifier": verifier,
        }
        return self.client.post(f"{self.provider.issuer}/token", form)

    def approved(self, **more: str) -> dict[str, Any]:
        """Go the whole way; give the token response."""
        device = document(self.device(**more))
        self.person.approve(device["verification_uri_complete"], device["user_code"])
        answer = self.poll(device["device_code"])
        assert answer.status == 200, answer
        return document(answer)

    def token(self, signer: Signer | None = None, *, lifetime_s: int = 300, **claims: object) -> Secret:
        """Sign an elevated token with these claims, with the provider's key or another."""
        sign_in = SignIn(account=self.account, password_at=self.clock(), otp_at=self.clock())
        proper = id_token_claims(
            sign_in,
            issuer=self.provider.issuer,
            client_id="kubectl-elevated",
            scope="openid groups",
            nonce=None,
            now=self.clock(),
            lifetime_s=lifetime_s,
        )
        changed = {name: value for name, value in {**proper, **claims}.items() if value is not None}
        return (signer or self.provider.signer).sign(changed)


def document(answer: HTTPAnswer) -> dict[str, Any]:
    """Return a JSON object."""
    found = answer.json()
    assert isinstance(found, dict)
    return found


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a JWT, unverified."""
    payload = token.split(".")[1]
    found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert isinstance(found, dict)
    return found
