"""A record that cannot be written: said once, quiet or not; where it is required, nothing is elevated without it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubectl_stepup.audit.chain import AuditRecord
from kubectl_stepup.audit.event import Activity, AuditEvent
from kubectl_stepup.errors import AuditUnavailable
from tests.flows import World, session
from tests.support.fakes import RecordingAuditLog, Replaced
from tests.support.values import CONFIG

DELETE = ("delete", "pod", "web-0")


def world(record: str = "required", unavailable: str | None = "disk full") -> World:
    made = World(config=replace(CONFIG, record=record))
    made.audit.unavailable = unavailable
    made.approve = lambda step_up: session(level=step_up.level.name)
    return made


def run(made: World) -> int:
    return made.execute(*DELETE)


def test_a_lost_record_is_a_warning_that_quiet_does_not_hide() -> None:
    made = world("tried")
    assert run(made) == 0
    assert made.terminal.warnings == ["warning: not recorded: disk full"], "once, though three records were lost"
    assert len(made.asked) == 1


def test_where_it_is_required_nobody_is_asked() -> None:
    made = world()
    with pytest.raises(AuditUnavailable) as caught:
        run(made)
    assert caught.value.message == "disk full, and the config says record: required"
    assert (caught.value.code, caught.value.hint) == ("audit-unavailable", "kubectl stepup doctor")
    assert (made.asked, made.terminal.prompts, made.kubectl.ran) == ([], [], [])


def test_where_it_is_required_an_approval_of_before_does_not_serve_either() -> None:
    made = world()
    made.put(session())
    with pytest.raises(AuditUnavailable):
        run(made)
    assert made.kubectl.ran == []


class BreaksOff(RecordingAuditLog):
    """A record that can be written at first sight, and not that of `activity`."""

    def __init__(self, activity: Activity) -> None:
        super().__init__()
        self.activity = activity

    def append(self, event: AuditEvent) -> AuditRecord:
        if event.activity is self.activity:
            raise AuditUnavailable("disk full")
        return super().append(event)


@pytest.mark.parametrize("activity", [Activity.ELEVATION, Activity.RUN])
def test_where_the_record_breaks_off_later_kubectl_is_not_started_and_no_session_is_kept(activity: Activity) -> None:
    made = World(config=replace(CONFIG, record="required"), audit=BreaksOff(activity))
    made.approve = lambda step_up: session(level=step_up.level.name)
    with pytest.raises(AuditUnavailable):
        run(made)
    assert made.kubectl.ran == []
    assert bool(made.store.keys()) is (activity is Activity.RUN), "what was approved and recorded may serve later"


def test_how_a_command_ended_stops_nothing_any_more() -> None:
    made = world(unavailable=None)
    made.kubectl.on_run = lambda: setattr(made.audit, "unavailable", "disk full")
    assert run(made) == 0
    assert made.terminal.warnings == ["warning: not recorded: disk full"]


def test_an_allowed_command_inside_an_elevated_one_is_elevated_too() -> None:
    made = world()
    made.environ["KUBECTL_STEPUP_NESTED"] = "an-id"
    made.recorder = replace(made.recorder, caller=replace(made.recorder.caller, parent="an-id"))
    with pytest.raises(AuditUnavailable, match="record: required"):
        made.execute("get", "pods")


def test_an_allowed_command_needs_no_record() -> None:
    made = world()
    with pytest.raises(Replaced):
        made.execute("get", "pods")
