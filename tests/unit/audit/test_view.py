from __future__ import annotations

from kubectl_stepup.audit.chain import GENESIS, AuditRecord, Link, seal
from kubectl_stepup.audit.event import Activity, AuditEvent, Stage
from kubectl_stepup.audit.view import AuditRow, rows


def record(audit_id: str, stage: Stage, activity: Activity, result: str, **members: object) -> AuditRecord:
    fields: dict[str, object] = {"time": 100.0, "user": "alice", "context": "prod-eu", "level": "mfa"}
    event = AuditEvent(audit_id=audit_id, stage=stage, activity=activity, result=result, **(fields | members))  # type: ignore[arg-type]
    return seal(event, Link(seq=1, prev=GENESIS))


STARTED = record("a", Stage.REQUEST_RECEIVED, Activity.RUN, "approved", command=("delete", "pod"))
ENDED = record(
    "a", Stage.RESPONSE_COMPLETE, Activity.RUN, "approved", time=105.0, exit_code=3, command=("delete", "pod")
)
DENIED = record("b", Stage.RESPONSE_COMPLETE, Activity.REFUSAL, "denied", time=90.0, command=("delete", "ns"))


def test_the_records_before_and_after_are_one_row_the_latest_first() -> None:
    common = {"user": "alice", "context": "prod-eu", "level": "mfa"}
    assert rows([STARTED, ENDED, DENIED]) == (
        AuditRow(time=90.0, result="denied", started=False, exit_code=None, command=("delete", "ns"), **common),
        AuditRow(time=100.0, result="approved", started=True, exit_code=3, command=("delete", "pod"), **common),
    )


def test_records_of_two_runs_may_interleave() -> None:
    assert [row.result for row in rows([STARTED, DENIED, ENDED])] == ["denied", "approved"]


def test_a_run_without_an_end_has_started_only() -> None:
    (row,) = rows([STARTED])
    assert row.started
    assert row.exit_code is None


def test_the_last_ones_are_kept() -> None:
    assert [row.result for row in rows([STARTED, ENDED, DENIED], last=1)] == ["denied"]
    assert rows([STARTED], last=0) == ()


def test_nothing_recorded_no_rows() -> None:
    assert rows([]) == ()


def test_an_approval_and_its_run_are_one_row() -> None:
    asked = record("c", Stage.RESPONSE_COMPLETE, Activity.ELEVATION, "approved", command=("delete", "pod"), user=None)
    ran = record("c", Stage.RESPONSE_COMPLETE, Activity.RUN, "approved", exit_code=0, command=())
    (row,) = rows([asked, ran])
    assert (row.user, row.exit_code, row.command, row.started) == ("alice", 0, ("delete", "pod"), True)
