"""The main job from the outside: `exec -- delete pod x` between a provider and a cluster, with a real kubectl."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import Lab, opened_lab
from tests.support.lab.lab import POLICY
from tests.support.provider.model import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path) as opened:
        yield opened


def test_an_approved_delete_deletes_and_the_next_one_does_not_ask(lab: Lab) -> None:
    first = lab.stepup("exec", "--", "delete", "pod", "web-0")
    second = lab.stepup("exec", "--", "delete", "pod", "web-1")

    assert (first.code, second.code) == (0, 0), first.screen + second.screen
    assert 'pod "web-0" deleted' in first.screen
    assert "Compare code" in first.screen
    assert "Using mfa in prod, approved" in second.screen
    assert lab.provider.count("device") == 1
    assert not lab.exists("web-0")


def test_the_provider_gets_the_request_that_policy_asks_for(lab: Lab) -> None:
    lab.stepup("exec", "--", "delete", "pod", "web-0")

    form = lab.provider.forms("device")[0]
    assert form["acr_values"] == "urn:stepup:mfa"
    assert form["max_age"] == "900"
    assert form["stepup_command"] == "delete pods in prod: kubectl delete pod web-0"


def test_the_cluster_sees_the_level_for_the_elevated_command_alone(lab: Lab) -> None:
    lab.stepup("exec", "--", "delete", "pod", "web-0")
    lab.kubectl("get", "pods")

    by_verb = {event.request.verb: event.user.groups for event in lab.cluster.audit if event.request.resource == "pods"}
    assert "stepup:mfa" in by_verb["delete"]
    assert not [group for group in by_verb["list"] if group.startswith("stepup:")]


def test_the_record_has_the_approval_the_start_and_the_end_under_one_id(lab: Lab) -> None:
    lab.stepup("exec", "-r", "INC-7", "--", "delete", "pod", "web-0")

    approved, started, ended = lab.records()
    assert len({record["auditID"] for record in (approved, started, ended)}) == 1
    assert [record["seq"] for record in (approved, started, ended)] == [1, 2, 3]
    assert (started["stage"], ended["stage"]) == ("RequestReceived", "ResponseComplete")
    assert (ended["exitCode"], ended["result"], ended["reason"]) == (0, "approved", "INC-7")
    assert ended["command"] == ["delete", "pod", "web-0"]


POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\n"


def test_a_file_that_changes_while_one_approves_is_not_what_is_sent(lab: Lab, tmp_path: Path) -> None:
    """POL-14."""
    file = tmp_path / "pod.yaml"
    file.write_text(POD % "web-0")
    lab.answer.approve_after_polls = None
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lab.stepup, "exec", "--", "delete", "-f", str(file))
        while not lab.provider.devices:
            wait([running], timeout=0.05)
        file.write_text(POD % "web-1")
        lab.provider.approve()
        ran = running.result()

    assert ran.code == 0, ran.screen
    assert (lab.exists("web-0"), lab.exists("web-1")) == (False, True)


WEAK = {
    "ignores acr_values": (
        {"acr": "pwd", "amr": ["pwd"]},
        "error: you signed in, but not strongly enough: wanted acr=urn:stepup:mfa, got acr=pwd (amr=pwd)",
        "too-weak",
    ),
    "sends no acr": (
        {"acr": ABSENT, "amr": ABSENT},
        "error: you signed in, but not strongly enough: wanted acr=urn:stepup:mfa, got acr=none",
        "too-weak",
    ),
    "answers from an old sign-in": (
        {"signed_in_ago_s": 3600.0},
        "error: you signed in, but not freshly enough: the sign-in was ",
        "not-fresh",
    ),
    "another person approves": (
        {"account": "bob"},
        "error: approved as someone else: wanted alice, got bob",
        "wrong-account",
    ),
}


@pytest.mark.parametrize(("changes", "said", "result"), WEAK.values(), ids=WEAK.keys())
def test_a_step_up_that_proves_too_little_runs_nothing(
    lab: Lab, changes: dict[str, object], said: str, result: str
) -> None:
    absent = {name: value for name, value in changes.items() if value is ABSENT}
    lab.answer.claims = {**lab.answer.claims, **absent}
    for name, value in changes.items():
        if value is not ABSENT:
            setattr(lab.answer, name, value)

    ran = lab.stepup("exec", "--", "delete", "pod", "web-0")

    assert ran.code == 125, ran.screen
    assert said in ran.screen
    assert "Nothing was run; the token was discarded." in ran.screen
    assert "Approved" not in ran.screen
    assert lab.exists("web-0")
    assert lab.records()[-1]["result"] == result
    assert lab.provider.count("revocation") == 1


def test_a_denial_runs_nothing_and_says_why_it_was_asked(lab: Lab) -> None:
    lab.answer.denied = True

    ran = lab.stepup("exec", "--", "delete", "pod", "web-0")

    assert ran.code == 125
    assert f"error: step-up denied by {lab.provider.host} (access_denied" in ran.screen
    assert "Why a step-up is needed: kubectl stepup policy explain -- delete pod web-0" in ran.screen
    assert lab.exists("web-0")
    assert lab.records()[-1]["result"] == "denied"


def test_a_new_command_after_a_denial_asks_anew(lab: Lab) -> None:
    lab.answer.denied = True
    lab.stepup("exec", "--", "delete", "pod", "web-0")
    lab.answer.denied = False

    ran = lab.stepup("exec", "--", "delete", "pod", "web-0")

    assert ran.code == 0, ran.screen
    assert lab.provider.count("device") == 2


def test_without_a_person_nothing_is_asked_and_nothing_is_run(lab: Lab) -> None:
    """DEV-26."""
    ran = lab.quietly("exec", "--", "delete", "pod", "web-0")

    assert ran.returncode == 125
    assert ran.stdout == b""
    assert ran.stderr.startswith(b"error: step-up needed, but nobody can be asked (no terminal)\n")
    assert lab.provider.count("device") == 0
    assert lab.exists("web-0")


def test_allowed_commands_are_kubectls_own_byte_for_byte(lab: Lab) -> None:
    for words in (["get", "pods"], ["get", "pods", "-o", "json"], ["get", "pod", "nope"], ["version", "--client"]):
        ours, plain = lab.quietly("exec", "--", *words), lab.kubectl(*words)
        assert (ours.stdout, ours.returncode) == (plain.stdout, plain.returncode)
        assert ours.stderr == plain.stderr


def test_an_elevated_command_gives_kubectls_exit_code(lab: Lab) -> None:
    ran = lab.stepup("exec", "--", "delete", "pod", "nope")

    assert ran.code == 1
    assert 'pods "nope" not found' in ran.screen
    assert lab.records()[-1]["exitCode"] == 1


def test_flags_that_take_the_token_elsewhere_are_refused_by_name(lab: Lab) -> None:
    for flag in ("--server=https://127.0.0.1:1", "--token=x", "--as=root", "--insecure-skip-tls-verify", "--user=u"):
        ran = lab.stepup("exec", "--", "delete", "pod", "web-0", flag)
        assert ran.code == 125
        assert flag.split("=")[0] in ran.screen
    assert lab.provider.count("device") == 0


def test_logout_ends_the_session_and_revokes_what_can_be_revoked(lab: Lab) -> None:
    lab.stepup("login")
    assert lab.stepup("status", "--check").code == 0

    ran = lab.stepup("logout")

    assert "Ended mfa in prod; access token revoked" in ran.screen
    assert "An ID token cannot be revoked" in ran.screen
    assert lab.provider.count("revocation") == 1
    assert lab.stepup("status", "--check").code == 4


def test_a_level_that_is_asked_each_time_keeps_no_session(lab: Lab) -> None:
    words = ("exec", "--level", "critical", "--", "delete", "pod")
    first, second = lab.stepup(*words, "web-0"), lab.stepup(*words, "web-1")

    assert (first.code, second.code) == (0, 0), first.screen + second.screen
    assert lab.provider.count("device") == 2
    assert "Elevated in prod for this command alone." in first.screen
    assert lab.stepup("status", "-o", "name").screen.strip() == ""


@pytest.mark.parametrize("store", ["memory", "file"])
def test_other_stores_serve_the_same(tmp_path: Path, store: str) -> None:
    with opened_lab(tmp_path, store=store) as lab:
        first = lab.stepup("exec", "--", "delete", "pod", "web-0")
        second = lab.stepup("exec", "--", "delete", "pod", "web-1")
        assert (first.code, second.code) == (0, 0), first.screen + second.screen
        assert lab.provider.count("device") == (1 if store == "file" else 2)


def test_manifests_on_standard_input_reach_kubectl_whole(lab: Lab) -> None:
    manifest = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"fed"},"data":{"a":"b"}}'

    ran = lab.quietly("exec", "--", "create", "--validate=false", "-f", "-", stdin=manifest)

    assert (ran.returncode, ran.stdout) == (0, b"configmap/fed created\n"), ran.stderr


def test_a_command_that_runs_for_too_long_is_warned_and_hung_up(tmp_path: Path) -> None:
    policy = POLICY.replace("askAgainAfter: 0s}", "askAgainAfter: 0s, maxDuration: 3s}")
    with opened_lab(tmp_path, policy=policy) as lab:
        ran = lab.stepup("exec", "-q", "--level", "critical", "--", "get", "pods", "--watch")

        assert ran.code == 124, ran.screen
        assert "web-0" in ran.screen
        said = [line for line in ran.screen.splitlines() if "level critical lets a command run for" in line]
        assert said == [
            "warning: level critical lets a command run for 3s: this one is ended in 1s",
            "error: time is up: level critical lets a command run for 3s; hanging up",
        ]
        assert (lab.records()[-1]["result"], lab.records()[-1]["exitCode"]) == ("timed-out", 124)
