"""An embedded OpenID Provider with the device flow, passwords and one-time codes.

Spec: OpenID Connect Core 1.0 and Discovery 1.0, RFC 8414, RFC 8628, RFC 7009.
"""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Callable, Iterable
from types import TracebackType

from kubectl_stepup.demo.accounts import MFA, PWD, Account, Accounts, SignIn
from kubectl_stepup.demo.device_requests import DeviceRequests, StoredDeviceRequest
from kubectl_stepup.demo.grants import NO_STORE, SCOPES, Client, DemoAuthorizationServer
from kubectl_stepup.demo.https_server import HTTPRequest, HTTPResponse, HTTPSServer, json_response
from kubectl_stepup.demo.tokens import ALGORITHM, Signer, id_token_claims
from kubectl_stepup.demo.verification_pages import VerificationPages
from kubectl_stepup.secret import Secret

EVERYDAY_CLIENT = "kubectl"
ELEVATED_CLIENT = "kubectl-elevated"
ID_TOKEN_LIFE_S = 300
EVERYDAY_LIFE_S = 8 * 3600


class IdentityProvider:
    """Serve on a free loopback port until `close()`; also a context manager.

    `clock` gives seconds since the epoch (UTC). `interval_s` is the polling interval that clients are told.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        accounts: Iterable[Account],
        *,
        clock: Callable[[], float],
        interval_s: int = 1,
        signer: Signer | None = None,
    ) -> None:
        self._clock = clock
        self.signer = signer or Signer()
        self.accounts = Accounts(accounts)
        self.requests = DeviceRequests(clock)
        self._pages = VerificationPages(self.accounts, self.requests, clock)
        self._server = DemoAuthorizationServer(
            clients={
                EVERYDAY_CLIENT: Client(client_id=EVERYDAY_CLIENT),
                ELEVATED_CLIENT: Client(client_id=ELEVATED_CLIENT, always=MFA),
            },
            requests=self.requests,
            clock=clock,
            base_url=lambda: self.issuer,
            interval_s=interval_s,
            issue=self._issue,
        )
        self._https = HTTPSServer(context, self._answer)
        self.issuer = self._https.url

    @property
    def faults(self) -> tuple[Exception, ...]:
        """Return the errors of our own that requests ran into."""
        return self._https.faults

    def close(self) -> None:
        """Stop serving."""
        self._https.close()

    def __enter__(self) -> IdentityProvider:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def issue_everyday_token(self, name: str, *, lifetime_s: int = EVERYDAY_LIFE_S) -> Secret:
        """Return an ID token of a password-only sign-in by `name` for the everyday client. Raises `KeyError`."""
        account = self.accounts.find(name)
        if account is None:
            raise KeyError(name)
        now = self._clock()
        return self.signer.sign(
            id_token_claims(
                SignIn(account=account, password_at=now),
                issuer=self.issuer,
                client_id=EVERYDAY_CLIENT,
                scope=" ".join(SCOPES),
                nonce=None,
                now=now,
                lifetime_s=lifetime_s,
            )
        )

    def access_token_is_active(self, token: Secret) -> bool:
        """Whether an access token is known, unexpired and not revoked."""
        return self._server.active_access_token(token.reveal()) is not None

    def discovery(self) -> dict[str, object]:
        """Return the provider's metadata."""
        return {
            "issuer": self.issuer,
            "device_authorization_endpoint": f"{self.issuer}/device_authorization",
            "token_endpoint": f"{self.issuer}/token",
            "revocation_endpoint": f"{self.issuer}/revoke",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "scopes_supported": list(SCOPES),
            "response_types_supported": [],
            "grant_types_supported": ["urn:ietf:params:oauth:grant-type:device_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "acr_values_supported": [PWD, MFA],
            "claims_supported": ["acr", "amr", "auth_time", "aud", "email", "exp", "groups", "iat", "iss", "sub"],
            "claims_parameter_supported": False,
        }

    def _answer(self, request: HTTPRequest) -> HTTPResponse:
        page = self._pages.answer(request)
        if page is not None:
            return page
        documents = {"/.well-known/openid-configuration": self.discovery, "/jwks": self.signer.jwks}
        if request.method == "GET" and request.path in documents:
            return json_response(documents[request.path]())
        if request.method == "GET" and request.path == "/userinfo":
            return self._userinfo(request)
        endpoints = {
            "/device_authorization": self._server.device_authorization,
            "/token": self._server.token,
            "/revoke": self._server.revocation,
        }
        endpoint = endpoints.get(request.path)
        if endpoint is None:
            return json_response({"error": "not_found"}, 404)
        return endpoint(request) if request.method == "POST" else json_response({"error": "invalid_request"}, 405)

    def _userinfo(self, request: HTTPRequest) -> HTTPResponse:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        found = self._server.active_access_token(token) if scheme == "Bearer" else None
        account = self.accounts.find(found.account) if found else None
        if account is None:
            challenge = ("WWW-Authenticate", 'Bearer error="invalid_token"')
            return json_response({"error": "invalid_token"}, 401, (challenge, *NO_STORE))
        claims = {"sub": account.name, "email": account.email, "groups": list(account.groups)}
        return json_response(claims, headers=NO_STORE)

    def _issue(self, client: Client, sign_in: SignIn, request: StoredDeviceRequest) -> dict[str, object]:
        claims = id_token_claims(
            sign_in,
            issuer=self.issuer,
            client_id=client.client_id,
            scope=request.scope,
            nonce=request.nonce,
            now=self._clock(),
            lifetime_s=ID_TOKEN_LIFE_S,
        )
        return {
            "token_type": "Bearer",
            "access_token": secrets.token_urlsafe(32),
            "expires_in": ID_TOKEN_LIFE_S,
            "scope": request.scope,
            "id_token": self.signer.sign(claims).reveal(),
        }
