from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from kubectl_stepup.audit.sinks.file import AuditLog
from kubectl_stepup.cli.app import app_for
from kubectl_stepup.config import places
from kubectl_stepup.config.model import Provider
from kubectl_stepup.errors import ConfigError, NotEnrolled
from kubectl_stepup.sessions.stores import choose
from kubectl_stepup.sessions.stores.memory import MemoryStore
from kubectl_stepup.stepup.app import App
from kubectl_stepup.stepup.options import Settings
from kubectl_stepup.stepup.setup_files import config_to_write
from tests.flows import PROVIDER

CONFIG = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Config
store: memory
providers:
  - {name: corp, issuer: "https://login.example.com", clientID: kubectl, elevatedClientID: kubectl-elevated}
clusters:
  - {name: prod-eu, context: prod, server: "https://a.example.com", provider: corp, account: alice}
  - {name: prod, context: other, server: "https://b.example.com", provider: corp, account: alice}
"""


@pytest.fixture(autouse=True)
def no_system_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(places, "SYSTEM_DIRECTORY", str(tmp_path / "etc"))


def machine(tmp_path: Path, text: str = CONFIG, *, from_credential: bool = False, **settings: object) -> App:
    """An app with a home in `tmp_path` and this config in it."""
    path = tmp_path / "home/.config/kubectl-stepup/config.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    environ = {"HOME": str(tmp_path / "home"), "TERM": "dumb"}
    return App(Settings(**settings), environ, from_credential=from_credential)  # type: ignore[arg-type]


def test_clusters_are_found_by_context_first_then_by_name(tmp_path: Path) -> None:
    found = machine(tmp_path)
    assert [cluster.name for cluster in found.clusters(None)] == ["prod-eu", "prod"]
    assert [cluster.name for cluster in found.clusters("prod")] == ["prod-eu"]
    assert [cluster.name for cluster in found.clusters("other")] == ["prod"]
    assert [cluster.name for cluster in found.clusters("prod-eu")] == ["prod-eu"]
    with pytest.raises(NotEnrolled):
        found.clusters("nowhere")


def test_setup_may_name_a_config_that_does_not_exist_yet(tmp_path: Path) -> None:
    path = str(tmp_path / "new.yaml")
    assert config_to_write(machine(tmp_path, config=path)).clusters == ()
    with pytest.raises(ConfigError):
        _ = machine(tmp_path, config=path).config
    assert len(config_to_write(machine(tmp_path)).clusters) == 2


def test_the_systems_config_counts_for_a_new_one_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = tmp_path / "etc/config.yaml"
    system.parent.mkdir()
    system.write_text("apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: Config\nunenrolled: refuse\n")
    system.chmod(0o600)
    if os.geteuid() == 0:  # only root can write what is root's
        assert config_to_write(machine(tmp_path, config=str(tmp_path / "new.yaml"))).unenrolled == "refuse"
    else:
        with pytest.raises(ConfigError):
            config_to_write(machine(tmp_path, config=str(tmp_path / "new.yaml")))


def test_places_are_below_home(tmp_path: Path) -> None:
    found = machine(tmp_path)
    state = tmp_path / "home/.local/state/kubectl-stepup"
    assert isinstance(found.audit, AuditLog)
    assert (found.state_directory, found.audit.path) == (state, state / "audit.jsonl")
    assert found.runtime_directory == state / "run"
    assert found.runtime_directory.stat().st_mode & 0o777 == 0o700


def test_without_a_home_there_is_no_state() -> None:
    with pytest.raises(ConfigError) as caught:
        _ = App(Settings(), {}).state_directory
    assert caught.value.message == "there is no place for the audit log: neither HOME nor XDG_STATE_HOME is set"


@pytest.mark.parametrize(("from_credential", "said"), [(False, "Not remembering: no keyring\n"), (True, "")])
def test_a_store_that_is_not_what_was_hoped_for_is_said_to_people(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    from_credential: bool,
    said: str,
) -> None:
    chosen = choose.ChosenStore(store=MemoryStore(now=lambda: 0.0), notice="Not remembering: no keyring")
    monkeypatch.setattr(choose, "choose", lambda name, **options: chosen)
    found = machine(tmp_path, from_credential=from_credential)
    assert [found.store.keys() for _ in range(3)] == [[], [], []]
    assert capsys.readouterr().err == said


def test_no_input_means_nobody_is_asked(tmp_path: Path) -> None:
    assert machine(tmp_path, no_input=True).terminal.obstacle() == "--no-input"


def test_quiet_means_no_notices(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine(tmp_path, quiet=True).terminal.line("x")
    machine(tmp_path).terminal.line("y")
    assert capsys.readouterr().err == "y\n"


def test_the_recorder_names_this_process_and_gives_every_event_its_own_id(tmp_path: Path) -> None:
    recorder = machine(tmp_path).recorder
    assert recorder.caller.pid == os.getpid()
    assert recorder.new_id() != recorder.new_id()


def test_a_provider_is_reached_by_its_enrolment_alone(tmp_path: Path) -> None:
    client = machine(tmp_path).provider(PROVIDER)
    assert client.host == "login.example.com"


def test_a_ca_file_that_others_can_change_is_not_used(tmp_path: Path) -> None:
    """Whoever can change it is the provider."""
    path = tmp_path / "ca.pem"
    path.write_text("-----BEGIN CERTIFICATE-----")
    path.chmod(0o666)
    with pytest.raises(ConfigError, match=r"ca\.pem can be changed by other users"):
        machine(tmp_path).provider(replace(PROVIDER, ca_file=str(path)))


def test_a_ca_file_that_is_a_pipe_does_not_hold_us(tmp_path: Path) -> None:
    provider = replace(PROVIDER, ca_file=str(tmp_path / "pipe"))
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(ConfigError, match="not a regular file"):
        machine(tmp_path).provider(provider)


def test_a_ca_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    provider = Provider(
        name="corp",
        issuer=PROVIDER.issuer,
        client_id="a",
        elevated_client_id="b",
        preset=PROVIDER.preset,
        ca_file=str(tmp_path / "gone.pem"),
    )
    with pytest.raises(ConfigError):
        machine(tmp_path).provider(provider).metadata()


def test_the_parts_for_stepping_up_are_the_real_things(tmp_path: Path) -> None:
    found = machine(tmp_path)
    assert (found.store, found.terminal, found.recorder) == (found.store, found.terminal, found.recorder)
    assert found.denials.binding("0" * 32, for_credential=True) is None
    assert found.moment().wall > 1_700_000_000


def test_the_app_is_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECTL_STEPUP_CONFIG", "/x")
    found = app_for(Settings(verbose=1))
    assert (found.settings.verbose, found.environ["KUBECTL_STEPUP_CONFIG"]) == (1, "/x")
