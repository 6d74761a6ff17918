from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubectl_stepup.errors import ProviderUnreachable
from kubectl_stepup.sessions.stores.memory import MemoryStore
from kubectl_stepup.stepup.app import App
from tests.support.fakes import FakeProvider

from .conftest import Cli

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: prod
clusters:
- name: prod  # mine
  cluster: {server: "https://api.prod.example.com"}
contexts:
- name: prod
  context: {cluster: prod, user: me}
users:
- name: me
  user: {client-certificate-data: eA==}
"""
ENROL = ("setup", "--issuer", "https://login.example.com", "--client-id", "kubectl", "--account", "alice")
EVIDENCE = ("--evidence", "mfa:acr=gold", "--evidence", "critical:acr=phr")


@pytest.fixture
def kubeconfig(monkeypatch: pytest.MonkeyPatch, write: Callable[..., str]) -> Path:
    """A kubeconfig with one context."""
    path = write("kubeconfig", KUBECONFIG)
    monkeypatch.setenv("KUBECONFIG", path)
    return Path(path)


@pytest.fixture(autouse=True)
def provider(monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    """An identity provider that nothing is sent to."""
    found = FakeProvider()
    monkeypatch.setattr(App, "provider", lambda self, provider: found)
    return found


def config_in(tmp_path: Path) -> Path:
    return tmp_path / "home/.config/kubectl-stepup/config.yaml"


class Person(io.StringIO):
    """Standard input with a person at it."""

    def isatty(self) -> bool:
        return True


def test_enrolling_shows_the_change_and_says_what_to_try(cli: Cli, kubeconfig: Path, tmp_path: Path) -> None:
    found = cli(*ENROL, *EVIDENCE, "--yes")
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith(f"--- {config_in(tmp_path)}\n+++ {config_in(tmp_path)}\n")
    assert found.out.endswith(
        "Enrolled prod (https://api.prod.example.com, account alice)\nTry it: kubectl stepup login --context prod\n"
    )
    assert config_in(tmp_path).stat().st_mode & 0o777 == 0o600
    assert kubeconfig.read_text() == KUBECONFIG
    assert cli("status").out.splitlines()[1].split() == ["prod", "<none>", "alice", *["<none>"] * 4]


def test_enrolling_is_in_the_audit_log(cli: Cli, kubeconfig: Path) -> None:
    cli(*ENROL, *EVIDENCE, "--yes")
    cli("setup", "--remove", "--yes")
    items = json.loads(cli("audit", "list", "-o", "json").out)["items"]
    assert [(item["activity"], item["result"], item["cluster"], item["account"]) for item in items] == [
        ("setup", "enrolled", "prod", "alice"),
        ("setup", "removed", "prod", "alice"),
    ]
    assert "2 records, hash chain ok" in cli("audit", "list").out


def test_enrolling_again_changes_nothing(cli: Cli, kubeconfig: Path) -> None:
    cli(*ENROL, *EVIDENCE, "--yes")
    assert cli(*ENROL, *EVIDENCE).out == "Nothing to change: prod is enrolled as asked\n"


def test_a_dry_run_shows_and_writes_nothing(cli: Cli, kubeconfig: Path, tmp_path: Path) -> None:
    found = cli(*ENROL, *EVIDENCE, "--dry-run", "--elevated-context", "up")
    assert found.code == 0
    assert found.out.count("\n+++ ") == 2
    assert not config_in(tmp_path).exists()
    assert kubeconfig.read_text() == KUBECONFIG


@pytest.mark.parametrize("flags", [(), ("--no-input",)])
def test_without_a_yes_nothing_is_written(
    cli: Cli, kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    monkeypatch.setattr("sys.stdin", Person("y\n") if flags else io.StringIO("y\n"))
    found = cli(*ENROL, *EVIDENCE, *flags)
    assert (found.code, not config_in(tmp_path).exists()) == (2, True)
    assert found.err == (
        "error: the changes need a yes, and nobody can be asked\nhint: kubectl stepup setup --yes ...\n"
    )


@pytest.mark.parametrize(
    ("answer", "code", "written"), [("y\n", 0, True), ("n\n", 130, False), ("\n", 130, False), ("", 130, False)]
)
def test_a_person_is_asked(
    cli: Cli, kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, written: bool
) -> None:
    monkeypatch.setattr("sys.stdin", Person(answer))
    found = cli(*ENROL, *EVIDENCE)
    assert (found.code, config_in(tmp_path).exists()) == (code, written)
    assert "Write these changes? [y/N]: " in found.err


def test_levels_that_nothing_proves_are_said_on_standard_error(cli: Cli, kubeconfig: Path) -> None:
    found = cli(*ENROL, "--evidence", "mfa:acr=gold", "--dry-run")
    assert found.err == (
        "note: nothing proves level critical at login.example.com yet; commands that need it are refused. "
        "Add --evidence critical:acr=VALUE\n"
    )


def test_a_static_context_is_written_and_taken_out(cli: Cli, kubeconfig: Path) -> None:
    found = cli(*ENROL, *EVIDENCE, "--elevated-context", "up", "--yes")
    assert found.code == 0
    assert "name: up" in kubeconfig.read_text()
    assert "# mine" in kubeconfig.read_text()
    assert cli("setup", "--remove", "--elevated-context", "up", "--yes").out.endswith("Removed the static context up\n")
    assert kubeconfig.read_text() == KUBECONFIG


def test_what_is_not_enrolled_cannot_be_removed(cli: Cli, kubeconfig: Path) -> None:
    found = cli("setup", "--remove", "--yes", "-o", "json")
    assert found.code == 2  # there is no -o
    found = cli("setup", "--remove", "--yes")
    assert (found.code, found.err) == (1, "error: context prod is not enrolled\nhint: kubectl stepup status\n")


def test_the_named_config_need_not_exist_yet(cli: Cli, kubeconfig: Path, tmp_path: Path) -> None:
    path = tmp_path / "new/config.yaml"
    assert cli(*ENROL, *EVIDENCE, "--yes", "--config", str(path)).code == 0
    assert path.exists()
    assert cli("status", "--config", str(path)).code == 0


def test_a_provider_that_does_not_answer_is_found_now(
    cli: Cli, kubeconfig: Path, tmp_path: Path, provider: FakeProvider
) -> None:
    provider.metadata_ = ProviderUnreachable("login.example.com cannot be reached: connection refused")
    found = cli(*ENROL, "--yes")
    assert (found.code, config_in(tmp_path).exists()) == (1, False)
    assert found.err == "error: login.example.com cannot be reached: connection refused\n"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("setup",), "--issuer or --provider is needed"),
        (("setup", "--issuer", "https://login.example.com"), "--client-id is needed with --issuer"),
        (ENROL[:-2], "the account is not known"),
        ((*ENROL, "--elevated-context", "up", "--level", "critical"), "level critical cannot stand in a kubeconfig"),
    ],
)
def test_what_is_missing_is_a_usage_error(cli: Cli, kubeconfig: Path, argv: tuple[str, ...], message: str) -> None:
    found = cli(*argv)
    assert found.code == 2
    assert f"error: {message}" in found.err


def enrolled(cli: Cli) -> Any:
    assert cli(*ENROL, *EVIDENCE, "--yes").code == 0
    return cli


def test_explain_says_that_one_would_be_asked(cli: Cli, kubeconfig: Path) -> None:
    found = enrolled(cli)("policy", "explain", "--", "delete", "pod", "x")
    assert "SESSION    none at level mfa: you would be asked\n" in found.out
    assert "context prod" in found.out


def test_a_login_that_would_not_outlive_it_is_refused(cli: Cli, kubeconfig: Path) -> None:
    found = enrolled(cli)("login", "--no-input")
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("error: there is no place to keep a session: the store is memory")


def test_a_login_that_nobody_can_answer_is_refused(cli: Cli, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryStore, "name", "kernel")  # a store that keeps what a login gets
    found = enrolled(cli)("login", "--no-input")
    assert (found.code, found.out) == (4, "")
    assert found.err.startswith("error: step-up needed, but nobody can be asked (--no-input)\n")


def test_an_elevated_command_that_nobody_can_answer_is_refused(
    cli: Cli, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kubectl = tmp_path / "bin/kubectl"
    kubectl.parent.mkdir()
    kubectl.write_text("#!/bin/sh\nexit 1\n")
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", str(kubectl.parent))
    found = enrolled(cli)("exec", "--no-input", "--", "delete", "pod", "x")
    assert (found.code, found.out) == (125, "")
    assert "  rule     deletes, level mfa\n" in found.err
    items = json.loads(cli("audit", "list", "-o", "json").out)["items"]
    assert [item["result"] for item in items] == ["enrolled", "interaction-required"]


def test_what_a_killed_setup_left_is_gone_after_the_next_one(cli: Cli, kubeconfig: Path, tmp_path: Path) -> None:
    """KCFG-06: also where there is nothing left to change, since kubectl would wait for the lock for ever."""
    cli(*ENROL, "--yes")
    config = tmp_path / "home/.config/kubectl-stepup/config.yaml"
    for path in (config, kubeconfig):
        path.with_name(f"{path.name}.lock").write_text("kubectl-stepup\n")
        path.with_name(f"{path.name}.77.0123abcd.tmp").write_text("half a file")
    assert cli(*ENROL, "--yes").out.startswith("Nothing to change")
    assert [path.name for path in config.parent.iterdir()] == [config.name]
    assert not [path for path in kubeconfig.parent.iterdir() if path.name.startswith(f"{kubeconfig.name}.")]
