"""Ask the provider for a step-up and prove from the answer that it happened.

The order is fixed: ask, show, poll, verify the token, compare it with the requirement, and only then say so.
"""

from __future__ import annotations

import contextlib
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

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
    from kubectl_stepup.oidc.claims import IDTokenClaims
    from kubectl_stepup.oidc.grants.device import DeviceAuthorization
    from kubectl_stepup.oidc.known_secrets import KnownSecrets
    from kubectl_stepup.oidc.provider import OIDCProvider
    from kubectl_stepup.secret import Secret
    from kubectl_stepup.stepup.app import App
    from kubectl_stepup.stepup.device_flow import DeviceGrant
    from kubectl_stepup.stepup.request import StepUpRequest


MAX_KEPT_ACCESS_TOKEN = 2048


def authenticate(request: StepUpRequest, app: App) -> ElevationSession:
    """Ask once and return the proven session.

    Raises:
        StepUpDenied, StepUpExpired, TokenRejected: no session.
        ProviderError: the provider could not be asked.
        ConfigError: the provider's preset has no way to ask that this version knows.
    """
    client = app.provider(request.provider)
    try:
        return _proven(request, client, app)
    except StepUpError as exc:
        # A claim, too, may repeat what was sent: whatever is said, recorded and remembered of it has no secret.
        client.secrets.hide_in(exc)
        raise


def _proven(request: StepUpRequest, client: OIDCProvider, app: App) -> ElevationSession:
    requirement = requirement_for(request)
    provider = request.provider
    _require_device_flow(request)
    app.terminal.detail(f"provider: {provider.issuer}, client {provider.elevated_client_id}")
    device = device_request(
        provider.preset,
        requirement,
        client_id=provider.elevated_client_id,
        command=_for_the_provider(request),
        random=app.random,
    )
    try:
        grant = obtain(
            client,
            device,
            clock=app.clock,
            show=lambda authorization: _show(request, authorization, app),
            tick=app.terminal.countdown,
        )
    finally:
        app.terminal.done()
        # A one-time code typed into the wrong window must not reach the shell afterwards.
        app.terminal.flush_input()
    try:
        claims = _verified(request, grant, device.nonce, client, app)
    except TokenRejected:
        _drop_access_token(request, grant, client)
        raise
    app.terminal.detail("the ID token's signature, issuer, audience and times are in order")
    missing = shortfalls(
        requirement, claims, granted_scope=grant.scope, flow_start=grant.started_at, now=app.clock.now()
    )
    if missing:
        _drop_access_token(request, grant, client)
        raise rejection(missing, requirement, claims)
    claims = _without_secrets(claims, client.secrets)
    session = _session(request, grant, claims, app)
    app.terminal.line(_approval(request, claims, session, app))
    return session


def _verified(
    request: StepUpRequest, grant: DeviceGrant, nonce: str | None, client: OIDCProvider, app: App
) -> IDTokenClaims:
    provider = request.provider
    from kubectl_stepup.oidc.id_token import verify  # its libraries take longest to import

    return verify(
        grant.id_token,
        Expectation(
            issuer=provider.issuer,
            client_id=provider.elevated_client_id,
            algorithms=client.algorithms(provider.preset.signing_algorithms),
            nonce=nonce,
            account_claim=provider.account_claim,
            extra_audiences=provider.preset.extra_audiences,
        ),
        jwks=client.jwks,
        now=app.clock.now(),
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


def _require_device_flow(request: StepUpRequest) -> None:
    preset = request.provider.preset
    if preset.unsupported is not None:
        raise ConfigError(f"provider {request.provider.name} cannot prove a step-up: {preset.unsupported}")
    if "device" not in preset.flows:
        raise ConfigError(
            f"provider {request.provider.name} ({preset.name}) steps up by {', '.join(preset.flows)} alone, which this "
            "version does not do yet",
            hint="use a provider with the device flow, or set its flow to [device] with a client that always asks "
            "for the second factor",
        )


def _show(request: StepUpRequest, authorization: DeviceAuthorization, app: App) -> None:
    note = app.terminal.browser_note() if request.options.browser else "--no-browser"
    app.terminal.prompt(
        device_prompt(
            DevicePrompt(
                summary=request.summary,
                rules=request.rules,
                published_rules=request.published_rules,
                messages=request.messages,
                level=request.level.name,
                cluster=request.cluster.name,
                server=request.cluster.server,
                user=request.cluster.account,
                command=tuple(redacted(request.command)),
                verification_uri=authorization.verification_uri,
                verification_uri_complete=authorization.verification_uri_complete,
                user_code=authorization.user_code,
                reuse_s=request.level.ask_again_after_s if request.keeps_session else 0,
                everywhere=request.scope == USER_SCOPE,
                reason=request.options.reason,
                browser_note=note,
                warning=authorization.warning,
            )
        )
    )
    if note is None:
        app.terminal.open_browser(authorization.browser_uri)


def _approval(request: StepUpRequest, claims: IDTokenClaims, session: ElevationSession, app: App) -> str:
    return approved_text(
        Approval(
            user=claims.username,
            level=session.level,
            cluster=session.cluster,
            acr=session.acr,
            amr=session.amr,
            signed_in_at=session.auth_time,
            ends_at=session.credential_expires_at if request.keeps_session else None,
            now=app.clock.now(),
        )
    )


def _session(request: StepUpRequest, grant: DeviceGrant, claims: IDTokenClaims, app: App) -> ElevationSession:
    approved = app.moment()
    cluster = request.cluster
    return ElevationSession(
        issuer=request.provider.issuer,
        client=request.provider.elevated_client_id,
        account=cluster.account,
        cluster=cluster.name,
        level=request.level.name,
        token=grant.id_token,
        access_token=_kept(grant.access_token),
        jti_sha256=None if claims.jti is None else fingerprint(claims.jti),
        token_expires_at=claims.exp,
        auth_time=claims.auth_time,
        approved=approved,
        reuse_until=approved.wall + request.level.ask_again_after_s,
        acr=claims.acr,
        amr=claims.amr,
        command=_shown_command(request),
        pin=cluster.pin,
        exec_info=app.exec_info(request),
        evidence=requirement_for(request).evidence.fingerprint,
        signed_in_within_s=request.level.signed_in_within_s,
    )


def _kept(access_token: Secret | None) -> Secret | None:
    """Keep an access token for revocation at logout, unless it is so long that it would fill a small store."""
    return access_token if access_token is not None and len(access_token) <= MAX_KEPT_ACCESS_TOKEN else None


def _drop_access_token(request: StepUpRequest, grant: DeviceGrant, client: OIDCProvider) -> None:
    """Revoke what came with a token that proves too little; that it fails changes nothing."""
    if grant.access_token is not None and request.provider.preset.revoke:
        with contextlib.suppress(ProviderError):
            client.revoke(grant.access_token, kind="access_token", client_id=request.provider.elevated_client_id)


def _for_the_provider(request: StepUpRequest) -> str | None:
    """Return what the prompt says and the command line, the first first: a long line is cut."""
    shown = _shown_command(request)
    return f"{request.summary}: {shown}" if request.summary and shown else shown or None


def _shown_command(request: StepUpRequest) -> str:
    return f"kubectl {shlex.join(redacted(request.command))}" if request.command else ""
