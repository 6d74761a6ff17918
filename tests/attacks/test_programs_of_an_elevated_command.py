"""What an elevated kubectl starts for a person has the everyday login; a plugin that policy elevates stays elevated."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import Lab, opened_lab
from tests.support.lab.lab import POLICY
from tests.support.warm_start import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

WHO = "auth whoami -o jsonpath={.status.userInfo.groups}"
INSTALLED = str(Path(sys.executable).with_name("kubectl-stepup"))


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path, policy=POLICY + "commands: {who: mfa}\n") as opened:
        opened.answer.approve_after_polls = 0
        yield opened


def program(lab: Lab, name: str, script: str) -> Path:
    path = lab.directory / "home" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def looking(lab: Lab) -> tuple[str, Path]:
    """Return a script that writes down as whom it acts, alone and through us, and where."""
    out = lab.directory / "out"
    ours = shlex.join(PROGRAM)
    return (
        f'{{ kubectl {WHO}; echo; echo "KUBECONFIG=$KUBECONFIG NESTED=$KUBECTL_STEPUP_NESTED EDITOR=$EDITOR"; '
        f"{ours} exec -- {WHO}; echo; {ours} exec --no-input -- delete pod db-0; }} > {out} 2>&1"
    ), out


@pytest.mark.parametrize("variable", ["KUBE_EDITOR", "EDITOR"])
def test_an_editor_is_the_everyday_users(lab: Lab, variable: str) -> None:
    script, out = looking(lab)
    editor = program(lab, "my editor", script)

    ran = lab.terminal.run(
        ["env", f"{variable}='{editor}' -w", *PROGRAM, "exec", "--once", "--level", "mfa", "--", "edit", "pod", "web-0"]
    )

    seen = out.read_text()
    assert "Approved" in ran.screen
    assert "stepup:" not in seen, seen
    assert "KUBECONFIG= NESTED= " in seen
    assert (f"EDITOR='{editor}' -w" in seen) == (variable == "EDITOR")
    assert "nobody can be asked" in seen  # a step-up of its own
    assert lab.exists("db-0")


def test_a_differ_is_the_everyday_users_and_is_run(lab: Lab) -> None:
    script, out = looking(lab)
    differ = program(lab, "differ", f'{script}; echo "DIFFER $3 $4"; exit 1')
    manifest = lab.directory / "pod.json"
    manifest.write_bytes(lab.kubectl("get", "pod", "web-0", "-o", "json").stdout)

    ran = lab.terminal.run(
        ["env", f"KUBECTL_EXTERNAL_DIFF={differ} -N ./x", *PROGRAM, "exec", "--level", "mfa", "--", "diff", "-f",
         str(manifest)]
    )  # fmt: skip

    assert "DIFFER -N" in ran.screen, ran.screen
    seen = out.read_text()
    assert "stepup:" not in seen, seen
    assert "KUBECONFIG= NESTED= " in seen


def test_the_diff_of_path_is_the_everyday_users(lab: Lab) -> None:
    script, out = looking(lab)
    (lab.directory / "home/bin").mkdir()
    program(lab, "bin/diff", f'{script}; echo "DIFF $1 $2"; exit 1')
    manifest = lab.directory / "pod.json"
    pod = json.loads(lab.kubectl("get", "pod", "web-0", "-o", "json").stdout)
    manifest.write_text(json.dumps({**pod, "metadata": {"name": "other", "namespace": "prod"}}))

    path = f"PATH={lab.directory / 'home/bin'}:{lab.environ['PATH']}"
    ran = lab.terminal.run(["env", path, *PROGRAM, "exec", "--level", "mfa", "--", "diff", "-f", str(manifest)])

    assert "DIFF -u -N" in ran.screen, ran.screen
    assert "stepup:" not in out.read_text(), out.read_text()
    assert "KUBECONFIG= NESTED= " in out.read_text()


def test_a_plugin_that_policy_elevates_stays_elevated_and_what_it_runs_is_on_record(lab: Lab) -> None:
    directory = lab.directory / "home/bin"
    directory.mkdir()
    plugin = directory / "kubectl-who"
    # A Python program: it closes descriptors before it starts kubectl.
    words = f"['kubectl', *{WHO.split()!r}]"
    ours = f"[*{PROGRAM!r}, 'exec', '--', *{WHO.split()!r}]"
    plugin.write_text(f"#!{sys.executable}\nimport subprocess\nsubprocess.call({words})\nsubprocess.call({ours})\n")
    plugin.chmod(0o755)

    ran = lab.terminal.run(["env", f"PATH={directory}:{lab.environ['PATH']}", *PROGRAM, "exec", "--", "who"])

    assert ran.screen.count('"stepup:mfa"') == 2, ran.screen
    nested = [record for record in lab.records() if record["result"] == "allowed"]
    (outer,) = {record["auditID"] for record in lab.records() if record["activity"] == "run"} - {nested[0]["auditID"]}
    assert [record["parent"] for record in nested] == [outer]
    assert nested[0]["command"] == ["auth", *WHO.split()[1:]]


def test_the_launcher_leaves_a_nested_command_to_the_record(lab: Lab) -> None:
    if not Path(INSTALLED).exists():
        pytest.skip("kubectl-stepup is not installed here")
    for _ in range(3):  # known to the launcher by then
        lab.quietly("exec", "--", "get", "pods", program=[INSTALLED])
    before = len(lab.records())
    lab.quietly("exec", "--", "get", "pods", program=[INSTALLED])
    assert len(lab.records()) == before
    lab.quietly("exec", "--", "get", "pods", program=[INSTALLED], KUBECTL_STEPUP_NESTED="an-id")
    assert [record["parent"] for record in lab.records()[before:]] == ["an-id"]
