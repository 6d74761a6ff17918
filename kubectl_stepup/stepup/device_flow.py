"""Obtain an elevated ID token by the device authorization grant: ask, show the code, poll until the person decides.

Everything outside comes in as an argument. Whether the token proves anything is for `oidc/evidence.py` to say.

Spec: RFC 8628; RFC 7636.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.durations import ago, duration
from kubectl_stepup.errors import (
    LoginNeeded,
    ProviderError,
    ProviderUnreachable,
    StepUpDenied,
    StepUpExpired,
    TooWeak,
)
from kubectl_stepup.oidc.grants.device import DeviceAuthorization, DeviceRequest
from kubectl_stepup.oidc.grants.polling import PollAgain, PollSchedule, read_poll
from kubectl_stepup.oidc.step_up_parameters import step_up_parameters, step_up_scope
from kubectl_stepup.oidc.token_response import OAuthError, TokenResponse
from kubectl_stepup.sanitise import safe
from kubectl_stepup.secret import Secret

if TYPE_CHECKING:
    from kubectl_stepup.clock import Clock
    from kubectl_stepup.oidc.preset import Preset
    from kubectl_stepup.oidc.provider import OIDCProvider
    from kubectl_stepup.oidc.requirement import StepUpRequirement

MAX_CLOCK_SKEW_S = 60.0
TICK_S = 1.0
POLL_DEADLINE_S = 15.0
LAST_POLL_S = 5.0
"""How long the last answer may take when the code has expired meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceGrant:
    """What the provider gave, not yet believed.

    `started_at` is the start of the flow by the provider's clock, `skew_s` how far that clock is ahead of ours. There
    is no refresh token: one would be elevation without end.
    """

    id_token: Secret
    access_token: Secret | None
    scope: tuple[str, ...]
    started_at: float
    skew_s: float


def device_request(
    preset: Preset,
    requirement: StepUpRequirement,
    *,
    client_id: str,
    scopes: tuple[str, ...] = (),
    command: str | None = None,
    random: Callable[[int], str],
) -> DeviceRequest:
    """Put the request together; `random(n)` gives text of n random bytes in base64url (`secrets.token_urlsafe`).

    `scopes` are added to the preset's; `command` is what will be run and must hold no secret.

    Raises:
        ConfigError: the preset's claims template cannot be filled.

    """
    return DeviceRequest(
        client_id=client_id,
        scope=step_up_scope(preset, scopes),
        parameters=step_up_parameters(preset, requirement, command=command),
        nonce=random(24) if preset.nonce_in_device else None,
        code_verifier=Secret(random(48)) if preset.pkce_in_device else None,
    )


def obtain(
    provider: OIDCProvider,
    request: DeviceRequest,
    *,
    clock: Clock,
    show: Callable[[DeviceAuthorization], None],
    tick: Callable[[float], None],
) -> DeviceGrant:
    """Run the flow to its end.

    `show` is called once with what the person needs; its texts are the provider's and not yet safe to show.
    `tick(seconds_left)` is called about once a second. A KeyboardInterrupt ends the flow at once, and a token that is
    approved later is fetched by nobody.

    Raises:
        LoginNeeded: this machine's clock is too far off for any check of freshness.
        StepUpDenied: the person, or the provider, said no.
        StepUpExpired: nobody approved in time.
        TooWeak: the provider says that it cannot ask for what the level needs.
        ProviderError: the provider refuses, cannot be reached at the start, or makes no sense.

    """
    authorization = provider.authorize_device(request)
    ends_at = clock.monotonic() + authorization.expires_in_s
    now = clock.now()
    started_at = now if authorization.answered_at is None else authorization.answered_at
    skew = started_at - now
    off = wrong_clock(skew, provider.host)
    if off is not None:
        raise off
    show(authorization)
    tokens = _poll(provider, request, authorization, clock=clock, ends_at=ends_at, tick=tick)
    _drop_refresh_token(provider, request, tokens)
    return DeviceGrant(
        id_token=tokens.id_token,
        access_token=tokens.access_token,
        # RFC 6749 section 5.1: without a scope in the answer, what was asked for was granted.
        scope=request.scope if tokens.scope is None else tokens.scope,
        started_at=started_at,
        skew_s=skew,
    )


def wrong_clock(skew: float, host: str) -> LoginNeeded | None:
    """Return the error of a provider whose clock is `skew` seconds ahead of ours, None where that is near enough."""
    if abs(skew) <= MAX_CLOCK_SKEW_S:
        return None
    side = "behind" if skew > 0 else "ahead of"
    return LoginNeeded(
        f"this machine's clock is {duration(abs(skew))} {side} {host}: the age of a sign-in cannot be checked",
        hint="set this machine's clock, on Linux: timedatectl set-ntp true",
    )


def _poll(
    provider: OIDCProvider,
    request: DeviceRequest,
    authorization: DeviceAuthorization,
    *,
    clock: Clock,
    ends_at: float,
    tick: Callable[[float], None],
) -> TokenResponse:
    schedule = PollSchedule(interval_s=authorization.interval_s)
    trouble: str | None = None
    while True:
        if not _wait(clock, clock.monotonic() + schedule.wait_s, ends_at, tick):
            raise _expired(authorization, provider.host, trouble)
        deadline_s = min(POLL_DEADLINE_S, max(ends_at - clock.monotonic(), 0.0) + LAST_POLL_S)
        answer, retry_after_s, problem = _ask(provider, request, authorization.device_code, deadline_s)
        if isinstance(answer, TokenResponse):
            return answer
        if isinstance(answer, OAuthError):
            given_ago_s = authorization.expires_in_s - (ends_at - clock.monotonic())
            raise _refusal(answer, provider.host, authorization, given_ago_s)
        trouble = problem if answer is PollAgain.TROUBLE else None
        schedule = schedule.after(answer, retry_after_s)


def _wait(clock: Clock, until: float, ends_at: float, tick: Callable[[float], None]) -> bool:
    """Wait in small steps; return whether the code still lives. A machine that slept through it finds it expired."""
    while True:
        now = clock.monotonic()
        if now >= ends_at:
            return False
        tick(ends_at - now)
        if now >= until:
            return True
        clock.sleep(min(TICK_S, until - now, ends_at - now))


def _ask(
    provider: OIDCProvider, request: DeviceRequest, device_code: Secret, deadline_s: float
) -> tuple[PollAgain | TokenResponse | OAuthError, float | None, str | None]:
    """Poll once. A connection that fails is trouble that may pass (RFC 8628 section 3.5), not an end."""
    try:
        response = provider.poll(request, device_code, deadline_s=deadline_s)
    except ProviderUnreachable as exc:
        return PollAgain.TROUBLE, None, exc.message
    return read_poll(response), response.retry_after_s, f"{response.url} {response.problem or response.status}"


def _expired(authorization: DeviceAuthorization, host: str, trouble: str | None) -> StepUpExpired:
    expired = f"code {safe(authorization.user_code, 40)} expired after {duration(authorization.expires_in_s)}"
    if trouble is None:
        return StepUpExpired(f"{expired} without approval")
    # Whether it was approved is not known: what was said last did not come, or could not be read.
    unknown = f"{expired}; {host} did not say at the end whether it was approved"
    return StepUpExpired(unknown, details={"trouble": trouble})


def _refusal(
    error: OAuthError, host: str, authorization: DeviceAuthorization, given_ago_s: float
) -> LoginNeeded | ProviderError:
    match error.error:
        case "access_denied":
            return StepUpDenied(f"step-up denied by {host} ({error.shown()})")
        case "expired_token":
            code = f"code {safe(authorization.user_code, 40)}, given {ago(given_ago_s)},"
            return StepUpExpired(f"{host} says that {code} has expired ({error.shown()})")
        case "unmet_authentication_requirements":
            return TooWeak(f"{host} cannot ask for what the level needs ({error.shown()})")
        case _:
            return ProviderError(f"{host} refused the step-up ({error.shown()})")


def _drop_refresh_token(provider: OIDCProvider, request: DeviceRequest, tokens: TokenResponse) -> None:
    """Revoke a refresh token that nobody asked for; that it fails must not cost the step-up."""
    if tokens.refresh_token is not None:
        with contextlib.suppress(ProviderError):
            provider.revoke(tokens.refresh_token, kind="refresh_token", client_id=request.client_id)
