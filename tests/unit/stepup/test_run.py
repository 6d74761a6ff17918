from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from kubectl_stepup.audit.event import Activity, Stage
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
)
from kubectl_stepup.kubectl.captured_input import CapturedInput
from kubectl_stepup.kubectl.everyday_programs import everyday_environment
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.stepup.options import StepUpOptions
from kubectl_stepup.stepup.request import StepUpRequest
from kubectl_stepup.trusted_file import Untrusted
from tests.flows import CONFIG, RESOLVED, FakeKubectl, Replaced, World, asked, policy_of, session
from tests.support.values import RULES, repinned

OVERLAY = "/run/user/1000/kubectl-stepup/run-1/overlay"
LAB = repinned(RESOLVED, context="lab", server="https://lab.example.com")
REASONED = StepUpOptions(level="critical", reason="INC-42")


def approving(**world: Any) -> World:
    return World(approve=lambda options: session(level=options.level.name), **world)


def outcomes(world: World) -> list[tuple[str, str, str, int | None]]:
    """What was recorded: id, activity/stage, result, exit code."""
    return [
        (event.audit_id, f"{event.activity.value} {event.stage.value}", event.result, event.exit_code)
        for event in world.audit.events
    ]


# -- routine commands ---------------------------------------------------------------------------------------------


def test_a_routine_command_takes_our_place_and_leaves_no_trace() -> None:
    world = World()
    with pytest.raises(Replaced) as caught:
        world.execute("get", "pods", "-o", "json")
    assert caught.value.argv == ("get", "pods", "-o", "json")
    assert caught.value.environ == world.environ
    assert (world.terminal.said, world.audit.events, world.store.keys(), world.kubectl.ran) == ([], [], [], [])


def test_a_routine_command_keeps_its_redirecting_flags() -> None:
    with pytest.raises(Replaced) as caught:
        World().execute("get", "pods", "--token=x", "-s", "https://elsewhere")
    assert caught.value.argv == ("get", "pods", "--token=x", "-s", "https://elsewhere")


def test_bytes_that_were_read_to_judge_are_given_to_kubectl_again() -> None:
    world = World(captured=CapturedInput(stdin=(b"kind: ConfigMap\n",)), kubectl=FakeKubectl(exit_code=7))
    world.policy = policy_of(rules="")
    assert world.execute("apply", "-f", "-") == 7
    (ran,) = world.kubectl.ran
    assert (ran.argv, ran.stdin, ran.environ, ran.pass_fds) == (
        ("apply", "--context=prod", "-f", "-"),
        b"kind: ConfigMap\n",
        world.environ,
        (),
    )
    assert world.audit.events == []


def test_empty_standard_input_that_was_read_is_empty_again() -> None:
    world = World(captured=CapturedInput(stdin=(b"",)), policy=policy_of(rules=""))
    world.execute("apply", "-f", "-")
    assert world.kubectl.ran[0].stdin == b""


def test_kubectl_missing_for_a_routine_command() -> None:
    world = World(kubectl=FakeKubectl(missing=KubectlNotFound("kubectl is not on PATH")))
    with pytest.raises(KubectlNotFound):
        world.execute("get", "pods")


def test_a_rule_in_warn_mode_says_so_and_the_command_runs() -> None:
    rules = 'rules:\n  - {name: soon, do: [delete], mode: warn, needs: mfa, message: "ask \x1b[2J Ops"}\n'
    world = World(policy=policy_of(rules=rules.replace("\x1b", "\\e")))
    with pytest.raises(Replaced):
        world.execute("delete", "pod", "x")
    assert world.terminal.said == [
        "warning: rule soon will ask for mfa: delete pods/x in namespace shop",
        'message of rule soon, from policy.yaml: "ask \\u{1b}[2J Ops"',
    ]


def test_a_rule_in_audit_mode_leaves_a_record() -> None:
    world = World(policy=policy_of(rules="rules:\n  - {name: watched, do: [delete], mode: audit, needs: mfa}\n"))
    with pytest.raises(Replaced):
        world.execute("delete", "pod", "x")
    assert [event.rules for event in world.audit.events] == [("watched",)]


# -- contexts that are not enrolled -------------------------------------------------------------------------------


def test_an_unenrolled_context_runs_with_one_line() -> None:
    world = World(contexts=(LAB,))
    with pytest.raises(Replaced) as caught:
        world.execute("delete", "pod", "x")
    assert caught.value.argv == ("delete", "pod", "x")
    assert world.terminal.said == [
        "Context lab is not enrolled: running with your everyday login, without step-up. "
        "Enrol it: kubectl stepup setup --context lab"
    ]
    assert world.audit.events == []


def test_without_any_context_the_line_names_none() -> None:
    world = World(contexts=(), config=replace(CONFIG, clusters=()))
    with pytest.raises(Replaced):
        world.execute("delete", "pod", "x")
    assert world.terminal.said == ["No context is enrolled here: running with your everyday login, without step-up"]


@pytest.mark.parametrize("unenrolled", ["run", "refuse"])
def test_where_no_context_can_be_read_a_sensitive_command_is_refused_with_the_reason(unenrolled: str) -> None:
    world = World(contexts=(), config=replace(CONFIG, unenrolled=unenrolled))
    with pytest.raises(KubeconfigError) as caught:
        world.execute("delete", "pod", "x", "--context", "gone")
    assert caught.value.message == (
        "context 'gone' is not in /home/alice/.kube/config: refused, as the command may go to an enrolled cluster"
    )
    (event,) = world.audit.events
    assert (event.activity, event.result, event.context) == (Activity.REFUSAL, "kubeconfig-invalid", "gone")
    assert event.rules == ("deletes",)
    assert (world.kubectl.ran, world.asked) == ([], [])


def test_where_no_context_can_be_read_a_routine_command_is_left_to_kubectl() -> None:
    world = World(contexts=())
    with pytest.raises(Replaced):
        world.execute("get", "pods", "--context", "gone")
    assert (world.terminal.said, world.audit.events) == ([], [])


@pytest.mark.parametrize("contexts", [(LAB,), (LAB, RESOLVED), ()])
def test_an_enrolled_server_is_not_reached_past_its_context(contexts: Any) -> None:
    world = World(contexts=contexts)
    with pytest.raises(CommandRefused, match=r"^--server in a command that needs level mfa"):
        world.execute("delete", "pod", "x", f"--server={RESOLVED.server}")
    assert [event.result for event in world.audit.events] == ["command-refused"]


def test_an_enrolled_server_without_a_context_is_no_place_for_a_level() -> None:
    with pytest.raises(NotEnrolled, match=r"so level mfa cannot be reached$"):
        World(contexts=()).execute("get", "pods", f"--server={RESOLVED.server}", options=StepUpOptions(level="mfa"))


def test_no_level_is_reached_where_no_context_can_be_read() -> None:
    with pytest.raises(KubeconfigError, match=r"^context None is not in "):
        World(contexts=()).execute("get", "pods", options=StepUpOptions(level="mfa"))


def test_a_routine_command_in_an_unenrolled_context_says_nothing() -> None:
    world = World(contexts=(LAB,))
    with pytest.raises(Replaced):
        world.execute("get", "pods")
    assert world.terminal.said == []


def test_what_would_be_refused_where_it_counts_runs_where_nothing_elevated_is_at_stake() -> None:
    world = World(contexts=(LAB,))
    with pytest.raises(Replaced):
        world.execute("delete", "pod", "x", "--token=mine")
    assert "not enrolled" in world.terminal.said[0]


@pytest.mark.parametrize(
    ("contexts", "words", "name"), [((LAB,), (), "lab"), ((), ("--server=https://lab.example.com",), None)]
)
def test_the_config_may_refuse_sensitive_commands_in_unenrolled_contexts(
    contexts: Any, words: tuple[str, ...], name: str | None
) -> None:
    world = World(contexts=contexts, config=replace(CONFIG, unenrolled="refuse"))
    with pytest.raises(NotEnrolled) as caught:
        world.execute("delete", "pod", "x", *words)
    assert caught.value.message == (
        f"context {name or '<none>'} is not enrolled, and the config refuses sensitive commands there"
    )
    assert caught.value.hint == f"kubectl stepup setup --context {name or 'NAME'} --issuer URL --client-id ID"
    (event,) = world.audit.events
    assert (event.activity, event.result, event.context, event.command) == (
        Activity.REFUSAL,
        "not-enrolled",
        name,
        ("delete", "pod", "x", *words),
    )
    assert event.rules == ("deletes",)


def test_a_hostile_context_name_is_quoted_in_the_command_to_type() -> None:
    hostile = repinned(RESOLVED, context="x; rm -rf ~", server="https://lab.example.com")
    world = World(contexts=(hostile,), config=replace(CONFIG, unenrolled="refuse"))
    with pytest.raises(NotEnrolled) as caught:
        world.execute("delete", "pod", "x")
    assert caught.value.hint == "kubectl stepup setup --context 'x; rm -rf ~' --issuer URL --client-id ID"


# -- denials -----------------------------------------------------------------------------------------------------


def test_an_unknown_command_is_refused_and_recorded() -> None:
    world = World()
    with pytest.raises(CommandRefused) as caught:
        world.execute("frobnicate", "pod", "x")
    assert caught.value.code == "command-refused"
    assert "frobnicate" in caught.value.message
    assert outcomes(world) == [("id-1", "refusal ResponseComplete", "command-refused", None)]
    assert world.audit.events[0].context == "prod"
    assert world.kubectl.ran == []


def test_an_unknown_command_is_refused_in_an_unenrolled_context_too() -> None:
    world = World(contexts=(LAB,))
    with pytest.raises(CommandRefused):
        world.execute("frobnicate")
    assert world.kubectl.ran == []


REDIRECTING = [
    ("--server=https://evil", "--server"),
    ("-s=https://evil", "--server"),
    ("--token=x", "--token"),
    ("--user=root", "--user"),
    ("--cluster=other", "--cluster"),
    ("--username=u", "--username"),
    ("--password=p", "--password"),
    ("--client-certificate=c", "--client-certificate"),
    ("--client-key=k", "--client-key"),
    ("--certificate-authority=evil.pem", "--certificate-authority"),
    ("--insecure-skip-tls-verify", "--insecure-skip-tls-verify"),
    ("--tls-server-name=evil", "--tls-server-name"),
    ("--proxy-url=http://evil", "--proxy-url"),
    ("--as=system:admin", "--as"),
    ("--as_group=system:masters", "--as-group"),
    ("--as-uid=0", "--as-uid"),
    ("--as-user-extra=a=b", "--as-user-extra"),
]


@pytest.mark.parametrize(("flag", "name"), REDIRECTING)
@pytest.mark.parametrize(
    ("words", "options"),
    [(("delete", "pod", "x"), StepUpOptions()), (("get", "pods"), StepUpOptions(level="mfa", reason="why"))],
    ids=["sensitive", "asked"],
)
def test_a_flag_that_redirects_credentials_is_refused_by_name(
    flag: str, name: str, words: tuple[str, ...], options: StepUpOptions
) -> None:
    world = World()
    world.put(session())  # even with a live session
    with pytest.raises(CommandRefused) as caught:
        world.execute(*words, flag, options=options)
    assert name in caught.value.message.replace(",", " ").split()
    assert (world.kubectl.ran, world.asked, world.terminal.prompts) == ([], [], [])
    assert [event.result for event in world.audit.events] == ["command-refused"]


def test_every_redirecting_flag_is_named() -> None:
    with pytest.raises(CommandRefused) as caught:
        World().execute("get", "pods", "--user=a", "--token=x", options=StepUpOptions(level="mfa"))
    assert caught.value.message == (
        "--token, --user cannot stand in a stepped-up command: the elevated token is for the enrolled cluster and "
        "account alone"
    )
    assert caught.value.hint == "repeat the command without it, or run kubectl itself with your everyday login"


def test_what_is_refused_anyway_is_refused_without_asking_for_a_reason_first() -> None:
    world = World()
    with pytest.raises(CommandRefused) as caught:
        world.execute("get", "pods", "--as=root", options=StepUpOptions(level="mfa"))
    assert "--as" in caught.value.message
    assert [event.result for event in world.audit.events] == ["command-refused"]


def test_a_proxy_is_never_run_elevated() -> None:
    world = World(policy=policy_of(rules=""))
    with pytest.raises(CommandRefused) as caught:
        world.execute("proxy", options=StepUpOptions(level="mfa"))
    assert caught.value.message == "kubectl proxy cannot be stepped up: every local program could use its port"
    assert caught.value.hint == "kubectl stepup exec -- get --raw PATH"
    with pytest.raises(CommandRefused):
        World().execute("proxy")


def test_a_changed_cluster_is_refused_before_anybody_is_asked() -> None:
    """KCFG-13."""
    world = approving(contexts=(repinned(RESOLVED, ca_sha256="00" * 32),))
    with pytest.raises(ClusterChanged):
        world.execute("delete", "pod", "x")
    assert (world.asked, world.kubectl.ran) == ([], [])
    assert outcomes(world) == [("id-1", "refusal ResponseComplete", "cluster-changed", None)]


def test_a_changed_cluster_does_not_stop_routine_commands() -> None:
    with pytest.raises(Replaced):
        World(contexts=(repinned(RESOLVED, ca_sha256="00" * 32),)).execute("get", "pods")


@pytest.mark.parametrize(
    "error", [KubectlNotFound("kubectl is not on PATH"), KubectlNotExecutable("/bin/kubectl cannot be executed")]
)
def test_a_kubectl_that_is_missing_is_said_before_anybody_is_asked(error: StepUpError) -> None:
    world = approving(kubectl=FakeKubectl(missing=error))
    with pytest.raises(type(error)) as caught:
        world.execute("delete", "pod", "x")
    assert caught.value is error
    assert (world.asked, world.terminal.said) == ([], [])
    assert [event.result for event in world.audit.events] == [error.code]


def test_a_kubectl_that_others_can_replace_is_not_run_elevated() -> None:
    fault = Untrusted("/opt/bin", "can be changed by other users", "chmod go-w /opt/bin")
    world = approving(kubectl=FakeKubectl(writable=fault))
    with pytest.raises(CommandRefused) as caught:
        world.execute("delete", "pod", "x")
    assert caught.value.message == "/opt/bin can be changed by other users, so /usr/bin/kubectl is not run elevated"
    assert caught.value.hint == "chmod go-w /opt/bin"
    assert (world.asked, world.kubectl.ran) == ([], [])
    with pytest.raises(Replaced):
        world.execute("get", "pods")


def test_a_plugin_that_others_can_replace_is_not_run_elevated() -> None:
    fault = Untrusted("/opt/bin", "can be changed by other users", "chmod go-w /opt/bin")
    policy = policy_of(rules="commands: {who: mfa, ls: allow}\n")
    world = approving(kubectl=FakeKubectl(plugin_writable=fault), policy=policy)
    with pytest.raises(CommandRefused) as caught:
        world.execute("who", "am", "i")
    assert caught.value.message == (
        "/opt/bin can be changed by other users, so the plugin for kubectl who is not run elevated"
    )
    assert (world.asked, world.kubectl.ran) == ([], [])
    with pytest.raises(Replaced):
        world.execute("ls")


def test_a_kubectl_that_becomes_unsafe_while_somebody_is_asked_is_not_run_elevated() -> None:
    kubectl = FakeKubectl()
    world = approving(kubectl=kubectl)
    approve = world.approve
    fault = Untrusted("/opt/bin", "can be changed by other users", "chmod go-w /opt/bin")

    def approve_late(options: StepUpRequest) -> ElevationSession:
        kubectl.writable = fault
        assert approve is not None
        return approve(options)

    world.approve = approve_late
    with pytest.raises(CommandRefused, match="/opt/bin can be changed by other users"):
        world.execute("delete", "pod", "x")
    assert (len(world.asked), kubectl.ran, world.lent) == (1, [], [])
    assert [event.result for event in world.audit.events][-1] == "command-refused"


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (StepUpDenied("denied"), "denied"),
        (InteractionRequired("nobody"), "interaction-required"),
    ],
)
def test_a_refusal_is_recorded_once_and_nothing_runs(error: StepUpError, result: str) -> None:
    def refuse(options: StepUpRequest) -> ElevationSession:
        raise error

    world = World(approve=refuse)
    with pytest.raises(type(error)):
        world.execute("delete", "pod", "x", options=StepUpOptions(reason="INC-42"))
    (event,) = world.audit.events
    assert (event.activity, event.stage, event.result) == (Activity.REFUSAL, Stage.RESPONSE_COMPLETE, result)
    assert (event.cluster, event.level, event.rules, event.command, event.reason) == (
        "prod-eu",
        "mfa",
        ("deletes",),
        ("delete", "pod", "x"),
        "INC-42",
    )
    assert (world.kubectl.ran, world.lent) == ([], [])


def test_ctrl_c_at_the_prompt_runs_nothing_and_keeps_nothing() -> None:
    def interrupt(options: StepUpRequest) -> ElevationSession:
        raise KeyboardInterrupt

    world = World(approve=interrupt)
    with pytest.raises(KeyboardInterrupt):
        world.execute("delete", "pod", "x")
    assert (world.kubectl.ran, world.store.keys(), world.locked) == ([], [], [])


# -- elevated runs ------------------------------------------------------------------------------------------------


def test_an_elevated_run_is_recorded_before_and_after_with_kubectls_exit_code() -> None:
    world = approving(kubectl=FakeKubectl(exit_code=3))
    world.kubectl.on_run = lambda: during.append(len(world.audit.events))
    during: list[int] = []
    assert world.execute("delete", "pod", "x") == 3
    assert outcomes(world) == [
        ("id-1", "elevation ResponseComplete", "approved", None),
        ("id-1", "run RequestReceived", "approved", None),
        ("id-1", "run ResponseComplete", "approved", 3),
    ]
    assert during == [2]


def test_a_reused_session_gives_the_run_an_id_of_its_own() -> None:
    world = approving()
    world.execute("delete", "pod", "x")
    world.execute("delete", "pod", "y")
    assert len(world.asked) == 1
    assert outcomes(world)[3:] == [
        ("id-2", "run RequestReceived", "reused", None),
        ("id-2", "run ResponseComplete", "reused", 0),
    ]


def test_the_overlay_has_the_context_with_the_elevated_user_and_no_secret() -> None:
    world = approving(contexts=(replace(RESOLVED, context_raw={"extensions": [{"name": "x", "extension": {}}]}),))
    world.execute("delete", "pod", "x")
    (ran,) = world.kubectl.ran
    assert ran.pass_fds == (9,)
    assert json.loads(ran.files[OVERLAY]) == {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "prod",
        "contexts": [
            {
                "name": "prod",
                "context": {
                    "cluster": "prod-cluster",
                    "user": "stepup:mfa",
                    "namespace": "shop",
                    "extensions": [{"name": "x", "extension": {}}],
                },
            }
        ],
        "users": [
            {
                "name": "stepup:mfa",
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1",
                        "command": "/opt/kubectl-stepup",
                        "args": ["credential", "--session", session().id],
                        "env": None,
                        "interactiveMode": "IfAvailable",
                        "provideClusterInfo": True,
                        "installHint": "kubectl stepup is not where this entry says: https://kubectl-stepup.github.io",
                    }
                },
            }
        ],
    }
    everything = f"{ran.argv}{ran.environ}{ran.files}"
    assert session().token.reveal() not in everything


def test_the_overlay_names_the_level_that_serves() -> None:
    world = World()
    world.put(session(level="strong"))
    world.execute("delete", "pod", "x")
    (ran,) = world.kubectl.ran
    assert b'"user":"stepup:strong"' in ran.files[OVERLAY]
    assert session(level="strong").id.encode() in ran.files[OVERLAY]
    assert ran.environ["KUBECTL_STEPUP_NESTED"] == world.audit.events[-1].audit_id


def test_the_environment_of_the_child() -> None:
    world = approving()
    world.environ |= {
        "KUBECONFIG": "/a:/b",
        "KUBECTL_EXTERNAL_DIFF": "evil",
        "KUBERNETES_MASTER": "https://evil",
        "KUBECTL_ENABLE_CMD_SHADOW": "true",
        "KUBECTL_COMMAND_HEADERS": "0",
        "EDITOR": "vi",
        "HTTPS_PROXY": "http://proxy:3128",
    }
    world.kubeconfig_files = ("/a", "/b")
    world.execute("delete", "pod", "x")
    environ = world.kubectl.ran[0].environ
    assert everyday_environment(environ) == world.environ
    assert environ.pop("KUBECTL_STEPUP_EVERYDAY")
    assert environ == {
        "PATH": "/usr/bin",
        "HOME": "/home/alice",
        "EDITOR": "/opt/python unelevated.py EDITOR",
        "KUBE_EDITOR": "/opt/python unelevated.py KUBE_EDITOR",
        "KUBECTL_EXTERNAL_DIFF": "/opt/kubectl-stepup unelevated-differ",
        "HTTPS_PROXY": "http://proxy:3128",
        "KUBECONFIG": f"{OVERLAY}:/a:/b",
        "KUBERC": "off",
        "KUBECTL_KUBERC": "false",
        "KUBECTL_STEPUP_NESTED": "id-1",
    }
    assert world.environ["KUBECONFIG"] == "/a:/b"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("delete", "pod", "x", "--kubeconfig=/k"), ("delete", "pod", "x")),
        (("delete", "--kubeconfig", "/k", "pod", "x"), ("delete", "pod", "x")),
        (
            ("exec", "-it", "db", "--kubeconfig", "/k", "--", "psql", "--kubeconfig", "/k"),
            ("exec", "--stdin=true", "--tty=true", "db", "--", "psql", "--kubeconfig", "/k"),
        ),
    ],
)
def test_a_kubeconfig_flag_becomes_part_of_the_environment(words: tuple[str, ...], expected: tuple[str, ...]) -> None:
    world = approving()
    world.execute(*words)
    (ran,) = world.kubectl.ran
    assert ran.argv == expected
    assert ran.environ["KUBECONFIG"] == f"{OVERLAY}:/k"


def test_standard_input_that_was_read_is_replayed_byte_for_byte() -> None:
    world = approving(
        captured=CapturedInput(stdin=(b"\x00\xff\r\n---\n",)),
        policy=policy_of(rules=RULES.partition("  - {name: power")[0]),
    )
    world.execute("delete", "-f", "-")
    assert world.kubectl.ran[0].stdin == b"\x00\xff\r\n---\n"


def test_the_manifests_that_were_judged_are_those_that_are_sent() -> None:
    """POL-14."""
    world = approving(
        captured=CapturedInput(objects=b'{"kind":"Pod"}'),
        policy=policy_of(rules=RULES.partition("  - {name: power")[0]),
    )
    world.execute("delete", "-n", "shop", "-Rf", "manifests", "--kubeconfig=/k")
    (ran,) = world.kubectl.ran
    assert ran.argv == ("delete", "--namespace=shop", "--filename=/captured/1/manifests")
    assert (ran.files["/captured/1/manifests"], ran.pass_fds, ran.stdin) == (b'{"kind":"Pod"}', (9, 21), None)
    assert world.kubectl.files == {}


@pytest.mark.parametrize("place", ["https://example.com/pod.yaml", "/srv/shared/pod.yaml"])
def test_an_allowed_command_sends_what_was_evaluated_too(place: str) -> None:
    world = World(
        captured=CapturedInput(objects=b'{"kind":"Pod"}'),
        policy=policy_of(rules=""),
        kubectl=FakeKubectl(exit_code=3),
    )
    assert world.execute("apply", "--kubeconfig=/k", "-f", place) == 3
    (ran,) = world.kubectl.ran
    assert (ran.argv, ran.files, ran.environ) == (
        ("apply", "--context=prod", "--kubeconfig=/k", "--filename=/captured/0/pod.yaml"),
        {"/captured/0/pod.yaml": b'{"kind":"Pod"}'},
        dict(world.environ),
    )


@pytest.mark.parametrize("flags", [("--context=",), ("--context=lab", "--context", "")])
def test_an_empty_context_is_the_one_that_was_evaluated(flags: tuple[str, ...]) -> None:
    world = World(captured=CapturedInput(objects=b'{"kind":"Pod"}'), policy=policy_of(rules=""))
    assert world.execute("apply", "-f", "pod.yaml", *flags) == 0
    assert world.kubectl.ran[0].argv == ("apply", "--context=prod", "--filename=/captured/0/pod.yaml")


def test_standard_input_that_was_not_read_is_the_childs_own() -> None:
    world = approving()
    world.execute("delete", "pod", "x")
    assert world.kubectl.ran[0].stdin is None


@pytest.mark.parametrize(("options", "limit"), [(StepUpOptions(), None), (REASONED, 3600)])
def test_the_level_says_how_long_an_elevated_child_may_run(options: StepUpOptions, limit: float | None) -> None:
    """POL-40."""
    world = approving()
    world.execute("delete", "pod", "x", options=options)
    assert world.kubectl.ran[0].limit_s == limit


def test_a_command_whose_time_is_up_is_told_so_and_has_an_exit_code_and_a_result_of_its_own() -> None:
    world = approving(kubectl=FakeKubectl(exit_code=129, left_s=(60.0, 0.0)))

    assert world.execute("delete", "pod", "x", options=REASONED) == 124
    assert world.terminal.said == [
        "warning: level critical lets a command run for 1h: this one is ended in 1m",
        "error: time is up: level critical lets a command run for 1h; hanging up",
    ]
    assert outcomes(world)[-1] == ("id-1", "run ResponseComplete", "timed-out", 124)


def test_a_command_that_was_only_warned_ends_as_it_wants() -> None:
    world = approving(kubectl=FakeKubectl(exit_code=3, left_s=(60.0,)))

    assert world.execute("delete", "pod", "x", options=REASONED) == 3
    assert outcomes(world)[-1] == ("id-1", "run ResponseComplete", "approved", 3)


def test_what_is_lent_is_lent_for_the_run_alone() -> None:
    world = approving()
    world.execute("delete", "pod", "x")
    assert (world.kubectl.files, world.lent) == ({}, [])
    world.kubectl.fails = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        world.execute("delete", "pod", "x")
    assert (world.kubectl.files, world.lent) == ({}, [])


def test_the_audit_log_failing_does_not_stop_the_run() -> None:
    world = approving()
    world.audit.unavailable = "disk full"
    assert world.execute("delete", "pod", "x") == 0
    assert world.terminal.warnings == ["warning: not recorded: disk full"]


def test_a_run_that_could_not_be_started_is_closed_in_the_record() -> None:
    fails = KubectlNotExecutable("kubectl could not be started: exec format error")
    world = approving(kubectl=FakeKubectl(fails=fails))
    with pytest.raises(KubectlNotExecutable):
        world.execute("delete", "pod", "x")
    by_id = {event.audit_id: event.stage for event in world.audit.events}
    assert set(by_id.values()) == {Stage.RESPONSE_COMPLETE}


def test_a_warning_and_a_step_up_go_together() -> None:
    world = approving(policy=policy_of(rules=f"{RULES}  - {{name: soon, do: [delete], mode: warn, needs: strong}}\n"))
    world.execute("delete", "pod", "x")
    assert world.terminal.lines[0].startswith("warning: rule soon will ask for strong: ")
    assert len(world.kubectl.ran) == 1


def test_a_request_without_a_context_is_refused() -> None:
    with pytest.raises(NotEnrolled) as caught:
        _ = asked("delete", "pod", "x").required_context
    assert caught.value.message == "cluster prod-eu has no context"
