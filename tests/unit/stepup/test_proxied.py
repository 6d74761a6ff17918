"""Commands that go through a proxy subresource: read here, or not at all, with a record of both ends."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.errors import ClusterChanged, CredentialWithheld, ProxyRefused
from kubectl_stepup.stepup.options import StepUpOptions
from tests.flows import Replaced, World, policy_of, session

PATH = "/api/v1/namespaces/prod/pods/web-0:8080/proxy/metrics"
OTHER = ("get", "pods", "web-0", "--subresource=proxy")
ONLY_DELETES = policy_of("rules:\n  - {name: deletes, do: [delete], needs: mfa}\n")


def approving(**world: Any) -> World:
    return World(approve=lambda options: session(level=options.level.name), **world)


def outcomes(world: World) -> list[tuple[str, str, str, int | None]]:
    return [
        (event.audit_id, f"{event.activity.value} {event.stage.value}", event.result, event.exit_code)
        for event in world.audit.events
    ]


@pytest.mark.parametrize("exit_code", [0, 1, 130])
def test_a_plain_read_is_not_given_to_kubectl(exit_code: int) -> None:
    world = approving()
    world.reader.exit_code = exit_code

    assert world.execute("get", "--raw", PATH) == exit_code
    assert [(path, given.token.reveal()) for path, given in world.reader.reads] == [
        (PATH, session(level="strong").token.reveal())
    ]
    assert world.kubectl.ran == []
    assert outcomes(world) == [
        ("id-1", "elevation ResponseComplete", "approved", None),
        ("id-1", "run RequestReceived", "approved", None),
        ("id-1", "run ResponseComplete", "approved", exit_code),
    ]


def test_without_a_rule_that_asks_kubectl_reads_with_the_everyday_login() -> None:
    world = approving()
    with pytest.raises(Replaced) as caught:
        world.execute("get", "--raw", "/api/v1/namespaces/prod/pods/web-0/status")
    assert caught.value.argv[0] == "get"
    assert world.reader.reads == []


def test_a_stronger_level_that_is_named_does_not_bring_kubectl_back() -> None:
    world = approving()
    assert world.execute("get", "--raw", PATH, options=StepUpOptions(level="critical", reason="INC-1")) == 0
    assert [given.level for _, given in world.reader.reads] == ["critical"]
    assert world.reader.limits == [3600.0]
    assert world.kubectl.ran == []


def test_a_read_whose_time_is_up_ends_as_a_command_does() -> None:
    world = approving()
    world.reader.left_s = (60.0, 0.0)
    world.reader.exit_code = 129

    assert world.execute("get", "--raw", PATH, options=StepUpOptions(level="critical", reason="INC-1")) == 124
    assert outcomes(world)[-1][2:] == ("timed-out", 124)


@pytest.mark.parametrize("options", [StepUpOptions(), StepUpOptions(level="strong")])
def test_any_other_form_is_refused_before_anybody_is_asked(options: StepUpOptions) -> None:
    world = approving()
    with pytest.raises(ProxyRefused) as caught:
        world.execute(*OTHER, options=options)
    assert caught.value.code == "proxy-refused"
    assert caught.value.hint == "kubectl stepup exec -- port-forward -n shop pod/web-0 PORT"
    assert (world.asked, world.kubectl.ran, world.reader.reads) == ([], [], [])
    assert [event.result for event in world.audit.events] == ["proxy-refused"]


def test_a_level_that_is_named_for_a_command_that_needs_none_changes_nothing() -> None:
    """Nothing asks for a step-up to read a node through its proxy here: but this command would be elevated."""
    world = approving(policy=ONLY_DELETES)
    with pytest.raises(ProxyRefused) as caught:
        world.execute("get", "node", "n1", "--subresource=proxy", options=StepUpOptions(level="mfa"))
    assert caught.value.hint == "kubectl stepup exec -- get --raw /api/v1/nodes/n1/proxy/PATH"

    assert world.execute("get", "--raw", PATH, options=StepUpOptions(level="mfa")) == 0
    assert [path for path, _ in world.reader.reads] == [PATH]


def test_a_server_that_cannot_be_trusted_is_said_before_anybody_is_asked() -> None:
    world = approving(unreadable=ClusterChanged("the CA of cluster prod-eu is not what was enrolled"))
    with pytest.raises(ClusterChanged):
        world.execute("get", "--raw", PATH)
    assert world.terminal.prompts == []
    assert [event.result for event in world.audit.events] == ["cluster-changed"]


def test_a_token_that_is_withheld_is_on_record() -> None:
    world = approving()
    world.reader.fails = CredentialWithheld("the session is for another cluster")
    with pytest.raises(CredentialWithheld):
        world.execute("get", "--raw", PATH)
    assert outcomes(world)[-1][1:3] == ("run ResponseComplete", "credential-withheld")
