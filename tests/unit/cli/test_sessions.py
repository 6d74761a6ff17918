"""`status` and `logout` where there are sessions."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions.scope import key, moment, terminal_scope
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.sessions.stored_session import Moment
from kubectl_stepup.sessions.stores import choose
from kubectl_stepup.sessions.stores.memory import MemoryStore
from tests.flows import session

from .conftest import Cli

CONFIG = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Config
providers:
  - name: corp
    issuer: "https://login.example.com"
    clientID: kubectl
    elevatedClientID: kubectl-elevated
    evidence: {mfa: {acr: [mfa, gold]}, strong: {acr: [phr]}, critical: {acr: [phr]}}
clusters:
  - {name: prod-eu, context: prod, server: "https://api.prod.example.com", provider: corp, account: alice}
  - {name: lab, context: lab, server: "https://lab.example.com", provider: corp, account: alice}
"""


class Sticky(MemoryStore):
    """A store that removes nothing."""

    def delete(self, key: str) -> bool:
        raise StoreUnavailable("the keyring is locked")


def now_session() -> ElevationSession:
    """A session approved a minute ago by the real clocks."""
    now = moment()
    approved = Moment(wall=now.wall - 60, boottime=now.boottime - 60, boot_id=now.boot_id)
    return session(
        approved=approved, reuse_until=approved.wall + 600, token_expires_at=approved.wall + 900, ca_sha256=None
    )


@pytest.fixture(params=[MemoryStore])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, write: Callable[..., str]) -> MemoryStore:
    """A store with one session, and a config that knows its cluster."""
    found: MemoryStore = request.param(now=lambda: moment().wall)
    kept = now_session()
    found.put(key(kept.id, terminal_scope()), kept.to_record(), kept.token_expires_at)
    monkeypatch.setattr(choose, "choose", lambda name, **options: choose.ChosenStore(store=found))
    monkeypatch.setenv("KUBECTL_STEPUP_CONFIG", write("config.yaml", CONFIG))
    return found


def test_status_shows_sessions_and_clusters_without_one(cli: Cli, store: MemoryStore) -> None:
    found = cli("status")
    assert (found.code, found.err) == (0, "")
    _, first, second = (line.split() for line in found.out.splitlines())
    assert first[:5] == ["prod-eu", "mfa", "alice", "pwd,otp", "memory"]
    assert first[6] == "1m"
    assert second == ["lab", "<none>", "alice", *["<none>"] * 4]


def test_status_for_programs(cli: Cli, store: MemoryStore) -> None:
    (item,) = json.loads(cli("status", "-o", "json").out)["items"]
    assert (item["id"], item["cluster"], item["level"], item["store"]) == (session().id, "prod-eu", "mfa", "memory")
    assert "id-token" not in json.dumps(item)
    assert cli("status", "-o", "name").out == "prod-eu/mfa\n"


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        ((), 0),
        (("--context", "prod"), 0),
        (("--context", "prod", "--level", "mfa"), 0),
        (("--context", "prod", "--level", "critical"), 4),
        (("--context", "lab"), 4),
    ],
)
def test_check(cli: Cli, store: MemoryStore, flags: tuple[str, ...], code: int) -> None:
    found = cli("status", "--check", *flags)
    assert found.code == code
    where = f" for context {flags[1]}" if flags else ""
    login = f"kubectl stepup login{' --context ' + flags[1] if flags else ''}"
    assert found.err == ("" if code == 0 else f"error: there is no live session{where}\nhint: {login}\n")


def test_logout_says_what_ended_and_that_a_copy_lives_on(cli: Cli, store: MemoryStore) -> None:
    found = cli("logout")
    assert (found.code, found.err) == (0, "")
    first, second = found.out.splitlines()
    assert first == "Ended mfa in prod-eu"
    assert second.startswith("An ID token cannot be revoked: a copy of it would work until ")
    assert store.keys() == []
    assert cli("logout").out == "No elevation session\n"
    assert "logged-out" in cli("audit", "list").out


def test_logout_for_programs(cli: Cli, store: MemoryStore) -> None:
    found = cli("logout", "-o", "json", "--context", "prod")
    assert json.loads(found.out)["items"] == [
        {"id": session().id, "cluster": "prod-eu", "level": "mfa", "revoked": None}
    ]


def test_logout_of_another_context_ends_nothing(cli: Cli, store: MemoryStore) -> None:
    assert cli("logout", "--context", "lab").out == "No elevation session in lab\n"
    assert len(store.keys()) == 1


@pytest.mark.parametrize("store", [Sticky], indirect=True)
def test_what_cannot_be_removed_is_an_error(cli: Cli, store: MemoryStore) -> None:
    """CACHE-20."""
    found = cli("logout", "--context", "prod", "-o", "json")
    assert (found.code, found.error["code"], found.error["hint"]) == (
        1,
        "store-unavailable",
        "kubectl stepup logout --all",
    )
    assert found.error["message"].startswith("not everything could be removed: kubectl-stepup:")
    assert json.loads(found.out)["failures"]
