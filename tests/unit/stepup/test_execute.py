from __future__ import annotations

from dataclasses import replace

import pytest

from kubectl_stepup.errors import CommandRefused, ConfigError, NotEnrolled, UsageError
from kubectl_stepup.stepup.options import StepUpOptions, TargetOptions
from kubectl_stepup.stepup.request import request_in
from tests.flows import CLUSTER, CONFIG, POLICY, RESOLVED, Replaced, World, asked, cluster, policy_of, session
from tests.support.values import repinned

LAB = repinned(RESOLVED, context="lab", server="https://lab.example.com")

OVERLAY = "/run/user/1000/kubectl-stepup/run-1/overlay"


def approving(**world: object) -> World:
    return World(approve=lambda options: session(level=options.level.name), **world)  # type: ignore[arg-type]


def test_a_sensitive_command_becomes_a_wish_with_all_that_is_known() -> None:
    world = approving()
    options = StepUpOptions(fresh=True, once=True, reason="INC-42", browser=False)
    world.execute("delete", "pod", "web-0", options=options)
    assert world.asked == [
        asked("delete", "pod", "web-0", fresh=True, once=True, reason="INC-42", browser=False, resolved=RESOLVED)
    ]


def test_the_command_is_what_kubectl_gets() -> None:
    world = approving()
    world.execute("delete", "pod", "web-0", target=TargetOptions(context="prod", namespace="n"))
    assert world.asked[0].command == ("delete", "--context=prod", "--namespace=n", "pod", "web-0")
    assert world.asked[0].summary == "delete pods in n"


def test_the_strongest_rule_decides_the_level_and_all_are_named() -> None:
    world = approving()
    world.execute("delete", "clusterrole", "x", options=StepUpOptions(reason="INC-42"))
    assert world.asked[0].level == POLICY.level("critical")
    assert world.asked[0].rules == ("deletes", "power")


@pytest.mark.parametrize("level", ["mfa", "strong"])
def test_a_level_may_be_named_for_a_routine_command(level: str) -> None:
    world = approving()
    assert world.execute("get", "pods", options=StepUpOptions(level=level)) == 0
    assert world.asked[0].level.name == level
    assert (world.asked[0].rules, world.asked[0].summary) == ((), "kubectl get")
    assert len(world.kubectl.ran) == 1


@pytest.mark.parametrize("level", ["mfa", "strong", "critical"])
def test_a_level_at_least_as_strong_as_policys_may_be_named(level: str) -> None:
    world = approving()
    world.execute("delete", "pod", "x", options=StepUpOptions(level=level, reason="INC-42"))
    assert world.asked[0].level.name == level


def test_a_weaker_level_than_policys_is_refused() -> None:
    world = approving()
    with pytest.raises(UsageError) as caught:
        world.execute("exec", "web-0", "--", "sh", options=StepUpOptions(level="mfa"))
    assert caught.value.message == "level mfa is weaker than strong, which policy asks for"
    assert (world.asked, world.kubectl.ran) == ([], [])


def test_an_unknown_level_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        World().execute("delete", "pod", "x", options=StepUpOptions(level="gold"))
    assert caught.value.message == "there is no level 'gold' in the policy; its levels are mfa, strong, critical"


def test_a_named_level_is_not_reached_by_a_weaker_session() -> None:
    world = approving()
    world.put(session())
    world.execute("delete", "pod", "x", options=StepUpOptions(level="strong"))
    assert [options.level.name for options in world.asked] == ["strong"]


def test_a_level_that_cannot_be_reached_is_not_dropped_in_silence() -> None:
    world = World(contexts=(LAB,))
    with pytest.raises(NotEnrolled):
        world.execute("get", "pods", options=StepUpOptions(level="mfa"))


def test_a_reason_that_the_rule_asks_for() -> None:
    rules = "rules:\n  - {name: deletes, do: [delete], needs: mfa, reason: required}\n"
    world = approving(policy=policy_of(rules=rules))
    with pytest.raises(CommandRefused) as caught:
        world.execute("delete", "pod", "x")
    assert caught.value.message == "level mfa asks for a reason"
    assert world.execute("delete", "pod", "x", options=StepUpOptions(reason="INC-42")) == 0


def test_a_ticket_that_the_rule_asks_for() -> None:
    rules = 'rules:\n  - {name: deletes, do: [delete], needs: mfa, ticket: "INC-*"}\n'
    world = approving(policy=policy_of(rules=rules))
    for reason in (None, "because"):
        with pytest.raises(CommandRefused):
            world.execute("delete", "pod", "x", options=StepUpOptions(reason=reason))
    assert world.execute("delete", "pod", "x", options=StepUpOptions(reason="INC-42 disk full")) == 0


def test_a_reason_is_asked_for_even_where_a_session_would_serve() -> None:
    rules = "rules:\n  - {name: deletes, do: [delete], needs: mfa, reason: required}\n"
    world = approving(policy=policy_of(rules=rules))
    world.put(session())
    with pytest.raises(CommandRefused):
        world.execute("delete", "pod", "x")
    assert world.kubectl.ran == []


def test_a_missing_reason_is_a_refusal_on_record() -> None:
    world = World()
    with pytest.raises(CommandRefused):
        world.execute("create", "clusterrole", "x", "--verb=get", "--resource=pods")
    assert [event.result for event in world.audit.events] == ["command-refused"]


def test_a_second_command_is_served_by_the_first_ones_session() -> None:
    world = approving()
    world.execute("delete", "pod", "x")
    world.execute("delete", "pod", "y")
    assert len(world.asked) == 1
    assert world.terminal.said == ['Using mfa in prod-eu, approved 0s ago for "kubectl delete pod web-0"']


def test_once_serves_no_later_command() -> None:
    world = approving()
    world.execute("delete", "pod", "x", options=StepUpOptions(once=True))
    world.execute("delete", "pod", "y")
    assert len(world.asked) == 2


def test_an_alias_context_steps_up_on_the_enrolled_cluster() -> None:
    alias = replace(RESOLVED, context="alias")
    world = approving(contexts=(alias,))
    world.execute("delete", "pod", "x")
    assert (world.asked[0].cluster, world.asked[0].context) == (CLUSTER, "alias")
    assert b'"current-context":"alias"' in world.kubectl.ran[0].files[OVERLAY]


def test_a_cluster_whose_provider_is_gone_is_a_config_error() -> None:
    world = World(config=replace(CONFIG, clusters=(cluster(provider="gone"),)))
    with pytest.raises(ConfigError) as caught:
        world.execute("delete", "pod", "x")
    assert caught.value.message == "provider 'gone' is not in the config (known: corp)"


def test_commands_that_the_policy_names_are_allowed_or_stepped_up() -> None:
    policy = policy_of(rules="commands: {stern: allow, foo: strong}\n")
    with pytest.raises(Replaced):
        World(policy=policy).execute("stern", "web")
    world = approving(policy=policy)
    world.execute("foo", "bar")
    assert (world.asked[0].level.name, world.asked[0].rules) == ("strong", ())
    assert world.asked[0].summary == "kubectl foo"


def test_a_wish_for_credential_or_login_has_no_command() -> None:
    found = request_in(CLUSTER, POLICY.level("mfa"), POLICY, World())
    assert found == asked()
