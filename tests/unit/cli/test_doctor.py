"""`doctor` from the outside."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Cli
from .test_policy_compile import CONFIG
from .test_policy_verify import KUBECONFIG


@pytest.fixture
def place(write: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[str, ...]:
    """A machine on which all is well; gives the flags."""
    for name in ("kubectl", "kubectl-stepup", "kubectl_stepup-python"):  # the last is no plugin to kubectl
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("KUBECTL_PATH", raising=False)
    monkeypatch.setenv("KUBECONFIG", write("kubeconfig", KUBECONFIG))
    return ("--config", write("config.yaml", CONFIG))


def test_a_machine_that_is_well(cli: Cli, place: tuple[str, ...], tmp_path: Path) -> None:
    made = cli("doctor", *place)

    assert (made.code, made.err) == (0, "")
    assert f"[ok]     kubectl   {tmp_path}/bin/kubectl\n" in made.out
    assert f" {tmp_path}/bin/kubectl-stepup, with" in made.out
    assert "SERVER by the client alone: " in made.out
    assert made.out.endswith("0 failed, 0 warnings\n")


def test_what_is_wrong_is_the_exit_code(cli: Cli, place: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "bin" / "kubectl").unlink()
    made = cli("doctor", "-o", "json", *place)

    assert made.code == 1
    checks = {one["name"]: one for one in json.loads(made.out)["checks"]}
    assert checks["kubectl"] == {
        "name": "kubectl",
        "state": "fail",
        "detail": "kubectl is not on PATH",
        "fix": "https://kubernetes.io/docs/tasks/tools/",
    }


def test_a_config_that_does_not_load_is_told_like_everything_else(
    cli: Cli, place: tuple[str, ...], write: Callable[[str, str], str]
) -> None:
    made = cli("doctor", "--config", write("bad.yaml", "apiVersion: nonsense\n"))

    assert made.code == 1
    assert "[fail]   config" in made.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--rehearse",), "--rehearse needs --cluster NAME and --break-glass-kubeconfig FILE"),
        (("--rehearse", "--cluster", "prod-eu"), "--rehearse needs --cluster NAME and --break-glass-kubeconfig FILE"),
        (("--cluster", "prod-eu"), "--cluster and --break-glass-kubeconfig belong to --rehearse"),
    ],
)
def test_what_cannot_be_meant(cli: Cli, words: tuple[str, ...], message: str) -> None:
    made = cli("doctor", *words)

    assert (made.code, made.out) == (2, "")
    assert message in made.err


def test_a_kubeconfig_for_a_rehearsal_must_be_there(cli: Cli, place: tuple[str, ...]) -> None:
    made = cli("doctor", "--rehearse", "--cluster", "prod-eu", "--break-glass-kubeconfig", "/nowhere", *place)

    assert (made.code, made.out) == (1, "")
    assert "/nowhere: no such file" in made.err


def test_a_rehearsal_on_another_cluster_is_refused_and_the_runbook_still_printed(
    cli: Cli, place: tuple[str, ...], write: Callable[[str, str], str]
) -> None:
    file = write("other", "current-context: prod\n" + KUBECONFIG.replace("api.example.com", "other.example.com"))
    made = cli("doctor", "--rehearse", "--cluster", "prod-eu", "--break-glass-kubeconfig", file, *place)

    assert made.code == 1
    assert "[fail]   kubeconfig   leads elsewhere: " in made.out
    assert f"kubectl --kubeconfig {file} delete validatingadmissionpolicybindings" in made.out
