from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from kubectl_stepup.errors import (
    LoginNeeded,
    ProviderError,
    ProviderResponse,
    ProviderUnreachable,
    StepUpDenied,
    StepUpError,
    StepUpExpired,
    TooWeak,
)
from kubectl_stepup.oidc.grants.device import DeviceAuthorization, DeviceRequest
from kubectl_stepup.oidc.presets import PRESETS
from kubectl_stepup.oidc.response import Response
from kubectl_stepup.secret import Secret
from kubectl_stepup.stepup.device_flow import DeviceGrant, device_request, obtain
from tests.support.provider.cases import REQUIREMENT
from tests.support.provider.clock import FakeClock

REQUEST = DeviceRequest(client_id="kubectl-elevated", scope=("openid",))
Answer = Response | StepUpError | BaseException


def error(code: str, status: int = 400, **more: Any) -> Response:
    return Response(url="https://p.example/token", status=status, document={"error": code, **more})


def page(status: int = 200) -> Response:
    return Response(url="https://p.example/token", status=status, document=None, problem="answered with text/html")


def tokens(**more: Any) -> Response:
    document = {"id_token": "a.b.c", "token_type": "Bearer", "access_token": "at", **more}
    return Response(url="https://p.example/token", status=200, document=document)


PENDING, SLOW_DOWN = error("authorization_pending"), error("slow_down")


@dataclass
class Scripted:
    """A provider that answers by a script; what comes after the script is pending for ever."""

    clock: FakeClock
    answers: list[Answer]
    interval_s: float = 5
    expires_in_s: float = 900
    answered_at: float | None = None
    host: str = "p.example"
    polled_at: list[float] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    revocation_fails: bool = False
    given_s: list[float] = field(default_factory=list)

    def authorize_device(self, request: DeviceRequest) -> DeviceAuthorization:
        return DeviceAuthorization(
            device_code=Secret("dc"),
            user_code="WDJB-MJHT",
            verification_uri="https://p.example/device",
            verification_uri_complete=None,
            expires_in_s=self.expires_in_s,
            interval_s=self.interval_s,
            answered_at=self.answered_at,
        )

    def poll(self, request: DeviceRequest, device_code: Secret, *, deadline_s: float) -> Response:
        assert device_code.reveal() == "dc"
        self.polled_at.append(self.clock.monotonic() - 1000)
        self.given_s.append(deadline_s)
        answer = self.answers.pop(0) if self.answers else PENDING
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def revoke(self, revoked: Secret, *, kind: str, client_id: str) -> bool:
        self.revoked.append(kind)
        if self.revocation_fails:
            raise ProviderUnreachable("gone")
        return True


def run(provider: Scripted, *, tick: Callable[[float], None] = lambda left: None) -> DeviceGrant:
    return obtain(provider, REQUEST, clock=provider.clock, show=lambda authorization: None, tick=tick)  # type: ignore[arg-type]


def scripted(*answers: Answer, **more: Any) -> Scripted:
    return Scripted(FakeClock(), list(answers), **more)


def test_a_token_comes_after_some_polls_at_the_interval() -> None:
    """DEV-01."""
    provider = scripted(PENDING, PENDING, PENDING, tokens())
    grant = run(provider)
    assert provider.polled_at == [5, 10, 15, 20]
    assert (grant.id_token.reveal(), grant.scope) == ("a.b.c", ("openid",))
    assert "a.b.c" not in repr(grant)


def test_no_poll_may_take_long_beyond_the_life_of_the_code() -> None:
    provider = scripted(expires_in_s=22)
    with pytest.raises(StepUpExpired):
        run(provider)
    assert provider.polled_at == [5, 10, 15, 20]
    assert provider.given_s == [15, 15, 12, 7]


@pytest.mark.parametrize(
    ("answers", "polled_at"),
    [
        ([SLOW_DOWN, PENDING, tokens()], [5, 15, 25]),
        ([SLOW_DOWN] * 5 + [tokens()], [5, 15, 35, 70, 125, 205]),
        ([PENDING, SLOW_DOWN, PENDING, SLOW_DOWN, tokens()], [5, 10, 20, 30, 45]),
    ],
)
def test_slow_down_is_obeyed_and_kept(answers: list[Answer], polled_at: list[float]) -> None:
    """DEV-02."""
    provider = scripted(*answers)
    run(provider)
    assert provider.polled_at == polled_at


def test_a_provider_that_is_away_for_a_while_costs_nothing_but_time() -> None:
    """DEV-08, DEV-09."""
    down = ProviderUnreachable("p.example cannot be reached: connection refused")
    provider = scripted(page(502), page(503), down, page(), error("server_error", 500), PENDING, tokens())
    run(provider)
    assert provider.polled_at == [5, 15, 35, 65, 95, 125, 130]


def test_retry_after_is_obeyed() -> None:
    provider = scripted(replace(page(429), retry_after_s=42.0), tokens())
    run(provider)
    assert provider.polled_at == [5, 47]


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (
            error("access_denied", error_description="The user cancelled"),
            StepUpDenied,
            "step-up denied by p.example (access_denied: The user cancelled)",
        ),
        (error("access_denied"), StepUpDenied, "step-up denied by p.example (access_denied)"),
        (
            error("access_denied", error_description="\x1b[2Jok\nApproved"),
            StepUpDenied,
            "step-up denied by p.example (access_denied: \\u{1b}[2Jok\\nApproved)",
        ),
        (
            error("expired_token"),
            StepUpExpired,
            "p.example says that code WDJB-MJHT, given 10s ago, has expired (expired_token)",
        ),
        (
            error("invalid_grant", error_description="bogus"),
            ProviderError,
            "p.example refused the step-up (invalid_grant: bogus)",
        ),
        (error("invalid_client", 401), ProviderError, "p.example refused the step-up (invalid_client)"),
        (error("whatever"), ProviderError, "p.example refused the step-up (whatever)"),
        (
            error("unmet_authentication_requirements"),
            TooWeak,
            "p.example cannot ask for what the level needs (unmet_authentication_requirements)",
        ),
        (
            Response(url="https://p.example/token", status=400, document={"id_token": "a.b.c"}),
            ProviderResponse,
            "https://p.example/token answered HTTP 400 without an error code",
        ),
        (tokens(error="access_denied"), StepUpDenied, "step-up denied by p.example (access_denied)"),
        (ProviderResponse("https://p.example/token redirects"), ProviderResponse, "https://p.example/token redirects"),
    ],
)
def test_a_final_answer_ends_the_flow_at_once(answer: Answer, kind: type[StepUpError], message: str) -> None:
    """DEV-05, DEV-06, DEV-07."""
    provider = scripted(PENDING, answer)
    with pytest.raises(StepUpError) as caught:
        run(provider)
    assert (type(caught.value), caught.value.message) == (kind, message)
    assert len(provider.polled_at) == 2


@pytest.mark.parametrize("changes", [{"id_token": None}, {"token_type": None}, {"token_type": "mac"}])
def test_a_200_is_never_asked_for_again(changes: dict[str, Any]) -> None:
    """DEV-23: a device code serves once."""
    provider = scripted(tokens(**changes), tokens())
    with pytest.raises(ProviderResponse):
        run(provider)
    assert len(provider.polled_at) == 1


@pytest.mark.parametrize(("expires_in", "said"), [(900, "15m"), (90, "1m30s"), (3, "3s"), (3600, "1h")])
def test_a_code_that_nobody_approves_expires(expires_in: float, said: str) -> None:
    """DEV-19; DEV-04: a code that lives 3 s."""
    provider = scripted(expires_in_s=expires_in)
    with pytest.raises(StepUpExpired) as caught:
        run(provider)
    assert caught.value.message == f"code WDJB-MJHT expired after {said} without approval"
    assert provider.clock.monotonic() - 1000 == pytest.approx(expires_in)
    assert all(at < expires_in for at in provider.polled_at)


def test_an_expiry_in_the_midst_of_trouble_says_so() -> None:
    """DEV-10: the last trouble, with its content type, is told."""
    provider = scripted(*[page()] * 40, expires_in_s=100)
    with pytest.raises(StepUpExpired) as caught:
        run(provider)
    assert caught.value.details == {"trouble": "https://p.example/token answered with text/html"}


@pytest.mark.parametrize("jump", [3600.0, -3600.0, -1_800_000_000.0])
def test_the_wall_clock_may_jump(jump: float) -> None:
    """DEV-18."""
    provider = scripted(PENDING, PENDING, tokens())

    def tick(left: float) -> None:
        if 892 < left < 893.5:
            provider.clock.wall += jump

    run(provider, tick=tick)
    assert provider.polled_at == [5, 10, 15]


def test_a_machine_that_slept_through_it_finds_the_code_expired() -> None:
    """DEV-09."""
    provider = scripted(PENDING, tokens())

    def tick(left: float) -> None:
        if left < 893:
            provider.clock.steady += 10_000

    with pytest.raises(StepUpExpired):
        run(provider, tick=tick)


def test_it_ticks_about_once_a_second_and_never_sleeps_longer() -> None:
    provider = scripted(tokens())
    left: list[float] = []
    run(provider, tick=left.append)
    assert left == [900, 899, 898, 897, 896, 895]
    assert max(provider.clock.slept) <= 1


def test_ctrl_c_ends_the_wait_and_no_token_is_fetched() -> None:
    """DEV-20."""
    provider = scripted(tokens())

    def tick(left: float) -> None:
        if left < 898:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(provider, tick=tick)
    assert provider.polled_at == []


def test_the_start_of_the_flow_is_by_the_providers_clock() -> None:
    provider = scripted(tokens(), answered_at=1_800_000_030.0)
    grant = run(provider)
    assert (grant.started_at, grant.skew_s) == (1_800_000_030.0, 30.0)
    grant = run(scripted(tokens()))
    assert (grant.started_at, grant.skew_s) == (1_800_000_000.0, 0.0)


@pytest.mark.parametrize(("ahead", "side"), [(612.0, "behind"), (-612.0, "ahead of")])
def test_a_clock_that_is_far_off_ends_the_flow_before_anybody_is_asked(ahead: float, side: str) -> None:
    """IDT-21."""
    provider = scripted(tokens(), answered_at=1_800_000_000.0 + ahead)
    shown: list[DeviceAuthorization] = []
    with pytest.raises(LoginNeeded) as caught:
        obtain(provider, REQUEST, clock=provider.clock, show=shown.append, tick=lambda left: None)  # type: ignore[arg-type]
    assert caught.value.message == (
        f"this machine's clock is 10m12s {side} p.example: the age of a sign-in cannot be checked"
    )
    assert (shown, provider.polled_at) == ([], [])


@pytest.mark.parametrize("fails", [False, True])
def test_a_refresh_token_that_nobody_asked_for_is_revoked(fails: bool) -> None:
    provider = scripted(tokens(refresh_token="rt"), revocation_fails=fails)
    grant = run(provider)
    assert provider.revoked == ["refresh_token"]
    assert not hasattr(grant, "refresh_token")


def test_the_granted_scope_is_the_providers_word() -> None:
    assert run(scripted(tokens(scope="openid"))).scope == ("openid",)
    assert run(scripted(tokens(scope=""))).scope == ()


def test_the_request_is_put_together_from_preset_and_requirement() -> None:
    counter = itertools.count()
    request = device_request(
        PRESETS["keycloak"],
        REQUIREMENT,
        client_id="kube-up",
        scopes=("groups",),
        command="kubectl get secret",
        random=lambda size: f"{next(counter)}:{size}",
    )
    assert (request.client_id, request.scope, request.parameters, request.nonce) == (
        "kube-up",
        ("openid", "groups"),
        {},
        "0:24",
    )
    assert request.code_verifier == Secret("1:48")
    plain = device_request(PRESETS["okta"], REQUIREMENT, client_id="kube-up", random=str)
    assert (plain.nonce, plain.code_verifier) == (None, None)
