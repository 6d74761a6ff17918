"""Whoever may write a manifest changes it after it was evaluated: kubectl sends what was evaluated."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from kubectl_stepup.kubectl.process import find
from tests.support.lab import Lab, opened_lab
from tests.support.warm_start import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: harmless}\n"
EVIL = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: evil}\n"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path) as opened:
        opened.answer.approve_after_polls = 0
        yield opened


def swapping(lab: Lab, change: str) -> None:
    """Put a kubectl on PATH that changes a manifest as soon as it has been read for its evaluation."""
    directory = lab.directory / "bin"
    directory.mkdir()
    real = shlex.quote(find(lab.environ))
    (directory / "kubectl").write_text(
        f'#!/bin/sh\n{real} "$@"; code=$?\ncase "$*" in *--local*) {change};; esac\nexit $code\n'
    )
    (directory / "kubectl").chmod(0o755)
    lab.environ["PATH"] = f"{directory}:{lab.environ['PATH']}"


def has(lab: Lab, name: str) -> bool:
    return lab.kubectl("get", "configmap", name).returncode == 0


WAYS = {
    "a file": ("app.yaml", "mv {d}/evil {d}/app.yaml", ["-f", "{d}/app.yaml"]),
    "a link": ("app.yaml", "ln -sf {d}/evil {d}/link.yaml", ["-f", "{d}/link.yaml"]),
    "a directory": ("m/app.yaml", "mv {d}/evil {d}/m/app.yaml", ["-f", "{d}/m"]),
    "a kustomization": ("m/app.yaml", "mv {d}/evil {d}/m/app.yaml", ["-k", "{d}/m"]),
}


@pytest.mark.parametrize("level", [[], ["--level", "mfa"]], ids=["allowed", "elevated"])
@pytest.mark.parametrize("way", WAYS)
def test_what_was_evaluated_is_sent(lab: Lab, way: str, level: list[str]) -> None:
    directory = lab.directory / "shared"
    (directory / "m").mkdir(parents=True)
    (directory / "m/kustomization.yaml").write_text("resources: [app.yaml]\n")
    path, change, words = WAYS[way]
    (directory / path).write_text(GOOD)
    (directory / "evil").write_text(EVIL)
    if way == "a link":
        (directory / "link.yaml").symlink_to(directory / path)
    if way == "a directory":
        (directory / "m/kustomization.yaml").unlink()
    swapping(lab, change.format(d=directory))

    command = shlex.join([*PROGRAM, "exec", *level, "--", "create", *(word.format(d=directory) for word in words)])
    ran = lab.terminal.run(["sh", "-c", f"PATH={lab.environ['PATH']} {command}"])

    assert ran.code == 0, ran.screen
    assert (has(lab, "harmless"), has(lab, "evil")) == (True, False), ran.screen


def test_kubectls_messages_still_name_the_file(lab: Lab) -> None:
    manifest = lab.directory / "missing-pod.yaml"
    manifest.write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: nowhere}\n")
    ran = lab.stepup("exec", "--", "delete", "-f", str(manifest))
    assert '/missing-pod.yaml": pods "nowhere" not found' in ran.screen, ran.screen


def test_the_context_that_was_evaluated_is_the_one_that_is_used(lab: Lab) -> None:
    """Another process makes another context the current one before kubectl looks which it is."""
    manifest = lab.directory / "app.yaml"
    manifest.write_text(GOOD)
    lab.quietly("config", "set-context", "other", "--cluster=c", "--user=nobody", program=[find(lab.environ)])
    directory = lab.directory / "bin"
    directory.mkdir()
    real = shlex.quote(find(lab.environ))
    (directory / "kubectl").write_text(
        f'#!/bin/sh\ncase "$*" in *--local*) ;; *) {real} config use-context other >&2;; esac\nexec {real} "$@"\n'
    )
    (directory / "kubectl").chmod(0o755)
    lab.environ["PATH"] = f"{directory}:{lab.environ['PATH']}"

    done = lab.quietly("exec", "--", "create", "-f", str(manifest))

    assert b'context "other"' in done.stderr
    assert done.stdout == b"configmap/harmless created\n", done.stderr
