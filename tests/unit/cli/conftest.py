"""The command line in process: a home of its own, and never the sessions of whoever runs the tests."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kubectl_stepup.cli.root import run
from kubectl_stepup.config import places
from kubectl_stepup.sessions.stores import choose
from kubectl_stepup.sessions.stores.memory import MemoryStore


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> Any:
        """The error object of `-o json`."""
        return json.loads(self.err)


Cli = Callable[..., Result]


@pytest.fixture(autouse=True)
def no_real_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep `logout --all` away from real sessions, and the machine's policy away from the tests."""
    memory = choose.ChosenStore(store=MemoryStore(now=time.time))
    monkeypatch.setattr(choose, "choose", lambda name, **options: memory)
    monkeypatch.setattr(places, "SYSTEM_DIRECTORY", str(tmp_path / "etc"))


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command line: `cli("exec", "--", "get", "pods")`."""

    def call(*argv: str) -> Result:
        arguments: Sequence[str] = argv
        capsys.readouterr()
        code = run(arguments)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Result(code=code, out=captured.out, err=captured.err)

    return call


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], str]:
    """Write a file that only its owner can write; give its path."""

    def writing(name: str, text: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        return str(path)

    return writing
