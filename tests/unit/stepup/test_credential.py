from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubectl_stepup.audit.event import Activity
from kubectl_stepup.errors import (
    CredentialWithheld,
    InteractionRequired,
    LoginNeeded,
    NotEnrolled,
    StepUpDenied,
    StepUpError,
)
from kubectl_stepup.kubeconfig.cluster_pin import ca_digest
from kubectl_stepup.sessions.scope import key
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.stepup import credential as module
from kubectl_stepup.stepup.app import App
from kubectl_stepup.stepup.credential import credential
from kubectl_stepup.stepup.evaluate import require_unchanged
from kubectl_stepup.stepup.options import Settings
from kubectl_stepup.stepup.request import StepUpRequest
from tests.flows import CONFIG, RESOLVED, World, asked, cluster, exec_info, policy_of, session
from tests.support.values import TERMINAL_SCOPE, repinned

PEM = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
OTHER_PEM = b"-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n"
PINNED = cluster(ca_sha256=ca_digest(PEM))
ID = session().id


def data(pem: bytes) -> str:
    return base64.b64encode(pem).decode()


GOOD = exec_info({"certificate-authority-data": data(PEM)})


def world_of(**changes: Any) -> World:
    return World(config=replace(CONFIG, clusters=(PINNED,)), **changes)


def kept(level: str = "mfa", **changes: Any) -> ElevationSession:
    return session(level=level, ca_sha256=PINNED.pin.ca_sha256, **changes)


def answered(world: World, session_id: str = ID, info: str = GOOD, **environ: str) -> str:
    world.environ = {**world.environ, "KUBERNETES_EXEC_INFO": info, **environ}
    return credential(session_id, world)


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_live_session_is_served_in_the_version_asked_for(version: str) -> None:
    world = world_of()
    world.put(kept())
    info = exec_info({"certificate-authority-data": data(PEM)}, version=version)
    assert json.loads(answered(world, info=info)) == {
        "kind": "ExecCredential",
        "apiVersion": f"client.authentication.k8s.io/{version}",
        "spec": {},
        "status": {"expirationTimestamp": "2027-01-15T08:10:00Z", "token": "id-token-mfa"},
    }
    assert (world.terminal.said, world.audit.events) == ([], [])


@pytest.mark.parametrize("scope", [TERMINAL_SCOPE, "user"])
def test_sessions_of_both_scopes_are_served(scope: str) -> None:
    world = world_of()
    world.put(kept(), scope)
    assert "id-token-mfa" in answered(world)


def test_a_stronger_session_serves() -> None:
    world = world_of()
    world.put(kept("strong"))
    assert "id-token-strong" in answered(world)


ENROLLED = "enrolled is https://api.prod.example.com"
WITHHELD: list[tuple[dict[str, object], str]] = [
    ({"server": "https://evil.example.com"}, f"the server is https://evil.example.com, {ENROLLED}"),
    ({"server": "https://evil", "config": {"server": PINNED.server}}, f"the server is https://evil, {ENROLLED}"),
    ({"server": "http://api.prod.example.com"}, "the server http://api.prod.example.com is not reached by https"),
    ({"certificate-authority-data": data(OTHER_PEM)}, "the certificate authority is not the enrolled one"),
    ({"certificate-authority-data": ...}, "no certificate authority was given, one is enrolled"),
    ({"insecure-skip-tls-verify": True}, "`insecure-skip-tls-verify` is not as enrolled"),
    ({"tls-server-name": "evil"}, "`tls-server-name` is not as enrolled"),
    ({"proxy-url": "http://evil"}, "`proxy-url` is not as enrolled"),
]


@pytest.mark.parametrize(("changes", "reason"), WITHHELD, ids=[reason[:50] for _, reason in WITHHELD])
@pytest.mark.parametrize("live", [True, False])
def test_another_server_gets_nothing_and_that_is_on_record(changes: dict[str, object], reason: str, live: bool) -> None:
    """KCFG-14."""
    world = world_of()
    if live:
        world.put(kept())
    info = exec_info({"certificate-authority-data": data(PEM), **changes})
    with pytest.raises(CredentialWithheld) as caught:
        answered(world, info=info)
    assert caught.value.message == f"the elevated token for prod-eu is withheld: {reason}"
    assert caught.value.hint == "kubectl stepup setup --context prod --provider corp"
    (event,) = world.audit.events
    assert (event.activity, event.result, event.context) == (Activity.REFUSAL, "credential-withheld", "prod")
    assert (world.asked, world.terminal.prompts) == ([], [])


NO_CLUSTER = json.dumps(
    {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "spec": {"interactive": False}}
)


@pytest.mark.parametrize(
    ("wants_cluster", "cause", "hint"),
    [
        (
            True,
            ", though its kubeconfig has `provideClusterInfo: true`: this client library does not send it",
            "kubectl stepup exec --context prod -- KUBECTL ARGS",
        ),
        (
            False,
            ": the exec entry lacks `provideClusterInfo: true`",
            "kubectl stepup setup --context prod --elevated-context NAME",
        ),
    ],
)
def test_who_sends_no_cluster_is_told_why(
    wants_cluster: bool, cause: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_of()
    world.put(kept())
    monkeypatch.setattr(module, "_wants_cluster", lambda *_: wants_cluster)
    with pytest.raises(CredentialWithheld) as caught:
        answered(world, info=NO_CLUSTER)
    assert caught.value.message == (
        "the elevated token for prod-eu is withheld: the client did not say which server the token is for "
        f"(`spec.cluster` of KUBERNETES_EXEC_INFO){cause}"
    )
    assert caught.value.hint == hint


def test_a_client_that_sends_the_name_of_its_ca_is_told_to_embed_it() -> None:
    world = world_of()
    world.put(kept())
    info = exec_info({"certificate-authority-data": ..., "certificate-authority": "/etc/ca.pem"})
    with pytest.raises(CredentialWithheld, match="the name of a CA file and not its content") as caught:
        answered(world, info=info)
    assert caught.value.hint == "kubectl config set-cluster NAME --certificate-authority=FILE --embed-certs"


@pytest.mark.parametrize(
    "info",
    [
        "",
        "{",
        "[]",
        "null",
        json.dumps({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v2", "spec": {}}),
        json.dumps({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1"}),
        json.dumps({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "spec": {}}),
        json.dumps({"kind": "Pod", "apiVersion": "client.authentication.k8s.io/v1", "spec": {"cluster": {}}}),
        GOOD.replace('"server"', '"server": "https://api.prod.example.com", "server"', 1),
    ],
)
def test_a_request_that_names_no_cluster_gets_nothing(info: str) -> None:
    world = world_of()
    world.put(kept())
    with pytest.raises(CredentialWithheld):
        answered(world, info=info)


def test_an_unknown_session_id_belongs_to_nothing() -> None:
    with pytest.raises(NotEnrolled) as caught:
        answered(world_of(), "0" * 32)
    assert caught.value.message == f"session {'0' * 32} belongs to no enrolled cluster and level"
    assert caught.value.hint == "kubectl stepup setup --context NAME --elevated-context NAME"


def test_the_id_of_an_enrolment_that_changed_belongs_to_nothing_any_more() -> None:
    world = World(config=replace(CONFIG, clusters=(replace(PINNED, account="bob"),)))
    world.put(kept())
    with pytest.raises(NotEnrolled):
        answered(world)


def test_a_static_entry_may_ask() -> None:
    world = world_of(approve=lambda options: kept())
    assert "id-token-mfa" in answered(world)
    (options,) = world.asked
    assert options == replace(asked(for_credential=True), cluster=PINNED)
    assert world.store.keys() == [key(ID, TERMINAL_SCOPE)]
    assert [event.result for event in world.audit.events] == ["approved"]
    assert world.locked == []


def test_a_static_entry_without_a_person_fails_with_the_command_to_type() -> None:
    world = world_of()
    world.terminal.obstacle_ = "no terminal"
    with pytest.raises(InteractionRequired) as caught:
        answered(world)
    assert caught.value.hint == "kubectl stepup login --context prod --level mfa --scope user"


def test_under_exec_nobody_is_ever_asked() -> None:
    world = world_of(approve=lambda options: kept())
    with pytest.raises(LoginNeeded) as caught:
        answered(world, KUBECTL_STEPUP_NESTED=ID)
    assert type(caught.value) is LoginNeeded
    assert caught.value.message == "the elevation in prod-eu is over"
    assert caught.value.hint == "repeat the command: kubectl stepup exec -- ..."
    assert world.asked == []


def test_under_exec_a_live_session_is_served() -> None:
    world = world_of()
    world.put(kept())
    assert "id-token-mfa" in answered(world, KUBECTL_STEPUP_NESTED=ID)


LEVELS = """
levels:
  - {name: each-time, signedInWithin: 5m, askAgainAfter: 0s}
  - {name: reasoned, signedInWithin: 5m, askAgainAfter: 5m, reason: required}
"""


@pytest.mark.parametrize("level", ["each-time", "reasoned"])
def test_a_level_for_one_command_is_not_asked_for_from_a_static_entry(level: str) -> None:
    policy = policy_of(rules="", levels=LEVELS)
    world = world_of(policy=policy, approve=lambda options: kept(level))
    with pytest.raises(LoginNeeded) as caught:
        answered(world, session(level=level, policy=policy).id)
    assert caught.value.message == f"level {level} can only be reached for one command"
    assert caught.value.hint == "kubectl stepup exec --context prod -- KUBECTL ARGS"
    assert world.asked == []


def test_a_level_that_asks_for_a_reason_is_served_while_its_session_lives() -> None:
    policy = policy_of(rules="", levels=LEVELS)
    world = world_of(policy=policy)
    world.put(kept("reasoned", policy=policy))
    assert "id-token-reasoned" in answered(world, session(level="reasoned", policy=policy).id)


def test_a_refusal_binds_every_run_of_the_plugin() -> None:
    def deny(options: StepUpRequest) -> ElevationSession:
        raise StepUpDenied("step-up denied")

    world = world_of(approve=deny)
    world.denials.started_before = False
    for _ in range(6):
        with pytest.raises(StepUpDenied):
            answered(world)
    assert len(world.asked) == 1


def test_a_denied_static_entry_is_on_record() -> None:
    def deny(options: StepUpRequest) -> ElevationSession:
        raise StepUpDenied("step-up denied")

    world = world_of(approve=deny)
    with pytest.raises(StepUpDenied):
        answered(world)
    assert [event.result for event in world.audit.events] == ["denied"]


def test_a_session_that_is_nearly_over_is_not_given_out() -> None:
    """IDT-39."""
    world = world_of()
    world.put(kept(age_s=100, lives_s=105))
    world.terminal.obstacle_ = "no terminal"
    with pytest.raises(StepUpError):
        answered(world)


def test_the_expiry_told_is_the_end_of_reuse_or_of_the_token() -> None:
    world = world_of()
    world.put(kept(lives_s=300))
    status = json.loads(answered(world))["status"]
    assert status["expirationTimestamp"] == "2027-01-15T08:04:50Z"


@pytest.mark.parametrize("server", ["https://api.prod.example.com/", "https://api.prod.example.com:443"])
def test_a_server_that_exec_takes_for_the_enrolled_one_gets_its_token(server: str) -> None:
    require_unchanged(PINNED, repinned(RESOLVED, server=server, ca_sha256=PINNED.pin.ca_sha256))
    world = world_of()
    world.put(kept())
    info = exec_info({"server": server, "certificate-authority-data": data(PEM)})
    assert "id-token-mfa" in answered(world, info=info)


def test_a_background_client_that_nobody_attends_does_not_fill_the_record() -> None:
    world = world_of()
    world.terminal.obstacle_ = "no terminal"
    for _ in range(100):
        with pytest.raises(InteractionRequired):
            answered(world)
    assert len(world.audit.events) <= 6


@pytest.mark.parametrize(
    ("entry", "wants"),
    [
        ({"args": ["--session", "id"], "provideClusterInfo": True}, True),
        ({"args": ["--session", "id"], "provideClusterInfo": False}, False),
        ({"args": ["--session", "id"]}, False),
        ({"args": ["--session", "another"]}, True),
        ({"args": "id"}, True),
        ("id", True),
    ],
)
def test_whether_an_entry_of_a_session_asks_for_the_cluster(tmp_path: Path, entry: object, wants: bool) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps({"users": [{"name": "u", "user": {"exec": entry}}]}))
    app = App(Settings(), {"HOME": str(tmp_path), "KUBECONFIG": str(path)})
    assert module._wants_cluster("id", app) is wants


def test_a_kubeconfig_that_cannot_be_read_has_nothing_against_an_entry(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("- no kubeconfig")
    app = App(Settings(), {"HOME": str(tmp_path), "KUBECONFIG": str(path)})
    assert module._wants_cluster("id", app)
