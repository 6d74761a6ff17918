from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from kubectl_stepup.sessions.scope import key
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.sessions.stored_session import Moment
from kubectl_stepup.sessions.stores.interface import SessionStore
from kubectl_stepup.stepup.request import StepUpRequest
from kubectl_stepup.stepup.reuse import reusable
from tests.flows import POLICY, FailingStore, World, asked, cluster, policy_of, session
from tests.support.values import BOOT_ID, NOW, TERMINAL_SCOPE

OTHER_TERMINAL = "tty-34817-77-12"


def found(
    options: StepUpRequest, *kept: ElevationSession, scope: str = TERMINAL_SCOPE, now: Moment | None = None
) -> ElevationSession | None:
    world = World()
    for one in kept:
        world.put(one, scope)
    return reusable(options, world.store, scopes=(TERMINAL_SCOPE,), now=now or world.moment())


def test_a_live_session_of_the_level_is_reused() -> None:
    kept = session(age_s=60)
    assert found(asked("delete", "pod", "x"), kept) == kept


def test_the_exact_level_comes_first_then_the_weakest_of_the_stronger_ones() -> None:
    """CACHE-16."""
    policy = policy_of(
        levels="""
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
  - {name: strong, signedInWithin: 15m, askAgainAfter: 10m}
  - {name: critical, signedInWithin: 15m, askAgainAfter: 10m}
"""
    )
    mfa, strong, critical = (session(level=level, policy=policy) for level in ("mfa", "strong", "critical"))
    options = asked(policy=policy)
    assert found(options, critical, strong, mfa) == mfa
    assert found(options, critical, strong) == strong
    assert found(options, critical) == critical


def test_a_weaker_session_never_serves() -> None:
    """CACHE-16."""
    assert found(asked(level="strong"), session(level="mfa")) is None


@pytest.mark.parametrize(("age_s", "serves"), [(299, "strong"), (300, None), (301, None)])
def test_a_stronger_session_serves_for_its_own_time_alone(age_s: float, serves: str | None) -> None:
    # Level mfa would be reused for ten minutes, level strong is for five.
    reused = found(asked(level="mfa"), session(level="strong", age_s=age_s))
    assert (reused.level if reused else None) == serves


@pytest.mark.parametrize(("age_s", "serves"), [(599, True), (600, False)])
def test_the_level_itself_serves_for_its_time(age_s: float, serves: bool) -> None:
    assert (found(asked(), session(age_s=age_s)) is not None) is serves


def test_the_end_of_the_token_ends_reuse() -> None:
    """CACHE-13."""
    assert found(asked(), session(age_s=100, lives_s=111)) is not None
    assert found(asked(), session(age_s=100, lives_s=110)) is None


def test_a_policy_that_was_shortened_after_the_approval_counts() -> None:
    """IDT-39."""
    shorter = policy_of(levels="levels:\n  - {name: mfa, signedInWithin: 15m, askAgainAfter: 2m}\n", rules="")
    kept = session(age_s=130)
    assert found(asked(), kept) == kept
    assert found(asked(policy=shorter), kept) is None


def test_a_policy_that_was_lengthened_gives_no_more_than_was_approved() -> None:
    longer = policy_of(levels="levels:\n  - {name: mfa, signedInWithin: 15m, askAgainAfter: 8h}\n", rules="")
    assert found(asked(policy=longer), session(age_s=601, lives_s=86_000)) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"server": "https://api.other.example.com"},
        {"ca_sha256": None},
        {"ca_sha256": "00" * 32},
        {"tls_server_name": "api"},
        {"proxy_url": "http://proxy:3128"},
        {"insecure": True},
    ],
)
def test_a_session_for_what_the_cluster_was_before_is_not_reused(changed: dict[str, Any]) -> None:
    """IDT-39."""
    assert found(asked(cluster=cluster(**changed)), session()) is None
    assert found(asked(), session(**changed)) is None


@pytest.mark.parametrize("changed", [{"account": "bob"}, {"name": "prod-us"}])
def test_a_session_of_somebody_or_somewhere_else_is_not_found(changed: dict[str, Any]) -> None:
    """IDT-38."""
    assert found(asked(cluster=cluster(**changed)), session()) is None


def test_fresh_reuses_nothing() -> None:
    assert found(asked(fresh=True), session()) is None


def test_a_level_that_asks_each_time_reuses_nothing() -> None:
    assert found(asked(level="critical"), session(level="critical", reuse_until=NOW + 600)) is None


def test_a_level_that_asks_each_time_reuses_no_stronger_session_either() -> None:
    policy = policy_of(
        levels="""
levels:
  - {name: each-time, signedInWithin: 5m, askAgainAfter: 0s}
  - {name: top, signedInWithin: 5m, askAgainAfter: 10m}
""",
        rules="",
    )
    assert found(asked(level="each-time", policy=policy), session(level="top", policy=policy)) is None


@pytest.mark.parametrize(
    ("scope", "is_found"), [(TERMINAL_SCOPE, True), ("user", True), (OTHER_TERMINAL, False), ("handover", False)]
)
def test_sessions_of_this_terminal_and_of_the_user_serve(scope: str, is_found: bool) -> None:
    """CACHE-17."""
    assert (found(asked(), session(), scope=scope) is not None) is is_found


def test_an_expired_session_of_the_terminal_does_not_hide_the_users() -> None:
    world = World()
    world.put(session(age_s=601), TERMINAL_SCOPE)
    world.put(session(age_s=10), "user")
    reused = reusable(asked(), world.store, scopes=(TERMINAL_SCOPE,), now=world.moment())
    assert reused == session(age_s=10)


@pytest.mark.parametrize(
    "now",
    [
        Moment(wall=NOW - 3600, boottime=1000.0, boot_id=BOOT_ID),
        Moment(wall=NOW + 1, boottime=1601.0, boot_id=BOOT_ID),
        Moment(wall=NOW + 1, boottime=1001.0, boot_id="another-boot"),
    ],
)
def test_a_clock_that_was_set_back_and_another_boot_end_reuse(now: Moment) -> None:
    """CACHE-13, CACHE-19."""
    assert found(asked(), session(), now=now) is None


class Given(FailingStore):
    """A store that gives the same bytes for every key."""

    def __init__(self, value: bytes) -> None:
        super().__init__(now=lambda: NOW)
        self.value = value

    def get(self, key: str) -> bytes | None:
        return self.value


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff\x00",
        session().to_record()[:-1],
        session().to_record() + b"\n",
        session(level="strong").to_record(),
        session(account="bob").to_record(),
        session().to_record().replace(b'"insecure":false', b'"insecure":"no"'),
    ],
)
def test_a_record_that_is_odd_or_anothers_is_none(value: bytes) -> None:
    """IDT-38, IDT-39."""
    options = asked(
        policy=policy_of(levels="levels:\n  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}", rules="")
    )
    assert reusable(options, Given(value), scopes=(TERMINAL_SCOPE,), now=World().moment()) is None


def test_a_store_that_cannot_be_read_holds_nothing() -> None:
    store: SessionStore = FailingStore("get", now=lambda: NOW)
    store.put(key(session().id, TERMINAL_SCOPE), session().to_record(), NOW + 600)
    assert reusable(asked(), store, scopes=(TERMINAL_SCOPE,), now=World().moment()) is None


def test_a_scope_is_read_once() -> None:
    read: list[str] = []

    class Counting(FailingStore):
        def get(self, key: str) -> bytes | None:
            read.append(key)
            return None

    def look(scopes: Iterable[str]) -> int:
        read.clear()
        options = asked(level="strong")
        assert reusable(options, Counting(now=lambda: NOW), scopes=scopes, now=World().moment()) is None
        return len(read)

    levels = 1 + len(POLICY.stronger("strong"))
    assert look(["user"]) == look(["user", "user"]) == levels
    assert look([TERMINAL_SCOPE]) == 2 * levels
