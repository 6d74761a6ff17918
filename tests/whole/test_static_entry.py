"""`setup` from the outside, and the static context that it writes, under a real kubectl."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

from kubectl_stepup.stepup.own_programs import credential_command
from tests.support.lab import Lab, opened_lab
from tests.support.lab.lab import ACR

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path) as opened:
        yield opened


def kubeconfig(lab: Lab) -> Path:
    return lab.directory / "home/.kube/config"


def with_static_context(lab: Lab) -> None:
    """Write the lab's kubeconfig as YAML with a comment, and a static context into it."""
    text = yaml_of(json.loads(kubeconfig(lab).read_text()))
    kubeconfig(lab).write_text(text)
    done = lab.quietly("setup", "--provider", "corp", "--elevated-context", "prod-elevated", "--yes")
    assert done.returncode == 0, done.stderr


def yaml_of(config: dict[str, list[dict[str, dict[str, str]]]]) -> str:
    cluster, context, user = (config[kind][0] for kind in ("clusters", "contexts", "users"))
    return f"""\
# kept
apiVersion: v1
kind: Config
current-context: prod
clusters:
- name: c  # the cluster
  cluster:
    server: {cluster["cluster"]["server"]}
    certificate-authority-data: {cluster["cluster"]["certificate-authority-data"]}
contexts:
- name: prod
  context: {json.dumps(context["context"])}
users:
- name: everyday
  user:
    token: {user["user"]["token"]}
"""


def test_the_static_entry_is_shown_written_once_and_taken_out_again(lab: Lab) -> None:
    """KCFG-05."""
    with_static_context(lab)
    written = kubeconfig(lab).read_text()
    assert written.startswith("# kept\n")
    assert "  # the cluster\n" in written
    assert "provideClusterInfo: true" in written

    again = lab.quietly("setup", "--provider", "corp", "--elevated-context", "prod-elevated", "--yes")
    assert (again.returncode, kubeconfig(lab).read_text()) == (0, written)
    assert again.stdout == b"Nothing to change: prod is enrolled as asked\n"

    gone = lab.quietly("setup", "--remove", "--elevated-context", "prod-elevated", "--yes")
    assert gone.returncode == 0, gone.stderr
    assert "prod-elevated" not in kubeconfig(lab).read_text()
    assert "# kept\n" in kubeconfig(lab).read_text()


def test_without_a_yes_nothing_is_written(lab: Lab) -> None:
    with_static_context(lab)
    before = kubeconfig(lab).read_bytes()

    done = lab.quietly("setup", "--remove", "--elevated-context", "prod-elevated")

    assert done.returncode == 2
    assert b"error: the changes need a yes" in done.stderr
    assert kubeconfig(lab).read_bytes() == before


def test_a_gui_client_uses_a_session_that_a_terminal_made_for_all(lab: Lab) -> None:
    with_static_context(lab)
    assert lab.kubectl("--context", "prod-elevated", "delete", "pod", "web-0").returncode == 1

    assert lab.stepup("login", "--scope", "user").code == 0
    done = lab.kubectl("--context", "prod-elevated", "delete", "pod", "web-0")

    assert (done.returncode, done.stdout) == (0, b'pod "web-0" deleted from prod namespace\n'), done.stderr


def test_a_static_entry_asks_at_the_terminal_and_once_for_a_failing_kubectl(lab: Lab) -> None:
    """CONC-06."""
    with_static_context(lab)

    ran = lab.terminal.run(["kubectl", "--context", "prod-elevated", "get", "pods"])
    assert ran.code == 0, ran.screen
    assert "Step-up to level mfa in prod" in ran.screen
    assert lab.provider.count("device") == 1

    lab.stepup("logout")
    lab.answer.denied = True
    refused = lab.terminal.run(["kubectl", "--context", "prod-elevated", "get", "pods"])
    assert refused.code != 0
    assert lab.provider.count("device") == 2, refused.screen


def test_a_server_that_refuses_the_token_is_no_reason_to_ask_again(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """CONC-06: client-go starts its plugin anew at every 401."""
    with_static_context(lab)
    monkeypatch.setattr(lab.cluster, "_verifiers", {})

    ran = lab.terminal.run(["kubectl", "--context", "prod-elevated", "get", "pods"])

    assert (ran.code, lab.provider.count("device"), ran.screen.count("Compare code")) == (1, 1, 1), ran.screen
    assert len([event for event in lab.cluster.audit if event.code == 401]) > 1


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks into /proc")
def test_the_plugin_ends_with_its_kubectl(lab: Lab) -> None:
    """PROC-09: kubectl dies of a signal and leaves what it started behind; 2 s later that is gone as well."""
    with_static_context(lab)
    lab.answer.approve_after_polls = None
    shell = pexpect.spawn(
        "/bin/sh", ["-c", "kubectl --context prod-elevated get pods; echo code=$?; read line"],
        env=lab.environ, cwd=lab.environ["HOME"], timeout=60, encoding="utf-8",
    )  # fmt: skip
    shell.expect_exact("Waiting for approval")
    (lock, _) = (lab.directory / "run/kubectl-stepup").glob("*.lock")
    plugin = Path("/proc", lock.read_text().partition("pid=")[2].split()[0])
    kubectl = int((plugin / "status").read_text().partition("PPid:")[2].split()[0])
    os.kill(kubectl, signal.SIGTERM)
    end = time.monotonic() + 2
    while lives(plugin):
        assert time.monotonic() < end, "the plugin lives on"
    shell.expect_exact("code=143")
    shell.close(force=True)
    assert lab.provider.count("device") == 1


def lives(process: Path) -> bool:
    """Whether a process of /proc has not ended; of one that nobody has waited for, the argv is empty."""
    try:
        return (process / "cmdline").read_bytes() != b""
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_without_a_person_a_static_entry_fails_with_the_command_to_type(lab: Lab) -> None:
    with_static_context(lab)

    done = lab.kubectl("--context", "prod-elevated", "get", "pods")

    assert done.returncode == 1
    assert b"error: step-up needed, but nobody can be asked" in done.stderr
    assert b"hint: kubectl stepup login --context prod --level mfa --scope user" in done.stderr
    assert lab.provider.count("device") == 0


def test_another_server_gets_no_token(lab: Lab) -> None:
    """KCFG-14."""
    with_static_context(lab)
    assert lab.stepup("login", "--scope", "user").code == 0

    done = lab.kubectl("--context", "prod-elevated", "-s", "https://127.0.0.1:1", "get", "pods")

    assert done.returncode == 1
    assert b"error: the elevated token for prod is withheld: the server is https://127.0.0.1:1" in done.stderr
    assert lab.records()[-1]["result"] == "credential-withheld"


def test_a_new_context_is_enrolled_with_the_account_that_its_own_token_proves(lab: Lab) -> None:
    config = lab.directory / "home/.config/kubectl-stepup/config.yaml"
    config.unlink()

    done = lab.quietly(
        "setup", "--issuer", lab.provider.issuer, "--client-id", "kubectl", "--preset", "oidc-provider",
        "--evidence", f"mfa:acr={ACR}", "--ca-file", str(lab.provider.ca_file), "--label", "env=prod", "--yes",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert b"Enrolled prod (" in done.stdout
    assert b"account alice)" in done.stdout
    written = config.read_text()
    assert "account: alice" in written
    assert "elevatedClientID: kubectl-elevated" in written
    assert lab.stepup("exec", "--", "delete", "pod", "web-0").code == 0


def test_a_wrong_issuer_is_found_at_enrolment(lab: Lab) -> None:
    config = lab.directory / "home/.config/kubectl-stepup/config.yaml"
    before = config.read_bytes()

    done = lab.quietly(
        "setup", "--issuer", f"{lab.provider.issuer}/other", "--client-id", "kubectl", "--provider", "wrong",
        "--ca-file", str(lab.provider.ca_file), "--yes",
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr.startswith(b"error: ")
    assert config.read_bytes() == before


def test_one_kubectl_asks_the_plugin_once(lab: Lab) -> None:
    with_static_context(lab)
    assert lab.stepup("login", "--scope", "user").code == 0
    calls = lab.directory / "calls"
    counting = lab.directory / "counting"
    program = credential_command()[0]
    counting.write_text(f'#!/bin/sh\necho "$@" >> {calls}\nexec {program} "$@"\n')
    counting.chmod(0o755)
    written = kubeconfig(lab).read_text()
    assert f"command: {program}\n" in written
    kubeconfig(lab).write_text(written.replace(f"command: {program}\n", f"command: {counting}\n"))

    done = lab.kubectl("--context", "prod-elevated", "get", "pods")

    assert done.returncode == 0, done.stderr
    # kubectl of Google's packages first asks the server for its version, in the same process.
    assert len(calls.read_text().splitlines()) == 1


def test_what_setup_shows_holds_no_token_of_anybody(lab: Lab) -> None:
    kubeconfig(lab).write_text(yaml_of(json.loads(kubeconfig(lab).read_text())))

    done = lab.quietly("setup", "--provider", "corp", "--elevated-context", "prod-elevated", "--dry-run")

    assert b"+- name: prod-elevated" in done.stdout
    assert b"token" not in done.stdout + done.stderr
