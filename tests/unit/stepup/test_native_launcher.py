"""Where the launcher is looked for: beside what runs, and nowhere else."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from kubectl_stepup.stepup.native_launcher import lasting, launcher


def installed(directory: Path, *names: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    for name in names or ("kubectl-stepup", "kubectl_stepup-python"):
        (directory / name).write_text("#!/bin/sh\n")
        (directory / name).chmod(0o755)
    return directory


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start as `python -m kubectl_stepup` of an installation without a launcher, with one on PATH and in the way."""
    other = installed(tmp_path / "other")
    monkeypatch.setenv("PATH", str(other))
    monkeypatch.chdir(other)
    monkeypatch.setattr(sys, "argv", ["/lib/kubectl_stepup/__main__.py"])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv/bin/python"))


def test_without_one(tmp_path: Path) -> None:
    assert launcher() is None
    installed(tmp_path / "venv/bin", "kubectl-stepup")
    assert launcher() is None


@pytest.mark.parametrize("name", ["kubectl-stepup", "kubectl_stepup-python"])
def test_both_must_be_programs(tmp_path: Path, name: str) -> None:
    venv = installed(tmp_path / "venv/bin")
    (venv / name).chmod(0o644)
    assert launcher() is None
    (venv / name).unlink()
    (venv / name).mkdir()
    assert launcher() is None


def test_beside_the_interpreter(tmp_path: Path) -> None:
    venv = installed(tmp_path / "venv/bin")
    # As in a virtual environment: the interpreter is a link, and its file lies where the launcher does not.
    (venv / "python").symlink_to("/bin/sh")
    assert launcher() == f"{venv}/kubectl-stepup"


def test_beside_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user, _ = installed(tmp_path / "local/bin"), installed(tmp_path / "venv/bin")
    monkeypatch.setattr(sys, "argv", [f"{user}/kubectl_stepup-python"])
    assert launcher() == f"{user}/kubectl-stepup"


def test_beside_the_program_that_a_link_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = installed(tmp_path / "local/bin")
    (tmp_path / "links").mkdir()
    (tmp_path / "links/kubectl_stepup-python").symlink_to(user / "kubectl_stepup-python")
    monkeypatch.setattr(sys, "argv", [f"{tmp_path}/links/kubectl_stepup-python"])
    assert launcher() == f"{user}/kubectl-stepup"


@pytest.mark.parametrize("started", ["kubectl_stepup-python", "./kubectl_stepup-python", "{}/kubectl-stepup", ""])
def test_not_by_another_name_or_a_relative_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: str) -> None:
    monkeypatch.setattr(sys, "argv", [started.format(os.getcwd())])
    assert launcher() is None


@pytest.mark.parametrize("interpreter", ["", "python", "./python"])
def test_not_beside_an_interpreter_of_unknown_place(monkeypatch: pytest.MonkeyPatch, interpreter: str) -> None:
    monkeypatch.setattr(sys, "executable", interpreter)
    assert launcher() is None


def test_a_frozen_program_goes_by_its_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, other = installed(tmp_path / "store"), tmp_path / "other"
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "argv", [f"{other}/kubectl_stepup-python"])  # its caller's words
    monkeypatch.setattr(sys, "executable", f"{archive}/kubectl_stepup-python")
    assert launcher() == f"{archive}/kubectl-stepup"


def test_krews_link_outlives_a_version(tmp_path: Path) -> None:
    """`krew upgrade` removes the directory of the version before, and a static entry must still be answered."""
    program = installed(tmp_path / "krew/store/stepup/v0.1.0") / "kubectl-stepup"
    assert lasting(str(program)) == str(program)
    link = tmp_path / "krew/bin/kubectl-stepup"
    link.parent.mkdir()
    link.symlink_to(program)
    assert lasting(str(program)) == str(link)
    # Another version than the one that runs.
    link.unlink()
    link.symlink_to(installed(tmp_path / "krew/store/stepup/v0.2.0") / "kubectl-stepup")
    assert lasting(str(program)) == str(program)


def test_a_link_beside_another_layout_is_none_of_krews(tmp_path: Path) -> None:
    program = installed(tmp_path / "root/shop/stepup/v0.1.0") / "kubectl-stepup"
    link = tmp_path / "root/bin/kubectl-stepup"
    link.parent.mkdir()
    link.symlink_to(program)
    assert lasting(str(program)) == str(program)
