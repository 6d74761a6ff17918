"""What `policy check` and `policy explain` say of a command on an enrolled machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubectl_stepup.config import places
from kubectl_stepup.sessions.scope import key, moment, terminal_scope
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.sessions.stored_session import Moment
from kubectl_stepup.stepup.app import App
from kubectl_stepup.stepup.options import Settings, TargetOptions
from kubectl_stepup.stepup.policy_decisions import check_command, explain_command
from tests.flows import session

CONFIG = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Config
store: memory
providers:
  - name: corp
    issuer: "https://login.example.com"
    clientID: kubectl
    elevatedClientID: kubectl-elevated
    evidence: {mfa: {acr: [mfa, gold]}, critical: {acr: [phr]}}
clusters:
  - {name: prod-eu, context: prod, server: "https://api.prod.example.com", provider: corp, account: alice}
"""
KUBECONFIG = """\
current-context: prod
clusters: [{name: c, cluster: {server: "https://api.prod.example.com"}}]
contexts: [{name: prod, context: {cluster: c, user: u, namespace: shop}}]
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    """An app with one enrolled cluster."""
    monkeypatch.setattr(places, "SYSTEM_DIRECTORY", str(tmp_path / "etc"))
    for name, text in (("config.yaml", CONFIG), ("kubeconfig", KUBECONFIG)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    environ = {"HOME": str(tmp_path / "home"), "KUBECONFIG": str(tmp_path / "kubeconfig")}
    return App(Settings(config=str(tmp_path / "config.yaml")), environ)


def now_session(age_s: float = 0.0, **changes: object) -> ElevationSession:
    """A session that was approved `age_s` ago by the real clocks."""
    now = moment()
    approved = Moment(wall=now.wall - age_s, boottime=now.boottime - age_s, boot_id=now.boot_id)
    return session(
        approved=approved,
        reuse_until=approved.wall + 600,
        token_expires_at=approved.wall + 900,
        ca_sha256=None,
        **changes,  # type: ignore[arg-type]
    )


def keep(machine: App, kept: ElevationSession) -> None:
    machine.store.put(key(kept.id, terminal_scope()), kept.to_record(), kept.token_expires_at)


def session_line(machine: App, *words: str) -> str:
    lines = explain_command(words, TargetOptions(), machine).splitlines()
    return next((line.split(maxsplit=1)[1] for line in lines if line.startswith("SESSION")), "")


def test_a_decision_knows_the_enrolled_cluster(machine: App) -> None:
    found = check_command(["delete", "pod", "x"], TargetOptions(namespace="n"), machine)
    assert (found.target.cluster, found.target.namespace, found.decision.effect) == ("prod-eu", "n", "stepup")


def test_a_session_that_serves_is_named(machine: App) -> None:
    keep(machine, now_session(age_s=65))
    line = session_line(machine, "delete", "pod", "x")
    assert line.startswith("live at level mfa for 8m5")
    assert line.endswith("s: you would not be asked")


def test_without_one_you_would_be_asked(machine: App) -> None:
    assert session_line(machine, "delete", "pod", "x") == "none at level mfa: you would be asked"


def test_a_weaker_one_does_not_serve(machine: App) -> None:
    keep(machine, now_session())
    line = session_line(machine, "delete", "namespace", "x")
    assert line.startswith("live at level mfa for ")
    assert line.endswith(", which is weaker than critical: you would be asked")


def test_a_command_that_needs_none_has_no_line(machine: App) -> None:
    assert session_line(machine, "get", "pods") == ""


def test_an_unenrolled_context_says_so(machine: App, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text(KUBECONFIG.replace("api.prod", "api.lab").replace("prod", "lab"))
    assert session_line(machine, "delete", "pod", "x") == "the context is not enrolled: runs with your everyday login"


def test_a_kubeconfig_that_cannot_be_read_says_so(machine: App, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text("contexts: 5\n")
    lines = explain_command(["delete", "pod", "x"], TargetOptions(), machine).splitlines()
    (decision,) = (line for line in lines if line.startswith("DECISION"))
    assert decision.endswith(f"; not asked for: {tmp_path / 'kubeconfig'}:1: contexts: must be a list")
    assert session_line(machine, "delete", "pod", "x") == "refused: nobody knows whether it goes to an enrolled cluster"


def test_every_label_stands_in_one_column(machine: App) -> None:
    lines = explain_command(["delete", "pod", "x"], TargetOptions(), machine).splitlines()
    labels = ("REQUEST", "SUMMARY", "DECISION", "RULE", "WHY", "SESSION", "SERVER", "SERVER")
    assert [line[:11] for line in lines] == [f"{label:<11}" for label in labels]


def server_lines(machine: App, *words: str) -> list[str]:
    lines = explain_command(words, TargetOptions(), machine).splitlines()
    return [line.split(maxsplit=1)[1] for line in lines if line.startswith("SERVER")]


PROOF = "so it is compiled; proof: kubectl stepup policy verify --cluster prod-eu"


def test_the_server_line_says_who_else_refuses(machine: App) -> None:
    assert server_lines(machine, "delete", "pod", "x") == [
        "refused by admission (policy kubectl-stepup-deletes)",
        PROOF,
    ]
    assert server_lines(machine, "get", "secret", "x") == ["by RBAC alone (get secrets)", PROOF]
    assert server_lines(machine, "get", "pods") == []


def test_each_of_several_rules_has_its_line(machine: App) -> None:
    lines = server_lines(machine, "delete", "namespace", "x")

    assert len(lines) == 3
    assert "deletes: refused by admission (policy kubectl-stepup-deletes)" in lines


def test_an_unenrolled_context_has_no_server_line(machine: App, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text(KUBECONFIG.replace("api.prod", "api.lab").replace("prod", "lab"))
    assert server_lines(machine, "delete", "pod", "x") == []
