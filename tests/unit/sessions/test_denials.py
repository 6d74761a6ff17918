"""Errors that are remembered come back as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubectl_stepup.errors import LoginNeeded, ProviderError, ProviderUnreachable, StepUpDenied, StoreUnavailable
from kubectl_stepup.sessions.denial_cache import DenialCache
from kubectl_stepup.sessions.scope import EVERY_SCOPE, key
from kubectl_stepup.sessions.stored_session import Moment

ID = "0123456789abcdef0123456789abcdef"


def memory(directory: Path, started: float = 100.0) -> DenialCache:
    return DenialCache(lambda: directory, started, lambda: Moment(wall=0.0, boottime=200.0, boot_id="boot"))


@pytest.mark.parametrize(
    "refusal", [StepUpDenied("no", hint="ask Ops"), LoginNeeded("late"), ProviderUnreachable("gone")], ids=repr
)
def test_an_error_comes_back_as_it_was(tmp_path: Path, refusal: LoginNeeded | ProviderError) -> None:
    memory(tmp_path).remember(ID, refusal)
    found = memory(tmp_path).binding(ID, for_credential=False)
    assert (type(found), str(found), found and found.hint) == (type(refusal), str(refusal), refusal.hint)
    assert memory(tmp_path, started=201.0).binding(ID, for_credential=False) is None


def test_an_end_is_for_what_was_running(tmp_path: Path) -> None:
    """CONC-10."""
    here, elsewhere = key(ID, "tty-34816-1-2"), key(ID, "tty-34817-1-2")
    assert not memory(tmp_path).ended(here)
    memory(tmp_path).end(here)
    assert memory(tmp_path).ended(here)
    assert not memory(tmp_path, started=201.0).ended(here)
    assert not memory(tmp_path).ended(elsewhere)
    assert not memory(tmp_path).ended(key("f" * 32, "tty-34816-1-2"))
    next(tmp_path.glob("*.ended")).write_text("soon")
    assert not memory(tmp_path).ended(here)


def test_an_end_of_every_terminal_is_for_each_of_them(tmp_path: Path) -> None:
    """CONC-10."""
    memory(tmp_path).end(key(ID, EVERY_SCOPE))
    for scope in ("tty-34816-1-2", "user"):
        assert memory(tmp_path).ended(key(ID, scope))
        assert not memory(tmp_path, started=201.0).ended(key(ID, scope))
        assert not memory(tmp_path).ended(key("f" * 32, scope))


def test_without_a_directory_nothing_is_remembered_and_nothing_fails() -> None:
    def nowhere() -> Path:
        raise StoreUnavailable("no directory")

    homeless = DenialCache(nowhere, 100.0, lambda: Moment(wall=0.0, boottime=200.0, boot_id="boot"))
    homeless.remember(ID, StepUpDenied("no"))
    homeless.forget(ID)
    homeless.end(key(ID, "user"))
    assert homeless.binding(ID, for_credential=True) is None
    assert not homeless.ended(key(ID, "user"))
