"""The provider as the flows see it: discovery, device authorization, polls, keys, revocation, over the transport.

Spec: OpenID Connect Discovery 1.0; RFC 8628; RFC 7517 section 5; RFC 7009.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.errors import ProviderError
from kubectl_stepup.oidc.grants.device import DeviceAuthorization, DeviceRequest
from kubectl_stepup.oidc.metadata import ProviderMetadata, discovery_url
from kubectl_stepup.oidc.token_response import OAuthError
from kubectl_stepup.oidc.transport import Transport
from kubectl_stepup.oidc.url import host
from kubectl_stepup.sanitise import safe

if TYPE_CHECKING:
    from kubectl_stepup.clock import Clock
    from kubectl_stepup.oidc.known_secrets import KnownSecrets
    from kubectl_stepup.oidc.response import Response
    from kubectl_stepup.secret import Secret

JWKS_REFETCH_EVERY_S = 60.0
REVOCATION_DEADLINE_S = 5.0
_NOT_ALLOWED = frozenset({"unauthorized_client", "invalid_client", "unsupported_grant_type"})


class OIDCProvider:
    """One issuer. Metadata and keys are fetched when first needed and kept as long as this object."""

    def __init__(
        self,
        *,
        issuer: str,
        transport: Transport,
        clock: Clock,
        endpoint_hosts: tuple[str, ...] = (),
        verification_hosts: tuple[str, ...] = (),
    ) -> None:
        """Take the issuer exactly as enrolled, and the hosts that are enrolled beside its own."""
        self.issuer = issuer
        self._transport = transport
        self._clock = clock
        self._endpoint_hosts = endpoint_hosts
        self._verification_hosts = verification_hosts
        self._metadata: ProviderMetadata | None = None
        self._jwks: dict[str, object] | None = None
        self._jwks_refetched_at: float | None = None
        self.clock_ahead_s: float | None = None
        """How far its clock is ahead of ours, by the last document that said so; None: none did."""

    @property
    def host(self) -> str:
        """What people call the provider."""
        return host(self.issuer)

    @property
    def secrets(self) -> KnownSecrets:
        """What was sent to it and received as a secret."""
        return self._transport.secrets

    def metadata(self) -> ProviderMetadata:
        """Return the checked metadata.

        Raises:
            ProviderUnreachable: no answer.
            ProviderResponse: not the issuer's metadata, or endpoints that may not be used.

        """
        if self._metadata is None:
            document = self._document(discovery_url(self.issuer))
            self._metadata = ProviderMetadata.from_document(
                document, issuer=self.issuer, endpoint_hosts=self._endpoint_hosts
            )
        return self._metadata

    def algorithms(self, enrolled: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return the `alg` values an ID token may have; see `ProviderMetadata.accepted_algorithms`."""
        return self.metadata().accepted_algorithms(enrolled)

    def authorize_device(self, request: DeviceRequest) -> DeviceAuthorization:
        """Ask for a device code and a user code (RFC 8628 section 3.1).

        Raises:
            ProviderError: the provider has no device flow, or refuses.
            ProviderUnreachable: no answer.
            ProviderResponse: an answer that makes no sense.

        """
        response = self._transport.post(self.metadata().device_endpoint(), request.form())
        error = OAuthError.from_document(response.json_object())
        if error is not None:
            raise self._refusal(error, request.client_id)
        if response.status != 200:
            raise ProviderError(f"{response.url} answered HTTP {response.status}")
        return DeviceAuthorization.from_response(
            response, issuer=self.issuer, hosts=(*self._endpoint_hosts, *self._verification_hosts)
        )

    def poll(self, request: DeviceRequest, device_code: Secret, *, deadline_s: float) -> Response:
        """Ask once whether the person has decided (RFC 8628 section 3.4); `polling.read_poll` reads the answer."""
        form = request.token_form(device_code)
        return self._transport.post(self.metadata().token_endpoint, form, deadline_s=deadline_s)

    def jwks(self, force: bool = False) -> dict[str, object]:
        """Return the published keys (RFC 7517 section 5); with `force` fetch them anew, at most once a minute.

        Raises:
            ProviderUnreachable: no answer.
            ProviderResponse: no JSON object.

        """
        if self._jwks is None:
            self._jwks = self._document(self.metadata().jwks_uri)
        elif force and self._may_refetch():
            self._jwks_refetched_at = self._clock.monotonic()
            self._jwks = self._document(self.metadata().jwks_uri)
        return self._jwks

    def revoke(self, revoked: Secret, *, kind: str, client_id: str) -> bool:
        """Revoke an access or refresh token (RFC 7009); return whether the provider says it did.

        `kind` is `access_token` or `refresh_token`. False also where the provider offers no revocation. An ID token
        cannot be revoked: it lives until it expires.

        Raises:
            ProviderUnreachable: no answer.
            ProviderResponse: a redirect.

        """
        endpoint = self.metadata().revocation_endpoint
        if endpoint is None:
            return False
        form = {"token": revoked.reveal(), "token_type_hint": kind, "client_id": client_id}
        return self._transport.post(endpoint, form, deadline_s=REVOCATION_DEADLINE_S).status == 200

    def _document(self, url: str) -> dict[str, object]:
        response = self._transport.get(url)
        if response.date is not None:
            self.clock_ahead_s = response.date - self._clock.now()
        if response.status != 200:
            raise ProviderError(f"{url} answered HTTP {response.status}")
        return response.json_object()

    def _may_refetch(self) -> bool:
        last = self._jwks_refetched_at
        return last is None or self._clock.monotonic() - last >= JWKS_REFETCH_EVERY_S

    def _refusal(self, error: OAuthError, client_id: str) -> ProviderError:
        if error.error in _NOT_ALLOWED:
            return ProviderError(
                f"{self.host} does not let client {safe(client_id, 60)} use the device flow ({error.shown()})",
                hint="allow the device authorization grant for that public client at the provider",
            )
        if error.error == "slow_down":
            return ProviderError(f"{self.host} takes no more device authorization requests for now ({error.shown()})")
        return ProviderError(f"{self.host} refused the device authorization request ({error.shown()})")
