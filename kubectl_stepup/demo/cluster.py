"""A cluster stand-in on loopback: it verifies tokens as a kube-apiserver does, and stores a few objects in memory."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType

from kubectl_stepup.demo import api_request, discovery, reviews
from kubectl_stepup.demo.admission import AdmissionPolicy, standard_policies
from kubectl_stepup.demo.api_request import APIRequest, object_body
from kubectl_stepup.demo.authentication import (
    ANONYMOUS,
    JWTAuthenticator,
    TokenRefused,
    TokenVerifier,
    User,
    unverified_issuer,
)
from kubectl_stepup.demo.authorization import Authorizer, RoleGrant, team_grants
from kubectl_stepup.demo.catalogue import find_kind, find_review
from kubectl_stepup.demo.https_server import HTTPRequest, HTTPResponse, HTTPSServer, json_response
from kubectl_stepup.demo.resource_api import ResourceAPI
from kubectl_stepup.demo.seeds import plant
from kubectl_stepup.demo.statuses import StatusError, no_such_resource, unauthorized
from kubectl_stepup.demo.store import ObjectStore

STANDARD_GRANTS = team_grants("dev")
STANDARD_POLICIES = standard_policies(level="mfa", max_age_s=900, exempt=("sandbox",))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEvent:
    """One event of the server's audit log; `why` is the reason of a rejected token, which the client never sees."""

    user: User
    request: APIRequest
    code: int
    why: str = ""


class DemoCluster:
    """Serve on a free loopback port until `close()`; also a context manager.

    `clock` returns seconds since the epoch (UTC). Any issuer can have an authenticator of its own.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        authenticators: Iterable[JWTAuthenticator],
        *,
        clock: Callable[[], float],
        grants: tuple[RoleGrant, ...] = STANDARD_GRANTS,
        policies: tuple[AdmissionPolicy, ...] = STANDARD_POLICIES,
    ) -> None:
        self._clock = clock
        self._verifiers = {entry.issuer: TokenVerifier(entry) for entry in authenticators}
        self._authorizer = Authorizer(grants)
        self.store = ObjectStore(clock)
        plant(self.store, clock())
        self._resources = ResourceAPI(self.store, policies, clock)
        self._audit: list[ServerEvent] = []
        self._audit_lock = threading.Lock()
        self._https = HTTPSServer(context, self._answer)
        self.url = self._https.url

    @property
    def audit(self) -> tuple[ServerEvent, ...]:
        """Return every request answered so far, in order."""
        with self._audit_lock:
            return tuple(self._audit)

    @property
    def faults(self) -> tuple[Exception, ...]:
        """Return our own errors while answering requests."""
        return self._https.faults

    def close(self) -> None:
        """Stop serving and end every watch."""
        self.store.close()
        self._https.close()

    def __enter__(self) -> DemoCluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self, request: HTTPRequest) -> HTTPResponse:
        info, user, why = api_request.read(request), ANONYMOUS, ""
        try:
            user = self._authenticate(request)
            response = self._route(user, info, request)
        except TokenRefused as refused:
            why = str(refused)
            response = unauthorized().response()
        except StatusError as refusal:
            response = refusal.response()
        with self._audit_lock:
            self._audit.append(ServerEvent(user=user, request=info, code=response.status, why=why))
        return response

    def _authenticate(self, request: HTTPRequest) -> User:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return ANONYMOUS
        verifier = self._verifiers.get(unverified_issuer(token.strip()))
        if verifier is None:
            raise TokenRefused("no authenticator for this issuer")
        return verifier.verify(token.strip(), self._clock())

    def _route(self, user: User, info: APIRequest, request: HTTPRequest) -> HTTPResponse:
        impersonated = request.headers.get("Impersonate-User")
        if impersonated:
            raise self._authorizer.refuse_impersonation(user, impersonated)
        self._authorizer.check(user, info)
        if not info.resource:
            found = discovery.document(request)
            if found is None:
                raise no_such_resource()
            return found
        review = find_review(info.group, info.resource)
        if review is not None and info.verb == "create":
            return json_response(reviews.answer(review, user, self._authorizer, object_body(request)), 201)
        kind = find_kind(info.group, info.resource)
        if kind is None:
            raise no_such_resource()
        return self._resources.answer(user, kind, info, request)
