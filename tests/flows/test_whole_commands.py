"""Whole commands, from their words to kubectl's exit code: what is shown, sent, run and recorded."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.errors import StepUpDenied, StepUpExpired, TooWeak, WrongAccount
from kubectl_stepup.stepup.options import StepUpOptions
from kubectl_stepup.stepup.sessions import live_sessions, logout
from kubectl_stepup.ui.errors import error_text
from tests.support.fakes import FakeKubectl, FakeProvider
from tests.support.provider.cases import good
from tests.support.values import CLUSTER, NOW
from tests.support.world import World

PENDING: dict[str, Any] = {"error": "authorization_pending"}
PROMPT = """\
Step-up needed: delete pods in shop  (rule deletes, level mfa)
  cluster  prod-eu  https://api.prod.example.com
  user     alice
  command  kubectl delete pod web-0

  1. Open          https://login.example.com/device
  2. Enter code    WDJB-MJHT
  3. Approve with your second factor

This approval also covers other commands that need mfa in prod-eu, for up to 10m, from this terminal.
Approve only what you started yourself. Not opening a browser: no display."""


def approved(**claims: Any) -> dict[str, Any]:
    times = {"iat": int(NOW) + 10, "auth_time": int(NOW) + 9, "exp": int(NOW) + 910}
    return {"id_token": good(**{**times, **claims}), "token_type": "Bearer", "scope": "openid", "access_token": "at-1"}


def world_of(*answers: dict[str, Any] | BaseException, exit_code: int = 0) -> World:
    return World(provider=FakeProvider(answers=list(answers)), kubectl=FakeKubectl(exit_code=exit_code))


def delete(world: World, options: StepUpOptions | None = None) -> int:
    return world.execute("delete", "pod", "web-0", options=options)


def results(world: World) -> list[tuple[str, str, int | None]]:
    return [(event.activity.value, event.result, event.exit_code) for event in world.audit.events]


def test_the_first_command_asks_and_the_second_does_not() -> None:
    world = world_of(PENDING, approved(), exit_code=1)
    assert delete(world) == 1
    prompt, done = world.terminal.said
    assert prompt == PROMPT
    assert done.startswith("Approved: alice, level mfa (acr=mfa, amr=pwd+otp+mfa, signed in 1s ago)\n")
    world.clock.wall += 180
    world.clock.steady += 180
    assert delete(world) == 1
    assert world.terminal.said[2:] == ['Using mfa in prod-eu, approved 3m ago for "kubectl delete pod web-0"']
    assert len(world.provider.requests) == 1
    assert results(world) == [
        ("elevation", "approved", None),
        ("run", "approved", None),
        ("run", "approved", 1),
        ("run", "reused", None),
        ("run", "reused", 1),
    ]
    ids = [event.audit_id for event in world.audit.events]
    assert (len(set(ids[:3])), len(set(ids[3:])), len(set(ids))) == (1, 1, 2)


def test_nothing_of_a_token_is_in_what_the_child_gets_or_what_is_shown_or_recorded() -> None:
    """DEV-28."""
    world = world_of(approved(jti="the-jti"))
    delete(world)
    token = next(live_sessions((CLUSTER,), world.sessions())).session.token.reveal()
    seen = f"{world.kubectl.ran}{world.terminal.said}{[record.line for record in world.audit.records]}"
    for secret in (token, token.split(".")[2], "at-1", "the-jti", "device-code"):
        assert secret not in seen


@pytest.mark.parametrize("options", [StepUpOptions(once=True), StepUpOptions(fresh=True)])
def test_once_and_fresh_ask_each_time(options: StepUpOptions) -> None:
    later = {"iat": int(NOW) + 15, "auth_time": int(NOW) + 14}
    world = world_of(approved(), approved(**later))
    for _ in range(2):
        delete(world, options)
    assert len(world.provider.requests) == 2


def test_after_logout_the_next_command_asks_again() -> None:
    world = world_of(approved(), approved())
    delete(world)
    done = logout((CLUSTER,), world.sessions(), everywhere=False)
    assert [item.revoked for item in done.ended] == [True]
    world.denials.started_before = False  # a process that is started after it
    delete(world)
    assert len(world.provider.requests) == 2


def test_a_denial_is_remembered_for_what_was_already_running() -> None:
    world = world_of({"error": "access_denied", "error_description": "no\x1b[2J"})
    for _ in range(3):
        with pytest.raises(StepUpDenied) as caught:
            delete(world)
    assert error_text(caught.value) == (
        "error: step-up denied by login.example.com (access_denied: no\\u{1b}[2J)\n"
        "Nothing was run. To try again, repeat the command.\n"
        "Why a step-up is needed: kubectl stepup policy explain -- delete pod web-0"
    )
    assert (len(world.provider.requests), world.kubectl.ran, world.store.keys()) == (1, [], [])
    assert results(world) == [("refusal", "denied", None)] * 3


def test_a_code_that_nobody_approves_expires() -> None:
    """DEV-19."""
    world = world_of()
    with pytest.raises(StepUpExpired):
        delete(world)
    assert world.clock.now() - NOW == pytest.approx(600)
    assert results(world) == [("refusal", "expired", None)]


@pytest.mark.parametrize(
    ("claims", "kind", "result"),
    [({"acr": "1"}, TooWeak, "too-weak"), ({"sub": "mallory"}, WrongAccount, "wrong-account")],
)
def test_an_answer_that_proves_too_little_runs_nothing(claims: dict[str, Any], kind: Any, result: str) -> None:
    world = world_of(approved(**claims))
    with pytest.raises(kind):
        delete(world)
    assert (world.kubectl.ran, world.store.keys(), results(world)) == ([], [], [("refusal", result, None)])
    assert world.provider.revoked == [("at-1", "access_token", "kubectl-elevated")]
    assert not any("Approved" in said for said in world.terminal.said)


def test_ctrl_c_while_waiting_runs_nothing_and_asks_anew_next_time() -> None:
    """DEV-20."""
    world = world_of(KeyboardInterrupt(), approved())
    with pytest.raises(KeyboardInterrupt):
        delete(world)
    assert (world.kubectl.ran, world.store.keys(), world.locked, world.terminal.typed_ahead) == ([], [], [], "")
    assert delete(world) == 0
    assert len(world.provider.requests) == 2
