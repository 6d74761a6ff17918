"""Ask the provider for a step-up and prove from the answer that it happened.

The order is fixed: ask, show, poll, verify the token, compare it with the requirement, and only then say so.
"""

from __future__ import annotations

import contextlib
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from kubectl_stepup.audit.event import fingerprint
from kubectl_stepup.audit.redaction import redacted
from kubectl_stepup.errors import ConfigError, ProviderError, StepUpError, TokenRejected
from kubectl_stepup.oidc.claims import Expectation
from kubectl_stepup.oidc.evidence import rejection, shortfalls
from kubectl_stepup.sessions.scope import USER_SCOPE
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.stepup.device_flow import device_request, obtain
from kubectl_stepup.stepup.request import requirement_for
from kubectl_stepup.ui.prompt import Approval, DevicePrompt, approved_text, device_prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_stepup.clock import Clock
    from kubectl_stepup.oidc.claims import IDTokenClaims
    from kubectl_stepup.oidc.grants.device import DeviceAuthorization
    from kubectl_stepup.oidc.known_secrets import KnownSecrets
    from kubectl_stepup.secret import Secret
    from kubectl_stepup.sessions.stored_session import Moment
    from kubectl_stepup.stepup.device_flow import DeviceGrant, DeviceProvider
    from kubectl_stepup.stepup.ports import Terminal
    from kubectl_stepup.stepup.request import Asked


MAX_KEPT_ACCESS_TOKEN = 2048


class StepUpProvider(Protocol):
    """What proving a step-up needs of a provider, beside the device flow."""

    @property
    def secrets(self) -> KnownSecrets:
        """What was sent and received as a secret, to be taken out of foreign text."""

    def algorithms(self, enrolled: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return the `alg` values an ID token may have."""

    def jwks(self, force: bool = False) -> dict[str, object]:
        """Return the published keys."""

    def revoke(self, revoked: Secret, *, kind: str, client_id: str) -> bool:
        """Revoke a token where that is offered."""


class Verify(Protocol):
    """Verify an ID token (assurance/id_token.py)."""

    def __call__(
        self,
        id_token: Secret,
        expected: Expectation,
        *,
        jwks: Callable[[bool], object],
        now: float,
        access_token: Secret | None = None,
    ) -> IDTokenClaims:
        """Return the claims.

        Raises:
            TokenRejected: with one plain reason.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatePorts:
    """What asking needs of the outside. `exec_info` foretells what kubectl will say of the cluster (fast path)."""

    device_provider: DeviceProvider
    provider: StepUpProvider
    verify: Verify
    terminal: Terminal
    clock: Clock
    moment: Callable[[], Moment]
    random: Callable[[int], str]
    exec_info: tuple[str, ...] = ()


def authenticate(asked: Asked, ports: AuthenticatePorts) -> ElevationSession:
    """Ask once and give the proven session.

    Raises:
        StepUpDenied, StepUpExpired, TokenRejected: no session.
        ProviderError: the provider could not be asked.
        ConfigError: the provider's preset has no way to ask that this version knows.
    """
    try:
        return _proven(asked, ports)
    except StepUpError as exc:
        # A claim, too, may repeat what was sent: whatever is said, recorded and remembered of it has no secret.
        ports.provider.secrets.hide_in(exc)
        raise


def _proven(asked: Asked, ports: AuthenticatePorts) -> ElevationSession:
    requirement = requirement_for(asked)
    provider = asked.provider
    _require_device_flow(asked)
    ports.terminal.detail(f"provider: {provider.issuer}, client {provider.elevated_client_id}")
    request = device_request(
        provider.preset,
        requirement,
        client_id=provider.elevated_client_id,
        command=_for_the_provider(asked),
        random=ports.random,
    )
    try:
        grant = obtain(
            ports.device_provider,
            request,
            clock=ports.clock,
            show=lambda authorization: _show(asked, authorization, ports),
            tick=ports.terminal.countdown,
        )
    finally:
        ports.terminal.done()
        # A one-time code typed into the wrong window must not reach the shell afterwards.
        ports.terminal.flush_input()
    try:
        claims = _verified(asked, grant, request.nonce, ports)
    except TokenRejected:
        _drop_access_token(asked, grant, ports)
        raise
    ports.terminal.detail("the ID token's signature, issuer, audience and times are in order")
    missing = shortfalls(
        requirement, claims, granted_scope=grant.scope, flow_start=grant.started_at, now=ports.clock.now()
    )
    if missing:
        _drop_access_token(asked, grant, ports)
        raise rejection(missing, requirement, claims)
    claims = _without_secrets(claims, ports.provider.secrets)
    session = _session(asked, grant, claims, ports)
    ports.terminal.line(_approval(asked, claims, session, ports))
    return session


def _verified(asked: Asked, grant: DeviceGrant, nonce: str | None, ports: AuthenticatePorts) -> IDTokenClaims:
    provider = asked.provider
    return ports.verify(
        grant.id_token,
        Expectation(
            issuer=provider.issuer,
            client_id=provider.elevated_client_id,
            algorithms=ports.provider.algorithms(provider.preset.signing_algorithms),
            nonce=nonce,
            account_claim=provider.account_claim,
            extra_audiences=provider.preset.extra_audiences,
        ),
        jwks=ports.provider.jwks,
        now=ports.clock.now(),
        access_token=grant.access_token,
    )


def _without_secrets(claims: IDTokenClaims, secrets: KnownSecrets) -> IDTokenClaims:
    """Return the claims, which are checked by now, as they may be shown and kept."""
    return replace(
        claims,
        username=secrets.hidden(claims.username),
        acr=None if claims.acr is None else secrets.hidden(claims.acr),
        amr=tuple(secrets.hidden(method) for method in claims.amr),
    )


def _require_device_flow(asked: Asked) -> None:
    preset = asked.provider.preset
    if preset.unsupported is not None:
        raise ConfigError(f"provider {asked.provider.name} cannot prove a step-up: {preset.unsupported}")
    if "device" not in preset.flows:
        raise ConfigError(
            f"provider {asked.provider.name} ({preset.name}) steps up by {', '.join(preset.flows)} alone, which this "
            "version does not do yet",
            hint="use a provider with the device flow, or set its flow to [device] with a client that always asks "
            "for the second factor",
        )


def _show(asked: Asked, authorization: DeviceAuthorization, ports: AuthenticatePorts) -> None:
    note = ports.terminal.browser_note() if asked.browser else "--no-browser"
    ports.terminal.prompt(
        device_prompt(
            DevicePrompt(
                summary=asked.summary,
                rules=asked.rules,
                published_rules=asked.published_rules,
                messages=asked.messages,
                level=asked.level.name,
                cluster=asked.cluster.name,
                server=asked.cluster.server,
                user=asked.cluster.account,
                command=tuple(redacted(asked.command)),
                verification_uri=authorization.verification_uri,
                verification_uri_complete=authorization.verification_uri_complete,
                user_code=authorization.user_code,
                reuse_s=asked.level.ask_again_after_s if asked.keeps_session else 0,
                everywhere=asked.scope == USER_SCOPE,
                reason=asked.reason,
                browser_note=note,
                warning=authorization.warning,
            )
        )
    )
    if note is None:
        ports.terminal.open_browser(authorization.browser_uri)


def _approval(asked: Asked, claims: IDTokenClaims, session: ElevationSession, ports: AuthenticatePorts) -> str:
    return approved_text(
        Approval(
            user=claims.username,
            level=session.level,
            cluster=session.cluster,
            acr=session.acr,
            amr=session.amr,
            signed_in_at=session.auth_time,
            ends_at=session.credential_expires_at if asked.keeps_session else None,
            now=ports.clock.now(),
        )
    )


def _session(asked: Asked, grant: DeviceGrant, claims: IDTokenClaims, ports: AuthenticatePorts) -> ElevationSession:
    approved = ports.moment()
    cluster = asked.cluster
    return ElevationSession(
        issuer=asked.provider.issuer,
        client=asked.provider.elevated_client_id,
        account=cluster.account,
        cluster=cluster.name,
        level=asked.level.name,
        token=grant.id_token,
        access_token=_kept(grant.access_token),
        jti_sha256=None if claims.jti is None else fingerprint(claims.jti),
        token_expires_at=claims.exp,
        auth_time=claims.auth_time,
        approved=approved,
        reuse_until=approved.wall + asked.level.ask_again_after_s,
        acr=claims.acr,
        amr=claims.amr,
        command=_shown_command(asked),
        pin=cluster.pin,
        exec_info=ports.exec_info,
        evidence=requirement_for(asked).evidence.fingerprint,
        signed_in_within_s=asked.level.signed_in_within_s,
    )


def _kept(access_token: Secret | None) -> Secret | None:
    """Keep an access token for revocation at logout, unless it is so long that it would fill a small store."""
    return access_token if access_token is not None and len(access_token) <= MAX_KEPT_ACCESS_TOKEN else None


def _drop_access_token(asked: Asked, grant: DeviceGrant, ports: AuthenticatePorts) -> None:
    """Revoke what came with a token that proves too little; that it fails changes nothing."""
    if grant.access_token is not None and asked.provider.preset.revoke:
        with contextlib.suppress(ProviderError):
            ports.provider.revoke(grant.access_token, kind="access_token", client_id=asked.provider.elevated_client_id)


def _for_the_provider(asked: Asked) -> str | None:
    """Return what the prompt says and the command line, the first first: a long line is cut."""
    shown = _shown_command(asked)
    return f"{asked.summary}: {shown}" if asked.summary and shown else shown or None


def _shown_command(asked: Asked) -> str:
    return f"kubectl {shlex.join(redacted(asked.command))}" if asked.command else ""
