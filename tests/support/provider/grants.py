"""What the provider decides: device codes, polls, and the tokens they end in. Knows nothing of sockets."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.provider.keys import PrivateKey, decoy_jwks, ec_key, ed25519_key, public_jwk, rsa_key
from tests.support.provider.model import ABSENT, Answer, Want
from tests.support.provider.tokens import at_hash, signed

if TYPE_CHECKING:
    from kubectl_stepup.clock import Clock

DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
Reply = tuple[int, dict[str, object]]


@dataclass(kw_only=True)
class Device:
    """One device authorization and what became of it."""

    device_code: str
    user_code: str
    form: dict[str, str]
    ready_at: float
    interval: float
    polls: int = 0
    approved: bool = False
    denied: bool = False
    used: bool = False


class Grants:
    """The endpoints' logic. `failures` collects everything that a correct client would not do."""

    def __init__(self, issuer: str, want: Want, answer: Answer, clock: Clock) -> None:
        self.issuer, self.want, self.answer, self.clock = issuer, want, answer, clock
        self.devices: list[Device] = []
        self.failures: list[str] = []
        self.revoked: list[str] = []
        self.issued: list[str] = []
        self.jwks_requests = 0

    def discovery(self) -> dict[str, object]:
        return _put_over(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "device_authorization_endpoint": f"{self.issuer}/device_authorization",
                "revocation_endpoint": f"{self.issuer}/revoke",
                "jwks_uri": f"{self.issuer}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [self.answer.alg],
            },
            self.answer.metadata,
        )

    def jwks(self) -> dict[str, object]:
        self.jwks_requests += 1
        names = self.answer.published
        if self.jwks_requests > 1 and self.answer.published_after_refetch is not None:
            names = self.answer.published_after_refetch
        decoys = decoy_jwks() if self.answer.decoys else []
        return {"keys": [*decoys, *(public_jwk(self._key(name), kid=name, use="sig") for name in names)]}

    def device_authorization(self, form: dict[str, str]) -> Reply:
        wrong = self._wrong_request(form)
        if wrong:
            self.failures.extend(wrong)
            return 400, {"error": "invalid_request", "error_description": "; ".join(wrong)}
        interval = self.answer.interval
        device = Device(
            device_code=secrets.token_urlsafe(32),
            user_code="".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(8)),
            form=form,
            ready_at=self.clock.monotonic(),
            interval=float(interval) if isinstance(interval, int | float) else 5.0,
        )
        device.user_code = f"{device.user_code[:4]}-{device.user_code[4:]}"
        device.ready_at += device.interval
        self.devices.append(device)
        document = {
            "device_code": device.device_code,
            "user_code": device.user_code,
            "verification_uri": f"{self.issuer}/device",
            "verification_uri_complete": f"{self.issuer}/device?user_code={device.user_code}",
            "expires_in": self.answer.expires_in,
            "interval": self.answer.interval,
        }
        return 200, _put_over(document, self.answer.device)

    def token(self, form: dict[str, str]) -> Reply:
        device = next((item for item in self.devices if item.device_code == form.get("device_code")), None)
        if form.get("grant_type") != DEVICE_CODE_GRANT:
            self.failures.append(f"grant_type {form.get('grant_type')!r}")
            return 400, {"error": "unsupported_grant_type"}
        if device is None or device.used:
            self.failures.append("a device code that is unknown or used")
            return 400, {"error": "invalid_grant"}
        if not self._verifies(device, form):
            return 400, {"error": "invalid_grant", "error_description": "client or PKCE verifier differ"}
        return self._poll(device)

    def revocation(self, form: dict[str, str]) -> Reply:
        self.revoked.append(form.get("token_type_hint", ""))
        return 200, {}

    def _poll(self, device: Device) -> Reply:
        device.polls += 1
        now = self.clock.monotonic()
        if self.answer.enforces_interval and now < device.ready_at - 0.05:
            self.failures.append(f"a poll {device.ready_at - now:.1f}s too early")
            return 400, {"error": "slow_down"}
        if device.polls <= self.answer.slow_downs:
            device.interval += 5
            device.ready_at = now + device.interval
            return 400, {"error": "slow_down"}
        device.ready_at = now + device.interval
        if self.answer.expired:
            return 400, {"error": "expired_token"}
        if self.answer.denied or device.denied:
            return 400, {"error": "access_denied", "error_description": "The user cancelled"}
        pending = self.answer.approve_after_polls
        waited = device.polls - self.answer.slow_downs
        if not device.approved and (pending is None or waited <= pending):
            return 400, {"error": "authorization_pending"}
        device.used = True
        return 200, self.tokens(device)

    def tokens(self, device: Device) -> dict[str, object]:
        access = secrets.token_urlsafe(24)
        document = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(self.answer.lifetime_s),
            "scope": device.form.get("scope", ""),
            "id_token": self.id_token(device, access),
        }
        self.issued += [access, str(document["id_token"])]
        return _put_over(document, self.answer.tokens)

    def id_token(self, device: Device, access_token: str) -> str:
        answer, now = self.answer, self.clock.now()
        nonce = device.form.get("nonce") if answer.honours_nonce else None
        claims: dict[str, object] = {
            "iss": self.issuer,
            "sub": answer.account,
            "aud": device.form["client_id"],
            "iat": int(now),
            "exp": int(now + answer.lifetime_s),
            "auth_time": int(now - answer.signed_in_ago_s),
            "acr": answer.acr,
            "amr": answer.amr,
            "email": f"{answer.account}@example.com",
            "at_hash": at_hash(access_token, answer.alg if answer.alg != "EdDSA" else "RS512"),
            "nonce": ABSENT if nonce is None else nonce,
        }
        header = {"kid": answer.signed_by, **answer.header}
        return signed(_put_over(claims, answer.claims), self._key(answer.signed_by), alg=answer.alg, **header)

    def _key(self, name: str) -> PrivateKey:
        if self.answer.alg.startswith("ES"):
            return ec_key({"256": "P-256", "384": "P-384", "512": "P-521"}[self.answer.alg[2:]], name)
        return ed25519_key(name) if self.answer.alg == "EdDSA" else rsa_key(name)

    def _wrong_request(self, form: dict[str, str]) -> list[str]:
        want, wrong = self.want, []
        if form.get("client_id") != want.client_id:
            wrong.append(f"client_id {form.get('client_id')!r}, wanted {want.client_id!r}")
        scope = form.get("scope", "").split()
        wrong += [f"scope {scope} without {item}" for item in want.scope if item not in scope]
        if "offline_access" in scope:
            wrong.append("offline_access asked for")
        if form.get("max_age") == "0":
            wrong.append("max_age=0 on the wire")
        if want.pkce != (form.get("code_challenge_method") == "S256" and "code_challenge" in form):
            wrong.append(f"PKCE {'missing' if want.pkce else 'sent'}")
        for name, value in want.parameters.items():
            got: object = form.get(name, ABSENT)
            if got != value:
                wrong.append(f"{name} {got!r}, wanted {value!r}")
        return wrong

    def _verifies(self, device: Device, form: dict[str, str]) -> bool:
        if form.get("client_id") != device.form.get("client_id"):
            self.failures.append("another client_id at the token endpoint")
            return False
        challenge = device.form.get("code_challenge")
        if challenge is None:
            return True
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge:
            self.failures.append("a PKCE verifier that does not fit its challenge")
            return False
        return True


def _put_over(document: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in {**document, **changes}.items() if value is not ABSENT}
