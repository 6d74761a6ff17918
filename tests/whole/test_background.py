"""A job in the background: it asks nobody and elevates by nobody, but may use what its terminal's person approved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_stepup.demo.terminal import Ran
from tests.support.lab import Lab, opened_lab
from tests.support.warm_start import PROGRAM

DELETE = " ".join([*PROGRAM, "exec", "--", "delete", "pod", "web-0"])


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path) as opened:
        yield opened


def in_bash(lab: Lab, script: str) -> Ran:
    return lab.terminal.run(["bash", "--norc", "--noprofile", "-c", script])


@pytest.mark.parametrize("background", ["set -m; {} & wait %1", "timeout 60 {}", "setsid --wait {}"])
def test_a_background_job_asks_nobody(lab: Lab, background: str) -> None:
    ran = in_bash(lab, background.format(DELETE))
    assert ran.code == 125, ran.screen
    assert "step-up needed, but nobody can be asked" in ran.screen
    assert "Step-up needed: " not in ran.screen
    assert (lab.provider.count("device"), lab.exists("web-0")) == (0, True)
    assert [record["result"] for record in lab.records()] == ["interaction-required"]


def test_a_background_job_uses_what_was_approved_in_its_terminal(lab: Lab) -> None:
    assert lab.stepup("login").code == 0
    ran = in_bash(lab, f"set -m; {DELETE} & wait %1")
    assert (ran.code, lab.exists("web-0")) == (0, False), ran.screen


@pytest.mark.parametrize(
    "foreground", ["timeout --foreground 60 {}", "set -m; echo y | {} | cat; exit ${{PIPESTATUS[1]}}"]
)
def test_in_the_foreground_it_asks(lab: Lab, foreground: str) -> None:
    ran = in_bash(lab, foreground.format(DELETE))
    assert (ran.code, lab.exists("web-0")) == (0, False), ran.screen
