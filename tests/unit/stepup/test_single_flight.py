"""One prompt at a time: for a session, and for a terminal whatever the session."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from unittest.mock import sentinel

import pytest

from kubectl_stepup.errors import LockTimeout
from kubectl_stepup.stepup import single_flight as module
from kubectl_stepup.stepup.app import App
from kubectl_stepup.stepup.elevate import Elevation
from kubectl_stepup.stepup.options import Settings

ID, OTHER = "0" * 32, "f" * 32


def flight(directory: Path, session_id: str = ID, found: object = None) -> AbstractContextManager[Elevation | None]:
    app = App(Settings(), {"HOME": str(directory)})
    app.__dict__["runtime_directory"] = directory
    find = partial(dict[str, Elevation]({"": found} if found else {}).get, "")  # type: ignore[dict-item]
    return module.single_flight(session_id, find, app)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_WAIT_S", 0.0)


def test_one_at_a_time_and_whoever_waits_is_told_where_and_since_when(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """CONC-11."""
    with flight(tmp_path) as found, pytest.raises(LockTimeout), flight(tmp_path):
        pytest.fail("the lock is held")
    assert found is None
    said = capsys.readouterr().err
    assert said.startswith(f"Waiting for the step-up in process {os.getpid()}")
    assert ", started 0s ago. Ctrl-C" in said
    with flight(tmp_path):
        pass


def test_a_terminal_shows_one_prompt_at_a_time_whatever_it_is_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CONC-07: two levels or two clusters at once."""
    with flight(tmp_path), pytest.raises(LockTimeout), flight(tmp_path, OTHER):
        pytest.fail("the terminal is taken")
    with flight(tmp_path):
        monkeypatch.setattr("kubectl_stepup.sessions.scope.terminal_scope", lambda: "tty-34819-1-2")
        with flight(tmp_path, OTHER) as found:
            assert found is None


def test_what_another_process_got_needs_no_prompt(tmp_path: Path) -> None:
    with flight(tmp_path, found=sentinel.elevation) as found:
        assert found is sentinel.elevation
        with flight(tmp_path, OTHER):
            pass  # the terminal was left to others
