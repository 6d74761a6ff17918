"""What is piped into kubectl arrives whole and unchanged, however much it is, on every path."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kubectl_stepup.kubectl.process import find
from tests.support.lab import Lab, opened_lab
from tests.support.lab.lab import POLICY
from tests.support.warm_start import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

MUCH = 100_000_000
NO_RULES = POLICY.partition("rules:")[0] + "rules: []\n"


@pytest.fixture
def much(tmp_path: Path) -> Path:
    """Return a file of a hundred million bytes of every value."""
    path = tmp_path / "much"
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        for number in range(MUCH // len(block)):
            file.write(number.to_bytes(4, "big") + block[4:])
        file.write(block[: MUCH - file.tell()])
    return path


@pytest.fixture
def echo(tmp_path: Path) -> str:
    """Return a PATH whose kubectl writes what it reads."""
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "kubectl").write_text('#!/bin/sh\ncase "$*" in *patch*--local*) exit 1;; esac\nexec cat\n')
    (directory / "kubectl").chmod(0o755)
    return f"{directory}:{os.environ['PATH']}"


def digest(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


PATHS = {
    "apply, elevated": (POLICY, ("exec", "--"), ("apply", "-f", "-")),
    "apply of a file, elevated": (POLICY, ("exec", "--"), ("apply", "-f", "-")),
    "apply, allowed": (NO_RULES, ("exec", "--"), ("apply", "-f", "-")),
    "exec -i, elevated": (POLICY, ("exec", "--level", "mfa", "--"), ("exec", "-i", "web-0", "--", "cat")),
    "exec -i, allowed": (POLICY, ("exec", "--"), ("exec", "-i", "web-0", "--", "cat")),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_hundred_million_bytes(tmp_path: Path, much: Path, echo: str, path: str) -> None:
    """PROC-06."""
    policy, ours, kubectls = PATHS[path]
    feeder, source = ("", f"< {much}") if "file" in path else (f"cat {much} |", "")
    command = f"{feeder} PATH={echo} {shlex.join([*PROGRAM, *ours, *kubectls])} {source} > {tmp_path / 'out'}"
    with opened_lab(tmp_path, policy=policy) as lab:
        ran = lab.terminal.run(["sh", "-c", command], timeout_s=110)

    assert ran.code == 0, ran.screen
    assert digest(tmp_path / "out") == digest(much)
    assert ("Approved:" in ran.screen) == ("elevated" in path)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path) as opened:
        yield opened


def test_a_real_kubectl_gets_large_manifests_whole(lab: Lab) -> None:
    """PROC-06: the prompt eats nothing of the pipe."""
    manifests = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"fed-{number}"},
            "data": {"all": "".join(chr(32 + (number + place) % 95) for place in range(400_000))},
        }
        for number in range(5)
    ]
    pieces = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}).encode()
    (lab.directory / "list.json").write_bytes(pieces)
    words = ("exec", "--level", "mfa", "--", "create", "--validate=false", "-f", "-")

    ran = lab.terminal.run(["sh", "-c", f"cat {lab.directory / 'list.json'} | {shlex.join([*PROGRAM, *words])}"])

    assert ran.code == 0, ran.screen
    for wanted in manifests:
        found = subprocess.run(
            [find(lab.environ), "get", "configmap", wanted["metadata"]["name"], "-o", "json"],  # type: ignore[index]
            env=lab.environ, capture_output=True, check=True,
        ).stdout  # fmt: skip
        assert json.loads(found)["data"] == wanted["data"]
