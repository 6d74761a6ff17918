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
from kubectl_stepup.flows.asked import Asked
from kubectl_stepup.flows.execute import Wish
from kubectl_stepup.flows.judge import Flags, judge
from kubectl_stepup.flows.run import run
from kubectl_stepup.policy.spool import Spool
from kubectl_stepup.session.model import ElevationSession
from tests.flows import CONFIG, RESOLVED, FakeKubectl, Replaced, World, asked, policy_of, session
from tests.flows.values import RULES

LAB = replace(RESOLVED, context="lab", server="https://lab.example.com")
REASONED = Wish(level="critical", reason="INC-42")


def approving(**world: Any) -> World:
    return World(approve=lambda wish: session(level=wish.level.name), **world)


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
    world = World(spool=Spool(stdin=(b"kind: ConfigMap\n",)), kubectl=FakeKubectl(exit_code=7))
    world.policy = policy_of(rules="")
    assert world.execute("apply", "-f", "-") == 7
    (ran,) = world.kubectl.ran
    assert (ran.argv, ran.stdin, ran.environ, ran.pass_fds) == (
        ("apply", "-f", "-"),
        b"kind: ConfigMap\n",
        world.environ,
        (),
    )
    assert world.audit.events == []


def test_empty_standard_input_that_was_read_is_empty_again() -> None:
    world = World(spool=Spool(stdin=(b"",)), policy=policy_of(rules=""))
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
    world = World(contexts=())
    with pytest.raises(Replaced):
        world.execute("delete", "pod", "x")
    assert world.terminal.said == ["No context is enrolled here: running with your everyday login, without step-up"]


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


@pytest.mark.parametrize(("contexts", "name"), [((LAB,), "lab"), ((), None)])
def test_the_config_may_refuse_sensitive_commands_in_unenrolled_contexts(contexts: Any, name: str | None) -> None:
    world = World(contexts=contexts, config=replace(CONFIG, unenrolled="refuse"))
    with pytest.raises(NotEnrolled) as caught:
        world.execute("delete", "pod", "x")
    assert caught.value.message == (
        f"context {name or '<none>'} is not enrolled, and the config refuses sensitive commands there"
    )
    assert caught.value.hint == f"kubectl stepup setup --context {name or 'NAME'} --issuer URL --client-id ID"
    (event,) = world.audit.events
    assert (event.activity, event.result, event.context, event.command) == (
        Activity.REFUSAL,
        "not-enrolled",
        name,
        ("delete", "pod", "x"),
    )
    assert event.rules == ("deletes",)


def test_a_context_that_is_named_is_the_one_that_is_said() -> None:
    world = World(contexts=(), config=replace(CONFIG, unenrolled="refuse"))
    with pytest.raises(NotEnrolled) as caught:
        world.execute("delete", "pod", "x", "--context", "gone")
    assert caught.value.message.startswith("context gone is not enrolled")


def test_a_hostile_context_name_is_quoted_in_the_command_to_type() -> None:
    hostile = replace(RESOLVED, context="x; rm -rf ~", server="https://lab.example.com")
    world = World(contexts=(hostile,), config=replace(CONFIG, unenrolled="refuse"))
    with pytest.raises(NotEnrolled) as caught:
        world.execute("delete", "pod", "x")
    assert caught.value.hint == "kubectl stepup setup --context 'x; rm -rf ~' --issuer URL --client-id ID"


# -- refusals -----------------------------------------------------------------------------------------------------


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
    ("words", "wish"),
    [(("delete", "pod", "x"), Wish()), (("get", "pods"), Wish(level="mfa", reason="why"))],
    ids=["sensitive", "asked"],
)
def test_a_flag_that_redirects_credentials_is_refused_by_name(
    flag: str, name: str, words: tuple[str, ...], wish: Wish
) -> None:
    world = World()
    world.put(session())  # even with a live session
    with pytest.raises(CommandRefused) as caught:
        world.execute(*words, flag, wish=wish)
    assert name in caught.value.message.replace(",", " ").split()
    assert (world.kubectl.ran, world.asked, world.terminal.prompts) == ([], [], [])
    assert [event.result for event in world.audit.events] == ["command-refused"]


def test_every_redirecting_flag_is_named() -> None:
    with pytest.raises(CommandRefused) as caught:
        World().execute("get", "pods", "--user=a", "--token=x", wish=Wish(level="mfa"))
    assert caught.value.message == (
        "--token, --user cannot stand in a stepped-up command: the elevated token is for the enrolled cluster and "
        "account alone"
    )
    assert caught.value.hint == "repeat the command without it, or run kubectl itself with your everyday login"


def test_what_is_refused_anyway_is_refused_without_asking_for_a_reason_first() -> None:
    world = World()
    with pytest.raises(CommandRefused) as caught:
        world.execute("get", "pods", "--as=root", wish=Wish(level="mfa"))
    assert "--as" in caught.value.message
    assert [event.result for event in world.audit.events] == ["command-refused"]


def test_a_proxy_is_never_run_elevated() -> None:
    world = World(policy=policy_of(rules=""))
    with pytest.raises(CommandRefused) as caught:
        world.execute("proxy", wish=Wish(level="mfa"))
    assert caught.value.message == "kubectl proxy cannot be stepped up: every local program could use its port"
    assert caught.value.hint == "kubectl stepup exec -- get --raw PATH"
    with pytest.raises(CommandRefused):
        World().execute("proxy")


def test_a_changed_cluster_is_refused_before_anybody_is_asked() -> None:
    """KCFG-13."""
    world = approving(contexts=(replace(RESOLVED, ca_sha256="00" * 32),))
    with pytest.raises(ClusterChanged):
        world.execute("delete", "pod", "x")
    assert (world.asked, world.kubectl.ran) == ([], [])
    assert outcomes(world) == [("id-1", "refusal ResponseComplete", "cluster-changed", None)]


def test_a_changed_cluster_does_not_stop_routine_commands() -> None:
    with pytest.raises(Replaced):
        World(contexts=(replace(RESOLVED, ca_sha256="00" * 32),)).execute("get", "pods")


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
    world = approving(kubectl=FakeKubectl(writable="/opt/bin"))
    with pytest.raises(CommandRefused) as caught:
        world.execute("delete", "pod", "x")
    assert caught.value.message == "/opt/bin can be written by other users, so the kubectl in it is not run elevated"
    assert caught.value.hint == "chmod o-w /opt/bin"
    assert (world.asked, world.kubectl.ran) == ([], [])
    with pytest.raises(Replaced):
        world.execute("get", "pods")


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (StepUpDenied("denied"), "denied"),
        (InteractionRequired("nobody"), "interaction-required"),
    ],
)
def test_a_refusal_is_recorded_once_and_nothing_runs(error: StepUpError, result: str) -> None:
    def refuse(wish: Asked) -> ElevationSession:
        raise error

    world = World(approve=refuse)
    with pytest.raises(type(error)):
        world.execute("delete", "pod", "x", wish=Wish(reason="INC-42"))
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
    def interrupt(wish: Asked) -> ElevationSession:
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
    assert json.loads(ran.files["/proc/self/fd/9"]) == {
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
    assert b'"user":"stepup:strong"' in ran.files["/proc/self/fd/9"]
    assert session(level="strong").id.encode() in ran.files["/proc/self/fd/9"]
    assert ran.environ["KUBECTL_STEPUP_NESTED"] == session(level="strong").id


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
    assert world.kubectl.ran[0].environ == {
        "PATH": "/usr/bin",
        "HOME": "/home/alice",
        "EDITOR": "vi",
        "HTTPS_PROXY": "http://proxy:3128",
        "KUBECONFIG": "/proc/self/fd/9:/a:/b",
        "KUBERC": "off",
        "KUBECTL_KUBERC": "false",
        "KUBECTL_STEPUP_NESTED": session().id,
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
    assert ran.environ["KUBECONFIG"] == "/proc/self/fd/9:/k"


def test_standard_input_that_was_read_is_replayed_byte_for_byte() -> None:
    world = approving(
        spool=Spool(stdin=(b"\x00\xff\r\n---\n",)), policy=policy_of(rules=RULES.partition("  - {name: power")[0])
    )
    world.execute("delete", "-f", "-")
    assert world.kubectl.ran[0].stdin == b"\x00\xff\r\n---\n"


def test_the_manifests_that_were_judged_are_those_that_are_sent() -> None:
    """POL-14."""
    world = approving(
        spool=Spool(objects=b'{"kind":"Pod"}'), policy=policy_of(rules=RULES.partition("  - {name: power")[0])
    )
    world.execute("delete", "-n", "shop", "-Rf", "manifests", "--kubeconfig=/k")
    (ran,) = world.kubectl.ran
    assert ran.argv == ("delete", "--namespace=shop", "--filename=/proc/self/fd/10")
    assert (ran.files["/proc/self/fd/10"], ran.pass_fds, ran.stdin) == (b'{"kind":"Pod"}', (9, 10), None)
    assert world.kubectl.files == {}


def test_a_routine_command_reads_its_files_by_their_names() -> None:
    world = World(spool=Spool(objects=b'{"kind":"Pod"}'), policy=policy_of(rules=""))
    with pytest.raises(Replaced) as replaced:
        world.execute("apply", "-f", "pod.yaml")
    assert replaced.value.argv == ("apply", "-f", "pod.yaml")


def test_what_was_fetched_is_not_fetched_again() -> None:
    world = World(
        spool=Spool(objects=b'{"kind":"Pod"}', fetched=True),
        policy=policy_of(rules=""),
        kubectl=FakeKubectl(exit_code=3),
    )
    assert world.execute("apply", "--kubeconfig=/k", "-f", "https://example.com/pod.yaml") == 3
    (ran,) = world.kubectl.ran
    assert (ran.argv, ran.files, ran.environ) == (
        ("apply", "--kubeconfig=/k", "--filename=/proc/self/fd/9"),
        {"/proc/self/fd/9": b'{"kind":"Pod"}'},
        dict(world.environ),
    )


def test_standard_input_that_was_not_read_is_the_childs_own() -> None:
    world = approving()
    world.execute("delete", "pod", "x")
    assert world.kubectl.ran[0].stdin is None


@pytest.mark.parametrize(("wish", "limit"), [(Wish(), None), (REASONED, 3600)])
def test_the_level_says_how_long_an_elevated_child_may_run(wish: Wish, limit: float | None) -> None:
    """POL-40."""
    world = approving()
    world.execute("delete", "pod", "x", wish=wish)
    assert world.kubectl.ran[0].limit_s == limit


def test_a_command_whose_time_is_up_is_told_so_and_has_an_exit_code_and_a_result_of_its_own() -> None:
    world = approving(kubectl=FakeKubectl(exit_code=129, left_s=(60.0, 0.0)))

    assert world.execute("delete", "pod", "x", wish=REASONED) == 124
    assert world.terminal.said == [
        "warning: level critical lets a command run for 1h: this one is ended in 1m",
        "error: time is up: level critical lets a command run for 1h; hanging up",
    ]
    assert outcomes(world)[-1] == ("id-1", "run ResponseComplete", "timed-out", 124)


def test_a_command_that_was_only_warned_ends_as_it_wants() -> None:
    world = approving(kubectl=FakeKubectl(exit_code=3, left_s=(60.0,)))

    assert world.execute("delete", "pod", "x", wish=REASONED) == 3
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
    assert world.terminal.lines == ["warning: not recorded: disk full"] * 3


@pytest.mark.parametrize(
    ("files", "fails"),
    [
        (("/with:colon",), None),
        (("/home/alice/.kube/config",), KubectlNotExecutable("kubectl could not be started: exec format error")),
    ],
    ids=["overlay", "kubectl"],
)
def test_a_run_that_could_not_be_started_is_closed_in_the_record(
    files: tuple[str, ...], fails: StepUpError | None
) -> None:
    world = approving(kubeconfig_files=files, kubectl=FakeKubectl(fails=fails))
    with pytest.raises((KubeconfigError, KubectlNotExecutable)):
        world.execute("delete", "pod", "x")
    by_id = {event.audit_id: event.stage for event in world.audit.events}
    assert set(by_id.values()) == {Stage.RESPONSE_COMPLETE}


def test_a_warning_and_a_step_up_go_together() -> None:
    world = approving(policy=policy_of(rules=f"{RULES}  - {{name: soon, do: [delete], mode: warn, needs: strong}}\n"))
    world.execute("delete", "pod", "x")
    assert world.terminal.lines[0].startswith("warning: rule soon will ask for strong: ")
    assert len(world.kubectl.ran) == 1


def test_a_wish_without_a_context_is_refused() -> None:
    world = World(contexts=())
    judgement, _ = judge(
        ["delete", "pod", "x"],
        Flags(),
        policy=world.policy,
        config=world.config,
        kubeconfig=world.kubeconfig,
        expand=world.expand,
        discover=lambda server, directory: (),
    )
    with pytest.raises(NotEnrolled) as caught:
        run(judgement, asked("delete", "pod", "x"), unenrolled="run", spool=Spool(), ports=world.run_ports())
    assert caught.value.message == "cluster prod-eu has no context"
