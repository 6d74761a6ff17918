"""`setup` ends the sessions that rest on what it changes, in every terminal, and says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubectl_stepup.sessions.scope import key, moment, terminal_scope
from kubectl_stepup.sessions.stores import choose
from kubectl_stepup.sessions.stores.memory import MemoryStore
from kubectl_stepup.stepup.app import App
from tests.support.fakes import FakeProvider

from .conftest import Cli
from .test_sessions import CONFIG, Sticky, now_session
from .test_setup import KUBECONFIG

OF_OTHERS = key(replace(now_session(), cluster="elsewhere").id, "user")
ENDED = "Ended the elevation to mfa in prod-eu: its enrolment has changed\n"


@pytest.fixture(params=[MemoryStore])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, write: Callable[..., str]) -> MemoryStore:
    """A store with a session of this terminal and one of another, and one of a cluster that another config enrols."""
    found: MemoryStore = request.param(now=lambda: moment().wall)
    for kept, scope in (
        (now_session(), terminal_scope()),
        (now_session(), "tty-34817-77-12"),
        (replace(now_session(), cluster="elsewhere"), "user"),
    ):
        found.put(key(kept.id, scope), kept.to_record(), kept.token_expires_at)
    notice = "Not remembering the step-up after this command"
    monkeypatch.setattr(choose, "choose", lambda name, **options: choose.ChosenStore(store=found, notice=notice))
    monkeypatch.setattr(App, "provider", lambda self, provider: FakeProvider())
    monkeypatch.setenv("KUBECTL_STEPUP_CONFIG", write("config.yaml", CONFIG))
    monkeypatch.setenv("KUBECONFIG", write("kubeconfig", KUBECONFIG))
    return found


@pytest.mark.parametrize(
    "words",
    [
        ("--remove",),
        ("--account", "bob"),
        ("--evidence", "mfa:acr=phr"),
        ("--elevated-client-id", "another"),
        ("--name", "prod"),
    ],
    ids=" ".join,
)
def test_what_rested_on_it_ends_in_every_terminal(cli: Cli, store: MemoryStore, words: tuple[str, ...]) -> None:
    found = cli("setup", "--context", "prod", "--yes", *words)
    assert (found.code, store.keys()) == (0, [OF_OTHERS]), found.err
    assert found.err.count(ENDED) == 2
    assert "Not remembering" not in found.err


def test_what_goes_on_counting_stays(cli: Cli, store: MemoryStore) -> None:
    found = cli("setup", "--context", "prod", "--yes", "--label", "env=prod")
    assert (found.code, len(store.keys())) == (0, 3), found.err
    assert ENDED not in found.err


def test_a_dry_run_ends_nothing(cli: Cli, store: MemoryStore) -> None:
    assert cli("setup", "--context", "prod", "--remove", "--dry-run").code == 0
    assert len(store.keys()) == 3


@pytest.mark.parametrize("store", [Sticky], indirect=True)
def test_what_cannot_be_removed_is_said(cli: Cli, store: MemoryStore) -> None:
    found = cli("setup", "--context", "prod", "--yes", "--remove")
    assert found.code == 0
    assert "warning: an elevation could not be removed: kubectl-stepup:" in found.err
    assert "the keyring is locked. Try again: kubectl stepup logout --all" in found.err


def test_a_first_enrolment_asks_no_store(
    cli: Cli, store: MemoryStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def closed(*_: Any, **__: Any) -> Any:
        raise AssertionError("the store was opened")

    monkeypatch.setattr(choose, "choose", closed)
    monkeypatch.setenv("KUBECTL_STEPUP_CONFIG", str(tmp_path / "new.yaml"))
    words = ("--issuer", "https://login.example.com", "--client-id", "kubectl", "--account", "alice")
    assert cli("setup", "--context", "prod", "--yes", *words).code == 0
