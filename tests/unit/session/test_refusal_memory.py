"""Errors that are remembered come back as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubectl_stepup.errors import LoginNeeded, ProviderError, ProviderUnreachable, StepUpDenied, StoreUnavailable
from kubectl_stepup.session.record import Moment
from kubectl_stepup.session.refusal_memory import RefusalMemory

ID = "0123456789abcdef0123456789abcdef"


def memory(directory: Path, started: float = 100.0) -> RefusalMemory:
    return RefusalMemory(lambda: directory, started, lambda: Moment(wall=0.0, boottime=200.0, boot_id="boot"))


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
    assert not memory(tmp_path).ended(ID)
    memory(tmp_path).end(ID)
    assert memory(tmp_path).ended(ID)
    assert not memory(tmp_path, started=201.0).ended(ID)
    assert not memory(tmp_path).ended("f" * 32)
    (tmp_path / f"{ID}.ended").write_text("soon")
    assert not memory(tmp_path).ended(ID)


def test_without_a_directory_nothing_is_remembered_and_nothing_fails() -> None:
    def nowhere() -> Path:
        raise StoreUnavailable("no directory")

    homeless = RefusalMemory(nowhere, 100.0, lambda: Moment(wall=0.0, boottime=200.0, boot_id="boot"))
    homeless.remember(ID, StepUpDenied("no"))
    homeless.forget(ID)
    homeless.end(ID)
    assert homeless.binding(ID, for_credential=True) is None
    assert not homeless.ended(ID)
