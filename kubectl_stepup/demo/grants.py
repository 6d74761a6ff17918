"""Authlib's authorization server over our own HTTP server: device authorization, token, revocation.

Spec: RFC 6749, RFC 7009, RFC 7636, RFC 8628.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749.errors import AccessDeniedError, InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636.challenge import CODE_CHALLENGE_PATTERN, CodeChallenge
from authlib.oauth2.rfc8628 import DEVICE_CODE_GRANT_TYPE, DeviceAuthorizationEndpoint, DeviceCodeGrant

from kubectl_stepup.demo.accounts import MFA, PWD, SignIn
from kubectl_stepup.demo.device_requests import DeviceRequests, StoredDeviceRequest, single
from kubectl_stepup.demo.https_server import HTTPRequest, HTTPResponse, json_response
from kubectl_stepup.secret import Secret

SCOPES = ("openid", "email", "groups")
DEVICE_LIFE_S = 900
NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
_SHOWN_LIMIT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A public client; `always` is the acr that it demands whatever a request says."""

    client_id: str
    always: str = PWD

    def get_client_id(self) -> str:
        """Return the client id."""
        return self.client_id

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether the client authenticates in this way: it has no secret."""
        return method == "none"

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether the client may use a grant; no refresh tokens are given."""
        return bool(grant_type == DEVICE_CODE_GRANT_TYPE)


@dataclass(slots=True, kw_only=True)
class AccessToken:
    """What is remembered of an access token: its digest stands in the table, not the token."""

    client_id: str
    account: str
    expires_at: float
    revoked: bool = False

    def check_client(self, client: Client) -> bool:
        """Whether it was given to `client`."""
        return self.client_id == client.client_id


class DemoAuthorizationServer(AuthorizationServer):  # type: ignore[misc]
    """Authlib's core with clients, requests and access tokens in memory."""

    def __init__(
        self,
        *,
        clients: Mapping[str, Client],
        requests: DeviceRequests,
        clock: Callable[[], float],
        base_url: Callable[[], str],
        interval_s: int,
        issue: Callable[[Client, SignIn, StoredDeviceRequest], dict[str, object]],
    ) -> None:
        super().__init__(scopes_supported=list(SCOPES))
        self.clients = clients
        self.requests = requests
        self.clock = clock
        self.base_url = base_url
        self.interval_s = interval_s
        self.access_tokens: dict[str, AccessToken] = {}
        self._token_lock = threading.Lock()
        # Authlib writes every issued token to this logger.
        logging.getLogger("authlib.oauth2.rfc8628.device_code").setLevel(logging.WARNING)
        self.register_grant(_DeviceGrant)
        self.register_endpoint(_DeviceAuthorization)
        self.register_endpoint(_Revocation)
        self.register_token_generator("default", lambda client, user, **_: issue(client, user.approved, user))

    def device_authorization(self, request: HTTPRequest) -> HTTPResponse:
        """Answer the device authorization endpoint."""
        return self._guarded(request, lambda form: self.create_endpoint_response("device_authorization", form))

    def token(self, request: HTTPRequest) -> HTTPResponse:
        """Answer the token endpoint; one at a time, so that a code is spent once."""
        with self._token_lock:
            return self._guarded(request, self.create_token_response)

    def revocation(self, request: HTTPRequest) -> HTTPResponse:
        """Answer the revocation endpoint."""
        return self._guarded(request, lambda form: self.create_endpoint_response("revocation", form))

    def active_access_token(self, token: str) -> AccessToken | None:
        """Return the live access token behind a string."""
        found = self.access_tokens.get(token_digest(token))
        return found if found and not found.revoked and self.clock() < found.expires_at else None

    def _guarded(self, request: HTTPRequest, answer: Callable[[OAuth2Request], HTTPResponse]) -> HTTPResponse:
        form = _FormRequest(request, f"{self.base_url()}{request.path}")
        if form.repeated:
            error = InvalidRequestError(f"Multiple '{form.repeated[0]}' in request.")
            return self.handle_response(*error())
        return answer(form)

    def query_client(self, client_id: str) -> Client | None:
        """Find a client (called by Authlib)."""
        return self.clients.get(client_id)

    def save_token(self, token: Mapping[str, object], request: OAuth2Request) -> None:
        """Remember an access token by its digest (called by Authlib)."""
        self.access_tokens[token_digest(str(token["access_token"]))] = AccessToken(
            client_id=request.client.client_id,
            account=request.user.approved.account.name,
            expires_at=self.clock() + float(str(token["expires_in"])),
        )

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Do nothing: nobody listens (called by Authlib)."""

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        """Return the request as it is: `_guarded` made it (called by Authlib)."""
        return request

    def handle_response(self, status: int, body: object, headers: object) -> HTTPResponse:
        """Make an answer (called by Authlib)."""
        return json_response(body, status, NO_STORE)


class _FormRequest(OAuth2Request):  # type: ignore[misc]
    def __init__(self, request: HTTPRequest, uri: str) -> None:
        super().__init__(request.method, uri, headers=dict(request.headers.items()))
        parameters, self.repeated = single(request.form())
        self.payload = BasicOAuth2Payload(parameters)

    @property
    def form(self) -> dict[str, str]:
        return dict(self.payload.data)


class _DeviceAuthorization(DeviceAuthorizationEndpoint):  # type: ignore[misc]
    CLIENT_AUTH_METHODS = ("none",)
    EXPIRES_IN = DEVICE_LIFE_S

    @property
    def INTERVAL(self) -> int:
        return int(self.server.interval_s)

    def get_verification_uri(self) -> str:
        return f"{self.server.base_url()}/device"

    def save_device_credential(self, client_id: str, scope: str, data: Mapping[str, object]) -> None:
        """Do nothing: this hook does not see the parameters, so `create_endpoint_response` opens the request."""

    def create_endpoint_response(self, request: OAuth2Request) -> tuple[int, dict[str, Any], object]:
        parameters = request.payload.data
        _check_device_parameters(parameters)
        status, data, headers = super().create_endpoint_response(request)
        now = self.server.clock()
        max_age = parameters.get("max_age")
        self.server.requests.open(
            StoredDeviceRequest(
                client_id=request.client.client_id,
                scope=parameters["scope"],
                device_code=Secret(data["device_code"]),
                user_code=data["user_code"],
                created_at=now,
                expires_at=now + data["expires_in"],
                interval_s=data["interval"],
                code_challenge=parameters["code_challenge"],
                acr=wanted_acr(request.client, parameters.get("acr_values", "")),
                max_age_s=None if max_age is None else int(max_age),
                nonce=parameters.get("nonce"),
                command=parameters.get("stepup_command", "")[:_SHOWN_LIMIT],
                cluster=parameters.get("stepup_cluster", "")[:_SHOWN_LIMIT],
                reason=parameters.get("stepup_reason", "")[:_SHOWN_LIMIT],
                clock=self.server.clock,
            )
        )
        return status, data, headers


class _DeviceGrant(DeviceCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def query_device_credential(self, device_code: str) -> StoredDeviceRequest:
        found: StoredDeviceRequest | None = self.server.requests.by_device_code(device_code)
        if found is None:
            # RFC 6749 section 5.2: an unknown or spent code is invalid_grant; Authlib would say invalid_request.
            raise InvalidGrantError("The device code is unknown or was used.")
        return found

    def validate_device_credential(self, credential: StoredDeviceRequest) -> StoredDeviceRequest:
        # The verifier is checked before the state is told: only who began may know what became of it (RFC 7636).
        self.request.authorization_code = credential
        _DeviceCodeChallenge(required=True).validate_code_verifier(self, None)
        if credential.denied and not credential.is_expired():
            raise AccessDeniedError("denied on the approval page")
        super().validate_device_credential(credential)
        return credential

    def query_user_grant(self, user_code: str) -> tuple[StoredDeviceRequest, bool] | None:
        request: StoredDeviceRequest | None = self.server.requests.by_user_code(user_code)
        if request is None or not (request.denied or request.approved):
            return None
        return request, not request.denied

    def should_slow_down(self, credential: StoredDeviceRequest) -> bool:
        return bool(self.server.requests.polled_too_soon(credential))

    def save_token(self, token: Mapping[str, object]) -> None:
        self.server.requests.consume(self.request.credential)
        super().save_token(token)


class _DeviceCodeChallenge(CodeChallenge):  # type: ignore[misc]
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)
    DEFAULT_CODE_CHALLENGE_METHOD = "S256"

    def get_authorization_code_challenge_method(self, authorization_code: StoredDeviceRequest) -> str:
        return "S256"


class _Revocation(RevocationEndpoint):  # type: ignore[misc]
    CLIENT_AUTH_METHODS = ("none",)

    def query_token(self, token_string: str, token_type_hint: str | None) -> AccessToken | None:
        if token_string.count(".") == 2:
            # An ID token verifies offline until it expires: to say 200 would be a lie.
            raise OAuth2Error(error="unsupported_token_type", status_code=400)
        found: AccessToken | None = self.server.access_tokens.get(token_digest(token_string))
        return found

    def revoke_token(self, token: AccessToken, request: OAuth2Request) -> None:
        token.revoked = True


def wanted_acr(client: Client, acr_values: str) -> str:
    """Return the first acr value that is known here; the client's own demand is never lowered."""
    if client.always == MFA:
        return MFA
    return next((value for value in acr_values.split() if value in (PWD, MFA)), PWD)


def token_digest(token: str) -> str:
    """Return the name under which an access token is remembered."""
    return hashlib.sha256(token.encode()).hexdigest()


def _check_device_parameters(parameters: Mapping[str, str]) -> None:
    if "openid" not in parameters.get("scope", "").split():
        raise InvalidRequestError("The scope must contain openid.")
    if parameters.get("code_challenge_method") != "S256":
        raise InvalidRequestError("A code_challenge with the method S256 is needed.")
    if not CODE_CHALLENGE_PATTERN.match(parameters.get("code_challenge", "")):
        raise InvalidRequestError("Invalid 'code_challenge'")
    max_age = parameters.get("max_age", "0")
    if not (max_age.isascii() and max_age.isdigit() and len(max_age) < 10):
        raise InvalidRequestError("Invalid 'max_age'")
