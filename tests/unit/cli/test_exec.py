"""`exec` of what needs no step-up: kubectl takes our place, with its own words and environment."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from kubectl_stepup.kubectl import process
from kubectl_stepup.sessions.stores import choose
from kubectl_stepup.sessions.stores.memory import MemoryStore

from .conftest import Cli


class Became(BaseException):
    """We became another program."""

    def __init__(self, path: str, argv: Sequence[str], environ: dict[str, str]) -> None:
        super().__init__(path, list(argv))
        self.path, self.argv, self.environ = path, list(argv), environ


def execve(path: str, argv: Sequence[str], environ: dict[str, str]) -> None:
    raise Became(path, argv, environ)


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A kubectl on PATH, and an `execve` that tells what we would have become."""
    path = tmp_path / "bin/kubectl"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(path.parent))
    monkeypatch.setattr(os, "execve", execve)
    monkeypatch.setattr(process, "_default_ignored_signals", lambda: None)
    return str(path)


def became(cli: Cli, *argv: str) -> Became:
    with pytest.raises(Became) as caught:
        cli("exec", *argv)
    return caught.value


def test_kubectl_gets_its_own_words_and_our_environment(cli: Cli, program: str) -> None:
    found = became(cli, "--", "get", "pods", "-o", "json", "--", "-x")
    assert (found.path, found.argv) == (program, [program, "get", "pods", "-o", "json", "--", "-x"])
    assert found.environ == dict(os.environ)


def test_our_flags_are_put_in(cli: Cli, program: str) -> None:
    """POL-03."""
    found = became(cli, "-n", "a", "--context=c", "--kubeconfig", "/k", "--", "get", "pods")
    assert found.argv[1:] == ["get", "--context=c", "--namespace=a", "--kubeconfig=/k", "pods"]


def test_what_is_unenrolled_runs_with_a_line(cli: Cli, program: str, capsys: pytest.CaptureFixture[str]) -> None:
    became(cli, "--", "delete", "pod", "x")
    assert capsys.readouterr().err == "No context is enrolled here: running with your everyday login, without step-up\n"
    became(cli, "-q", "--", "delete", "pod", "x")
    assert capsys.readouterr().err == ""


def test_an_allowed_command_opens_no_session_store(
    cli: Cli, program: str, write: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    memory = choose.ChosenStore(store=MemoryStore(now=time.time))

    def choosing(name: str, **options: object) -> choose.ChosenStore:
        opened.append(name)
        return memory

    monkeypatch.setattr(choose, "choose", choosing)
    config = write("config.yaml", "apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: Config\nstore: keyring\n")
    became(cli, "--config", config, "--", "get", "pods")
    assert opened == []


def test_an_allowed_command_needs_no_home(cli: Cli, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    assert became(cli, "--", "get", "pods").argv[1:] == ["get", "pods"]


@pytest.mark.parametrize("words", [("config", "view"), ("version", "--client"), ("explain", "--help")])
def test_a_policy_that_does_not_load_does_not_stop_local_commands(
    cli: Cli, program: str, write: Callable[..., str], words: tuple[str, ...]
) -> None:
    policy = write("policy.yaml", "nonsense")
    assert became(cli, "--policy", policy, "--", *words).argv[1:] == list(words)


def test_a_policy_that_does_not_load_stops_everything_else(cli: Cli, program: str, write: Callable[..., str]) -> None:
    """POL-34."""
    policy = write("policy.yaml", "nonsense")
    found = cli("exec", "--policy", policy, "--", "get", "pods")
    assert (found.code, found.out) == (125, "")
    assert found.err.startswith(f"error: {policy}:1: ")


def test_without_kubectl_the_code_is_127(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = cli("exec", "--", "get", "pods")
    assert (found.code, found.out) == (127, "")
    assert found.err.startswith("error: kubectl is not on PATH\n")


def test_a_kubectl_that_cannot_be_executed_is_126(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "kubectl").write_text("")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli("exec", "--", "get", "pods").code == 126


def test_an_unknown_command_is_refused_and_audited(cli: Cli, program: str) -> None:
    found = cli("exec", "--", "frobnicate", "--token=hunter2")
    assert (found.code, found.out) == (125, "")
    listed = cli("audit", "list")
    assert "command-refused" in listed.out
    assert "hunter2" not in listed.out + found.err + cli("audit", "list", "-o", "json").out


def test_the_unenrolled_may_be_refused(cli: Cli, program: str, write: Callable[..., str]) -> None:
    config = write("config.yaml", "apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: Config\nunenrolled: refuse\n")
    found = cli("exec", "--config", config, "--", "delete", "pod", "x")
    assert (found.code, found.err.splitlines()[0]) == (
        125,
        "error: context <none> is not enrolled, and the config refuses sensitive commands there",
    )
    assert became(cli, "--config", config, "--", "get", "pods").argv[1:] == ["get", "pods"]


def test_audit_list_takes_the_last_rows_and_cuts_nothing_else(cli: Cli, program: str) -> None:
    for word in ("first", "second", "third"):
        cli("exec", "--", word)
    rows = cli("audit", "list", "--last", "2").out.splitlines()
    assert [row.split()[-1] for row in rows[1:3]] == ["third", "second"]
    assert rows[3].startswith("3 records, hash chain ok (head ")
