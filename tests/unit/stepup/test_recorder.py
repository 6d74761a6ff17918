from __future__ import annotations

import json
from typing import Any

from kubectl_stepup import __version__
from kubectl_stepup.audit.chain import verify
from kubectl_stepup.audit.event import Activity, Stage
from kubectl_stepup.errors import CommandRefused, StepUpDenied
from kubectl_stepup.stepup.elevate import Elevation
from tests.flows import World, asked, session
from tests.support.values import NOW

WISH = asked("create", "secret", "generic", "x", "--from-literal=p=hunter2", reason="INC-42")


def elevation(*, reused: bool, audit_id: str | None = None, **changes: Any) -> Elevation:
    return Elevation(session=session(**changes), reused=reused, stored=True, audit_id=audit_id)


def test_a_run_is_two_records_that_share_an_id() -> None:
    world = World()
    audit_id = world.recorder.run_started(WISH, elevation(reused=True))
    world.recorder.run_ended(WISH, elevation(reused=True), audit_id=audit_id, exit_code=3)
    started, ended = (json.loads(record.line) for record in world.audit.records)
    assert started == {
        "apiVersion": "kubectl-stepup.github.io/v1alpha1",
        "kind": "AuditEvent",
        "seq": 1,
        "prev": "0" * 64,
        "auditID": "id-1",
        "stage": "RequestReceived",
        "activity": "run",
        "time": "2027-01-15T08:00:00.000000Z",
        "result": "reused",
        "summary": "delete pods in shop",
        "command": ["create", "secret", "generic", "x", "--from-literal=p=[redacted]"],
        "rules": ["deletes"],
        "reason": "INC-42",
        "evidence": {
            "acr": "mfa",
            "amr": ["pwd", "otp"],
            "authTime": int(NOW) - 4,
            "exp": int(NOW) + 900,
            "jtiSHA256": "ab" * 32,
        },
        "pid": 4711,
        "user": "alice",
        "account": "alice",
        "issuer": "https://login.example.com",
        "context": "prod",
        "cluster": "prod-eu",
        "level": "mfa",
        "terminal": "/dev/pts/3",
        "version": __version__,
    }
    assert ended == {**started, "seq": 2, "prev": ended["prev"], "stage": "ResponseComplete", "exitCode": 3}
    assert verify(record.line for record in world.audit.records).ok


def test_the_run_takes_the_approvals_id() -> None:
    world = World()
    approved = world.recorder.elevated(WISH, session())
    started = world.recorder.run_started(WISH, elevation(reused=False, audit_id=approved))
    assert approved == started == "id-1"
    assert [event.result for event in world.audit.events] == ["approved", "approved"]


def test_the_level_of_the_session_is_recorded_not_the_one_asked_for() -> None:
    world = World()
    world.recorder.run_started(WISH, elevation(reused=True, level="strong"))
    assert world.audit.events[0].level == "strong"


def test_a_session_without_a_sign_in_time_is_recorded_without_one() -> None:
    world = World()
    world.recorder.elevated(WISH, session(auth_time=None, acr=None, amr=(), jti_sha256=None))
    assert json.loads(world.audit.records[0].line)["evidence"] == {"exp": int(NOW) + 900}


def test_a_refusal_says_which_error_and_what_was_wanted() -> None:
    world = World()
    world.recorder.refused(StepUpDenied("denied"), request=WISH, context="ignored", command=["ignored"])
    (event,) = world.audit.events
    assert (event.activity, event.stage, event.result) == (Activity.REFUSAL, Stage.RESPONSE_COMPLETE, "denied")
    assert (event.context, event.cluster, event.level, event.command) == ("prod", "prod-eu", "mfa", WISH.command)
    assert (event.evidence, event.exit_code) == (None, None)


def test_a_refusal_without_a_wish_says_what_is_known() -> None:
    world = World()
    world.recorder.refused(CommandRefused("no"), context="lab", command=["proxy"], rules=["shells"])
    (event,) = world.audit.events
    assert (event.result, event.context, event.command, event.rules) == (
        "command-refused",
        "lab",
        ("proxy",),
        ("shells",),
    )
    assert (event.user, event.cluster, event.level, event.pid, event.terminal) == (
        None,
        None,
        None,
        4711,
        "/dev/pts/3",
    )


def test_a_logout_is_noted() -> None:
    world = World()
    world.recorder.noted(Activity.LOGOUT, "logged-out", cluster="prod-eu", account="alice", level="mfa")
    world.recorder.noted(Activity.SETUP, "enrolled", cluster="prod-eu", account=None, context="prod")
    logout, setup = world.audit.events
    assert (logout.activity, logout.result, logout.user, logout.level) == (
        Activity.LOGOUT,
        "logged-out",
        "alice",
        "mfa",
    )
    assert (setup.activity, setup.user, setup.context, setup.level) == (Activity.SETUP, None, "prod", None)


def test_a_record_that_cannot_be_written_is_a_warning() -> None:
    world = World()
    world.audit.unavailable = "audit log /x cannot be written: no space left on device"
    audit_id = world.recorder.run_started(WISH, elevation(reused=False))
    world.recorder.run_ended(WISH, elevation(reused=False), audit_id=audit_id, exit_code=0)
    world.recorder.refused(StepUpDenied("denied"))
    world.recorder.noted(Activity.LOGOUT, "logged-out", cluster=None, account=None)
    warning = "warning: not recorded: audit log /x cannot be written: no space left on device"
    assert world.terminal.said == world.terminal.warnings == [warning]
    assert world.audit.events == []


def test_what_is_foreign_in_a_warning_is_shown_safely() -> None:
    world = World()
    world.audit.unavailable = "audit log \x1b[2J cannot be written"
    world.recorder.elevated(WISH, session())
    assert world.terminal.said == ["warning: not recorded: audit log \\u{1b}[2J cannot be written"]
