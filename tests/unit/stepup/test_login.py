from __future__ import annotations

import pytest

from kubectl_stepup.audit.event import Activity
from kubectl_stepup.errors import (
    ClusterChanged,
    CommandRefused,
    InteractionRequired,
    KubeconfigError,
    KubectlNotExecutable,
    KubectlNotFound,
    NotEnrolled,
    StepUpDenied,
    StepUpError,
    UsageError,
)
from kubectl_stepup.sessions.scope import key
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.stepup.elevate import Elevation
from kubectl_stepup.stepup.login import login
from kubectl_stepup.stepup.options import StepUpOptions, TargetOptions
from kubectl_stepup.stepup.request import StepUpRequest
from kubectl_stepup.trusted_file import Untrusted
from tests.flows import RESOLVED, World, asked, policy_of, session
from tests.support.fakes import FakeKubectl
from tests.support.values import repinned

LAB = repinned(RESOLVED, context="lab", server="https://lab.example.com")


def approving(**world: object) -> World:
    return World(approve=lambda options: session(level=options.level.name, command=""), **world)  # type: ignore[arg-type]


def logged_in(world: World, context: str | None = None, options: StepUpOptions | None = None) -> Elevation:
    return login(TargetOptions(context=context), options or StepUpOptions(), world, scope=world.scope)


def test_login_reaches_the_weakest_level_of_the_current_context() -> None:
    world = approving()
    found = logged_in(world)
    assert (found.reused, found.stored) == (False, True)
    assert world.asked == [asked(resolved=RESOLVED)]
    assert world.store.keys() == [key(session().id, world.scope)]
    assert [event.activity for event in world.audit.events] == [Activity.ELEVATION]


def test_login_takes_a_level_a_context_and_the_users_scope() -> None:
    world = approving(contexts=(LAB, RESOLVED), scope="user")
    options = StepUpOptions(level="strong", fresh=True, browser=False)
    logged_in(world, "prod", options)
    assert world.asked == [asked(level="strong", scope="user", options=options, resolved=RESOLVED)]
    assert world.store.keys() == [key(session(level="strong").id, "user")]


def test_login_with_a_live_session_asks_nobody() -> None:
    world = World()
    world.put(session(command="", age_s=65))
    assert logged_in(world).reused
    assert world.terminal.said == ["Using mfa in prod-eu, approved 1m ago by login"]


def test_a_kubectl_that_others_can_replace_is_said_before_anybody_is_asked() -> None:
    fault = Untrusted("/opt/bin", "can be changed by other users", "chmod go-w /opt/bin")
    world = approving(kubectl=FakeKubectl(writable=fault))
    with pytest.raises(CommandRefused) as caught:
        logged_in(world)
    assert caught.value.message == "/opt/bin can be changed by other users, so /usr/bin/kubectl is not run elevated"
    assert (world.asked, world.kubectl.ran, world.store.keys()) == ([], [], [])


@pytest.mark.parametrize(
    "error", [KubectlNotFound("kubectl is not on PATH"), KubectlNotExecutable("/bin/kubectl cannot be executed")]
)
def test_without_a_kubectl_there_is_a_session_all_the_same(error: StepUpError) -> None:
    """For a graphical client that has its own."""
    world = approving(kubectl=FakeKubectl(missing=error))
    assert logged_in(world).stored
    assert len(world.asked) == 1


def test_the_sessions_of_a_login_serve_the_next_command() -> None:
    world = approving()
    logged_in(world)
    assert world.execute("delete", "pod", "x") == 0
    assert len(world.asked) == 1


def test_a_level_that_keeps_no_session_has_no_login() -> None:
    world = approving()
    with pytest.raises(UsageError) as caught:
        logged_in(world, options=StepUpOptions(level="critical", reason="INC-42"))
    assert caught.value.message == "level critical is asked for each command anew: there is no session to log in to"
    assert caught.value.hint == "kubectl stepup exec --level critical -- KUBECTL ARGS"
    assert world.asked == []


def test_a_level_that_asks_for_a_reason_asks_for_it_at_login() -> None:
    levels = "levels:\n  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m, reason: required}\n"
    world = approving(policy=policy_of(rules="", levels=levels))
    with pytest.raises(CommandRefused):
        logged_in(world)
    logged_in(world, options=StepUpOptions(reason="INC-42"))
    assert world.audit.events[-1].reason == "INC-42"


def test_a_context_that_is_not_enrolled_has_no_login() -> None:
    with pytest.raises(NotEnrolled) as caught:
        logged_in(World(contexts=(LAB,)))
    assert caught.value.message == "context lab is not enrolled"
    assert caught.value.hint == "kubectl stepup setup --context lab --issuer URL --client-id ID"


def test_a_changed_cluster_has_no_login() -> None:
    with pytest.raises(ClusterChanged):
        logged_in(World(contexts=(repinned(RESOLVED, server="https://evil"),)))


def test_a_context_that_does_not_exist_is_said() -> None:
    with pytest.raises(KubeconfigError):
        logged_in(World(), "nowhere")


def test_an_unknown_level_is_said() -> None:
    with pytest.raises(UsageError):
        logged_in(World(), options=StepUpOptions(level="gold"))


def test_login_needs_a_person() -> None:
    world = World()
    world.terminal.obstacle_ = "--no-input"
    with pytest.raises(InteractionRequired):
        logged_in(world)


def test_a_denied_login_is_on_record() -> None:
    def deny(options: StepUpRequest) -> ElevationSession:
        raise StepUpDenied("denied")

    world = World(approve=deny)
    with pytest.raises(StepUpDenied):
        logged_in(world)
    assert [event.result for event in world.audit.events] == ["denied"]
