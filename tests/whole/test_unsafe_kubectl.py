"""A kubectl that others can replace is never run elevated, whichever command asks for it and whenever that happens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kubectl_stepup.kubectl.process import find
from tests.support.lab import Lab, opened_lab
from tests.support.warm_start import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_stepup.demo.terminal import Ran


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path) as opened:
        yield opened


class Shadow:
    """A kubectl before the lab's own on PATH, which writes down how it was called."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.real = find(lab.environ)
        self.directory = lab.directory / "shadow"
        self.directory.mkdir()
        self.calls = lab.directory / "calls"
        self.file = self.program("kubectl")

    def program(self, name: str) -> Path:
        path = self.directory / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.calls}\nexec {self.real} "$@"\n')
        path.chmod(0o755)
        return path

    def called(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def stepup(self, *words: str) -> Ran:
        path = f"PATH={self.directory}:{self.lab.environ['PATH']}"
        return self.lab.terminal.run(["env", path, *PROGRAM, *words], timeout_s=60)


@pytest.fixture
def shadow(lab: Lab) -> Shadow:
    return Shadow(lab)


@pytest.mark.parametrize(
    "words",
    [("login",), ("exec", "--", "delete", "pod", "web-0"), ("policy", "verify", "--cluster", "prod", "--level", "mfa")],
)
def test_nobody_is_asked_for_it(shadow: Shadow, words: tuple[str, ...]) -> None:
    shadow.directory.chmod(0o777)
    ran = shadow.stepup(*words)
    assert ran.code != 0
    assert f"{shadow.directory} can be changed by other users" in ran.screen.replace("\n", "")
    assert f"chmod go-w {shadow.directory}" in ran.screen.replace("\n", "")
    assert shadow.called() == []
    assert [record["activity"] for record in shadow.lab.records() if record["result"] == "approved"] == []


def test_one_that_nobody_else_can_replace_is_run(shadow: Shadow) -> None:
    ran = shadow.stepup("login")
    assert ran.code == 0
    assert any("get configmap kubectl-stepup-policy" in line for line in shadow.called())


def test_one_that_is_replaced_while_somebody_is_asked_is_not_run(shadow: Shadow) -> None:
    """Also where nobody but us could do it."""
    other = shadow.program("other")

    def replaced(*_: object) -> None:
        if not shadow.file.is_symlink():
            shadow.file.unlink()
            shadow.file.symlink_to(other)

    lab = shadow.lab
    path = f"PATH={shadow.directory}:{lab.environ['PATH']}"
    words = ["env", path, *PROGRAM, "exec", "--", "delete", "pod", "web-0"]
    ran = lab.terminal.run(words, lambda screen: replaced() if "Step-up needed" in screen else None, timeout_s=60)
    assert ran.code == 125
    assert "was replaced after it had been checked" in ran.screen
    assert not any(line.startswith("other") for line in shadow.called())
    assert lab.exists("web-0")
