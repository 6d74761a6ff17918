"""A record that cannot be written: places that take none, each tried with the program itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lab import Lab, opened_lab
from tests.support.warm_start import PROGRAM

PLACES = {
    "no directory": "XDG_STATE_HOME=/proc/nope {}",
    "a link": "ln -s $HOME/elsewhere $XDG_STATE_HOME/kubectl-stepup/audit.jsonl; {}",
    "a FIFO": "mkfifo $XDG_STATE_HOME/kubectl-stepup/audit.jsonl; {}",
    "a device": "ln -s /dev/full $XDG_STATE_HOME/kubectl-stepup/audit.jsonl; {}",
    "a directory": "mkdir $XDG_STATE_HOME/kubectl-stepup/audit.jsonl; {}",
    "no room": "ulimit -f 1; head -c 1024 /dev/zero > $XDG_STATE_HOME/kubectl-stepup/audit.jsonl; {}",
    "open to others": "chmod 777 $XDG_STATE_HOME/kubectl-stepup; {}",
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with opened_lab(tmp_path_factory.mktemp("lab")) as opened:
        yield opened


def run(lab: Lab, place: str, state: Path, *words: str) -> tuple[int, str]:
    """Run our command in a terminal, with a new state directory that `place` spoils."""
    (state / "kubectl-stepup").mkdir(mode=0o700, parents=True)
    command = " ".join([f"XDG_RUNTIME_DIR={lab.directory / 'run'}", *PROGRAM, *words])
    script = f"export XDG_STATE_HOME={state}; {PLACES[place].format(command)}"
    ran = lab.terminal.run(["bash", "--norc", "--noprofile", "-c", script])
    return ran.code, ran.screen


def require(lab: Lab, record: str) -> None:
    config = lab.directory / "home/.config/kubectl-stepup/config.yaml"
    lines = [line for line in config.read_text().splitlines() if not line.startswith("record:")]
    config.write_text("\n".join([*lines, f"record: {record}", ""]))


@pytest.mark.parametrize("place", PLACES)
def test_a_lost_record_is_said_with_q(lab: Lab, place: str, tmp_path: Path) -> None:
    require(lab, "tried")
    code, screen = run(lab, place, tmp_path, "exec", "-q", "--once", "--level", "mfa", "--", "get", "pods")
    assert code == 0, screen
    assert screen.count("warning: not recorded: audit ") == 1, screen


@pytest.mark.parametrize("place", PLACES)
def test_where_the_record_is_required_nobody_is_asked(lab: Lab, place: str, tmp_path: Path) -> None:
    require(lab, "required")
    asked = lab.provider.count("device")
    code, screen = run(lab, place, tmp_path, "exec", "-q", "--", "delete", "pod", "web-0")
    assert code == 125, screen
    assert "and the config says record: required" in screen
    assert (lab.provider.count("device"), lab.exists("web-0")) == (asked, True)
    code, screen = run(lab, place, tmp_path / "2", "doctor")
    assert code == 1, screen
    assert any(line.split()[:2] == ["[fail]", "record"] for line in screen.splitlines()), screen


def test_where_it_can_be_written_all_is_well(lab: Lab) -> None:
    require(lab, "required")
    assert lab.stepup("exec", "--once", "--level", "mfa", "--", "get", "pods").code == 0
    assert "audit.jsonl can be written" in lab.stepup("doctor").screen
    assert os.listdir(lab.audit_file.parent).count("audit.jsonl") == 1
    assert not [name for name in os.listdir(lab.audit_file.parent) if name.endswith(".check")]
