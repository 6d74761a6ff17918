from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubectl_stepup.audit.event import Activity, Stage
from kubectl_stepup.errors import (
    ConfigError,
    InteractionRequired,
    LockTimeout,
    LoginNeeded,
    NotFresh,
    ProviderUnreachable,
    StepUpDenied,
    StepUpError,
    StepUpExpired,
    StoreUnavailable,
    TooWeak,
)
from kubectl_stepup.sessions.scope import key
from kubectl_stepup.sessions.session import ElevationSession, from_record
from kubectl_stepup.sessions.stored_session import Moment
from kubectl_stepup.sessions.stores.memory import MemoryStore
from kubectl_stepup.stepup.elevate import Elevation, session_for
from kubectl_stepup.stepup.request import StepUpRequest
from kubectl_stepup.ui.errors import error_object
from tests.flows import FailingStore, RefusalNotes, World, asked, policy_of, provider_with, session, with_options
from tests.support.values import NOW, TERMINAL_SCOPE

WISH = asked("delete", "pod", "web-0")
SHORTER = policy_of(rules="", levels="levels:\n  - {name: mfa, signedInWithin: 15m, askAgainAfter: 5m}")


def stored_in(world: World) -> ElevationSession | None:
    value = world.store.get(key(session().id, TERMINAL_SCOPE))
    return None if value is None else from_record(value, session_id=session().id)


def approving(world: World, answer: ElevationSession | None = None) -> None:
    """Let the person approve; what the provider is asked for is kept in `world.asked`."""
    world.approve = lambda options: answer or session(level=options.level.name)


def refusing(world: World, error: BaseException) -> None:
    def refuse(options: StepUpRequest) -> ElevationSession:
        raise error

    world.approve = refuse


def elevated(world: World, options: StepUpRequest = WISH) -> Elevation:
    return session_for(options, world)


def test_reuse_says_one_line_and_asks_nobody() -> None:
    world = World()
    world.terminal.obstacle_ = "no terminal"  # reuse needs nobody
    world.put(session(age_s=185))
    assert elevated(world) == Elevation(session=session(age_s=185), reused=True, stored=True)
    assert world.terminal.said == ['Using mfa in prod-eu, approved 3m ago for "kubectl delete pod web-0"']
    assert (world.asked, world.locked, world.audit.events) == ([], [], [])


@pytest.mark.parametrize(
    "options", [WISH, asked("delete", "pod", "web-0", for_credential=True)], ids=["exec", "plugin"]
)
def test_a_session_that_was_approved_later_than_now_is_dropped_and_on_record(options: StepUpRequest) -> None:
    """CACHE-14: with the clock set back, or a record that somebody else wrote."""
    world = World()
    approving(world)
    world.put(session(age_s=-60))

    assert elevated(world, options).reused is False

    assert [(event.activity, event.result, event.level) for event in world.audit.events] == [
        ("logout", "clock-set-back", "mfa"),
        ("elevation", "approved", "mfa"),
    ]
    said = "warning: the elevation to mfa in prod-eu was approved later than the clock reads now: it is dropped"
    assert world.terminal.said == ([] if options.for_credential else [said])


def test_a_clock_that_steps_back_a_little_drops_nothing() -> None:
    world = World()
    world.put(session(age_s=-4, approved=replace_boottime(session(age_s=-4))))
    assert elevated(world).reused is True


def test_a_session_from_the_future_that_cannot_be_removed_serves_nobody() -> None:
    """CACHE-14."""
    world = World()
    approving(world)
    world.put(session(age_s=-60))
    world.store.delete = unavailable  # type: ignore[method-assign]
    assert elevated(world).reused is False
    assert [event.result for event in world.audit.events] == ["approved"]


def unavailable(key: str) -> bool:
    raise StoreUnavailable("read-only")


def replace_boottime(one: ElevationSession) -> Moment:
    """Return the moment of an approval that the boot-time clock saw before now."""
    return Moment(wall=one.approved.wall, boottime=999.0, boot_id=one.approved.boot_id)


def test_reuse_names_the_level_that_serves() -> None:
    world = World()
    world.put(session(level="strong", command=""), "user")
    assert elevated(world).session.level == "strong"
    assert world.terminal.said == ["Using strong in prod-eu, approved 0s ago by login"]


def test_credential_reuses_in_silence() -> None:
    world = World()
    world.put(session())
    assert elevated(world, asked(for_credential=True)).reused
    assert world.terminal.said == []


def test_an_approval_is_stored_under_the_wishs_scope_until_reuse_ends() -> None:
    world = World()
    approving(world)
    found = elevated(world)
    assert found == Elevation(session=session(), reused=False, stored=True, audit_id="id-1")
    assert world.store.get(key(WISH.session_id, TERMINAL_SCOPE)) == session().to_record()
    world.clock.wall += 600
    assert world.store.keys() == []


def test_a_token_shorter_than_the_reuse_time_is_kept_for_as_long_as_it_lives() -> None:
    world = World()
    approving(world, session(lives_s=120))
    elevated(world)
    world.clock.wall += 119
    assert len(world.store.keys()) == 1
    world.clock.wall += 1
    assert world.store.keys() == []


@pytest.mark.parametrize("options", [asked(scope="user"), asked("delete", "pod", "x", scope="user")])
def test_the_user_scope_is_kept_for_all_terminals(options: StepUpRequest) -> None:
    world = World()
    approving(world)
    elevated(world, options)
    assert world.store.keys() == [key(options.session_id, "user")]


@pytest.mark.parametrize("options", [asked("delete", "pod", "x", once=True), asked("auth", "x", level="critical")])
def test_an_approval_for_one_command_is_not_stored(options: StepUpRequest) -> None:
    world = World()
    approving(world)
    found = elevated(world, options)
    assert (found.stored, found.reused, world.store.keys()) == (False, False, [])


def test_a_store_that_fails_does_not_fail_the_command() -> None:
    """CACHE-22."""
    world = World()
    approving(world)
    world.store = FailingStore("put", now=world.clock.now)
    found = elevated(world)
    assert (found.session, found.stored) == (session(), False)
    assert world.terminal.said == [
        "warning: the elevation session is not stored, the next command asks again: the keyring is locked"
    ]


def test_a_store_that_cannot_be_read_asks_once_more() -> None:
    world = World()
    approving(world)
    world.store = FailingStore("get", now=world.clock.now)
    assert not elevated(world).reused
    assert len(world.asked) == 1


def test_the_approval_is_recorded_with_its_evidence() -> None:
    world = World()
    approving(world)
    audit_id = elevated(world, with_options(WISH, reason="INC-42")).audit_id
    (event,) = world.audit.events
    assert (event.audit_id, event.stage, event.activity) == (audit_id, Stage.RESPONSE_COMPLETE, Activity.ELEVATION)
    assert (event.result, event.level, event.reason, event.command) == ("approved", "mfa", "INC-42", WISH.command)
    assert event.evidence is not None
    assert (event.evidence.acr, event.evidence.exp, event.evidence.jti_sha256) == ("mfa", int(NOW) + 900, "ab" * 32)


def test_asking_happens_under_the_lock_of_the_session_id() -> None:
    world = World()
    seen: list[list[str]] = []

    def approve(options: StepUpRequest) -> ElevationSession:
        seen.append(list(world.locked))
        return session()

    world.approve = approve
    elevated(world)
    assert seen == [[WISH.session_id]]
    assert world.locked == []


def test_the_session_is_in_the_store_before_the_next_in_line_gets_the_lock() -> None:
    world = World()
    approving(world)
    stored: list[list[str]] = []

    class Watched(MemoryStore):
        name = "kernel"

        def put(self, key: str, value: bytes, expires_at: float) -> None:
            stored.append(list(world.locked))

    world.store = Watched(now=world.clock.now)
    elevated(world)
    assert stored == [[WISH.session_id]]


def test_a_follower_gets_the_leaders_session() -> None:
    world = World(on_lock=lambda: world.put(session()))
    found = elevated(world)
    assert (found.reused, found.stored, world.asked) == (True, True, [])
    assert world.terminal.said == ['Using mfa in prod-eu, approved 0s ago for "kubectl delete pod web-0"']
    assert world.locked == []


def test_a_follower_gets_the_leaders_refusal() -> None:
    denied = StepUpDenied("step-up denied by login.example.com (access_denied)")
    world = World(on_lock=lambda: world.denials.remember(WISH.session_id, denied))
    with pytest.raises(StepUpDenied) as caught:
        elevated(world)
    assert caught.value is denied
    assert (world.asked, world.locked) == ([], [])


def test_what_logout_ended_while_it_was_approved_is_not_kept_and_not_asked_for_again() -> None:
    """CONC-10."""
    world = World()

    def approve(options: StepUpRequest) -> ElevationSession:
        world.denials.end(key(options.session_id, options.scope))
        return session()

    world.approve = approve
    found = elevated(world)

    said = "logout ended the sessions in prod-eu while this one was being approved"
    assert (found.stored, world.store.keys()) == (False, [])
    assert world.terminal.said == [f"warning: the elevation session is not stored, the next command asks again: {said}"]
    with pytest.raises(LoginNeeded, match=said):  # those who waited for it
        elevated(world)
    assert len(world.asked) == 1


def test_a_logout_in_another_terminal_ends_nothing_here() -> None:
    """CONC-10."""
    world = World()

    def approve(options: StepUpRequest) -> ElevationSession:
        world.denials.end(key(options.session_id, "tty-34817-77-12"))
        return session()

    world.approve = approve

    assert elevated(world).stored
    assert elevated(world).reused
    assert world.denials.kept == {}


def test_what_is_stored_names_the_files_it_was_judged_by() -> None:
    world = World(rests_on=f"{'1' * 64} /etc/config.yaml")
    approving(world)
    elevated(world)
    assert stored_in(world) == session(rests_on=world.rests_on)


def test_a_session_that_serves_by_changed_files_is_stored_as_judged_by_them() -> None:
    world = World(rests_on=f"{'2' * 64} /etc/config.yaml", policy=SHORTER)
    world.put(session(rests_on=f"{'1' * 64} /etc/config.yaml"))
    found = elevated(world, replace(WISH, level=SHORTER.level("mfa"), stronger=()))
    assert found.reused
    assert stored_in(world) == replace(
        session(), rests_on=world.rests_on, reuse_until=session().approved_at + SHORTER.level("mfa").ask_again_after_s
    )


def test_a_session_that_was_judged_by_these_files_is_not_stored_again() -> None:
    world = World(rests_on=f"{'1' * 64} /etc/config.yaml")
    store = FailingStore("put", now=world.clock.now)
    world.store = store
    store.failing = set()
    world.put(session(rests_on=world.rests_on))
    store.failing = {"put"}
    assert elevated(world).reused
    world.rests_on = f"{'2' * 64} /etc/config.yaml"
    assert elevated(world).reused  # it serves this command, though it cannot be stored


def test_a_session_that_logout_ended_meanwhile_is_not_stored_again() -> None:
    world = World(rests_on=f"{'2' * 64} /etc/config.yaml")
    world.put(session(rests_on=f"{'1' * 64} /etc/config.yaml"))
    world.denials.end(key(session().id, TERMINAL_SCOPE))
    elevated(world)
    assert world.store.keys() == []


def test_a_follower_that_wants_a_fresh_sign_in_asks_itself() -> None:
    world = World(on_lock=lambda: world.put(session()))
    approving(world)
    assert not elevated(world, with_options(WISH, fresh=True)).reused
    assert len(world.asked) == 1


def test_a_lock_that_is_not_free_in_time_is_an_error() -> None:
    def busy() -> None:
        raise LockTimeout("another step-up is still under way (process 17)")

    world = World(on_lock=busy)
    with pytest.raises(LockTimeout):
        elevated(world)
    assert world.asked == []


@pytest.mark.parametrize(
    "refusal",
    [
        StepUpDenied("denied"),
        StepUpExpired("expired"),
        TooWeak("weak", details={"explanation": "the identity provider ignored acr_values"}),
        NotFresh("old"),
        LoginNeeded("this machine's clock is 10m behind"),
    ],
)
def test_a_refusal_is_remembered_and_says_why_it_was_asked(refusal: LoginNeeded) -> None:
    world = World()
    refusing(world, refusal)
    with pytest.raises(LoginNeeded) as caught:
        elevated(world)
    assert caught.value is refusal
    assert world.denials.kept == {WISH.session_id: refusal}
    assert refusal.details["why"] == "kubectl stepup policy explain -- delete pod web-0"
    assert (world.store.keys(), world.locked) == ([], [])


def test_why_holds_no_secret_and_is_quoted() -> None:
    world = World()
    refusing(world, StepUpDenied("denied"))
    with pytest.raises(StepUpDenied) as caught:
        elevated(world, asked("create", "secret", "generic", "a b", "--from-literal=p=hunter2"))
    assert caught.value.details["why"] == (
        "kubectl stepup policy explain -- create secret generic 'a b' '--from-literal=p=[redacted]'"
    )


def test_a_refused_login_has_no_command_to_explain() -> None:
    world = World()
    refusing(world, StepUpDenied("denied"))
    with pytest.raises(StepUpDenied) as caught:
        elevated(world, asked())
    assert caught.value.details == {}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConfigError("no flow"), ConfigError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_only_what_the_provider_did_is_remembered_as_a_refusal(error: BaseException, kind: type[BaseException]) -> None:
    world = World()
    refusing(world, error)
    with pytest.raises(kind):
        elevated(world)
    assert (world.denials.kept, world.store.keys(), world.locked) == ({}, [], [])
    assert [event.activity for event in world.audit.events] == [Activity.REFUSAL]


def test_a_provider_that_fails_is_not_waited_for_by_one_after_another() -> None:
    """CONC-05."""
    gone = ProviderUnreachable("login.example.com cannot be reached")
    world = World(on_lock=lambda: world.denials.remember(WISH.session_id, gone))
    with pytest.raises(ProviderUnreachable) as caught:
        elevated(world)
    assert caught.value is gone
    assert (world.asked, caught.value.details) == ([], {})


def test_a_refusal_binds_what_was_already_running() -> None:
    world = World()
    refusing(world, StepUpDenied("denied"))
    for _ in range(3):
        with pytest.raises(StepUpDenied):
            elevated(world)
    assert len(world.asked) == 1


def test_a_command_that_is_typed_afterwards_asks_anew_and_an_approval_forgets_the_refusal() -> None:
    world = World(denials=RefusalNotes(started_before=False))
    world.denials.remember(WISH.session_id, StepUpDenied("denied"))
    approving(world)
    assert not elevated(world).reused
    assert world.denials.kept == {}


def test_a_refusal_binds_credential_whenever_it_was_started() -> None:
    world = World(denials=RefusalNotes(started_before=False))
    world.denials.remember(WISH.session_id, StepUpDenied("denied"))
    with pytest.raises(StepUpDenied):
        elevated(world, asked(for_credential=True))
    assert world.asked == []


def test_a_live_session_comes_before_a_refusal() -> None:
    world = World()
    world.denials.remember(WISH.session_id, StepUpDenied("denied"))
    world.put(session())
    assert elevated(world).reused


@pytest.mark.parametrize("other", [{"level": "strong"}])
def test_a_refusal_is_for_its_own_level_alone(other: dict[str, Any]) -> None:
    world = World()
    world.denials.remember(WISH.session_id, StepUpDenied("denied"))
    approving(world)
    assert not elevated(world, asked("exec", "web-0", **other)).reused


def test_a_level_that_nothing_proves_is_refused_before_anybody_is_asked() -> None:
    world = World()
    with pytest.raises(ConfigError):
        elevated(world, replace(WISH, provider=provider_with(evidence={})))
    assert (world.asked, world.terminal.said) == ([], [])


def test_where_nobody_can_be_asked_the_refusal_is_an_rfc_9470_challenge() -> None:
    world = World()
    world.terminal.obstacle_ = "CI=true"
    options = asked("create", "secret", "generic", "x", "--from-literal=p=hunter2")
    with pytest.raises(InteractionRequired) as caught:
        elevated(world, options)
    assert error_object(caught.value) == {
        "apiVersion": "kubectl-stepup.github.io/v1alpha1",
        "kind": "Error",
        "code": "interaction-required",
        "message": "step-up needed, but nobody can be asked (CI=true)",
        "hint": "kubectl stepup login --context prod --level mfa --scope user",
        "error": "insufficient_user_authentication",
        "error_description": "step-up needed, but nobody can be asked (CI=true)",
        "acr_values": "mfa gold",
        "max_age": 900,
        "details": {
            "level": "mfa",
            "cluster": "prod-eu",
            "rules": ["deletes"],
            "command": ["create", "secret", "generic", "x", "--from-literal=p=[redacted]"],
        },
    }
    assert (world.asked, world.locked, world.denials.kept) == ([], [], {})


@pytest.mark.parametrize("options", [asked("auth", "x", level="critical"), asked("delete", "pod", "x", once=True)])
def test_the_hint_is_no_login_where_none_would_serve(options: StepUpRequest) -> None:
    world = World()
    world.terminal.obstacle_ = "no terminal"
    with pytest.raises(InteractionRequired) as caught:
        elevated(world, options)
    assert "stepup login" not in (caught.value.hint or "")


def test_no_error_of_stepping_up_leaves_the_lock_held() -> None:
    for error in (StepUpDenied("no"), ProviderUnreachable("gone"), KeyboardInterrupt()):
        world = World()
        refusing(world, error)
        with pytest.raises((StepUpError, KeyboardInterrupt)):
            elevated(world)
        assert world.locked == []
