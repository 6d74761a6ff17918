"""docs/reference/decisions.md: every line of its tables is what the program decides."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from kubectl_stepup.policy.load import starting_policy

from .conftest import Cli

PAGE = (Path(__file__).parents[3] / "docs/reference/decisions.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(.+)` \| (\S+) \| (\S+) \|$", PAGE, re.MULTILINE)
MANIFESTS = re.findall(r"^# (\S+\.yaml)\n(.*?)(?=^---$|^```$)", PAGE, re.MULTILINE | re.DOTALL)
WORDS = {"allow": "runs", "refuse": "refused"}


@pytest.fixture
def manifests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "work"
    directory.mkdir()
    for name, text in MANIFESTS:
        (directory / name).write_text(text)
    monkeypatch.chdir(directory)


def test_the_page_has_what_it_should() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| `")]

    assert len(lines) == len(ROWS) == len({command for command, _, _ in ROWS}) >= 80
    assert [name for name, _ in MANIFESTS] == ["pod.yaml", "roles.yaml"]


@pytest.mark.parametrize(("command", "guarded", "read_only"), ROWS, ids=[command for command, _, _ in ROWS])
def test_a_line_is_what_the_program_decides(
    cli: Cli, write: Callable[..., str], manifests: None, command: str, guarded: str, read_only: str
) -> None:
    for profile, shown in (("guarded", guarded), ("read-only", read_only)):
        policy = write(f"{profile}.yaml", starting_policy(profile))
        words = shlex.split(command.replace("&#124;", "|"))
        decision = json.loads(cli("policy", "check", "-o", "json", "--policy", policy, "--", *words).out)

        assert WORDS.get(decision["decision"], decision["level"]) == shown, decision["why"]


def test_what_holds_without_a_file_is_the_guarded_column(cli: Cli, manifests: None) -> None:
    for command, guarded, _ in ROWS[::10]:
        decision = json.loads(cli("policy", "check", "-o", "json", "--", *shlex.split(command)).out)
        assert WORDS.get(decision["decision"], decision["level"]) == guarded, command
