from __future__ import annotations

import json

import pytest

from kubectl_stepup.audit.chain import GENESIS, Link, record_of, seal
from kubectl_stepup.audit.event import Activity, AuditEvent, Stage, TokenEvidence, fingerprint, rfc3339

FULL = AuditEvent(
    audit_id="7b0c2f0e-6f0f-4f6b-9a5e-0c8a3c1f2d10",
    stage=Stage.RESPONSE_COMPLETE,
    activity=Activity.RUN,
    time=1_795_264_080.25,
    result="approved",
    user="alice@example.com",
    account="alice",
    issuer="https://login.example.com/realms/prod",
    context="prod-eu",
    cluster="prod-eu",
    level="mfa",
    command=("delete", "pod", "web-0", "-n", "prod"),
    rules=("prod-deletes",),
    reason="INC-42",
    evidence=TokenEvidence(acr="mfa", amr=("pwd", "otp"), auth_time=1_795_264_470, exp=1_795_264_780, jti_sha256="ab"),
    exit_code=0,
    pid=4711,
    terminal="pts/3",
    version="0.1.0",
)


def bare(**members: object) -> AuditEvent:
    fields: dict[str, object] = {
        "audit_id": "a",
        "stage": Stage.REQUEST_RECEIVED,
        "activity": Activity.REFUSAL,
        "time": 0.0,
        "result": "denied",
    }
    return AuditEvent(**(fields | members))  # type: ignore[arg-type]


def line(event: AuditEvent) -> bytes:
    return seal(event, Link(seq=1, prev=GENESIS)).line


def test_a_line_says_all_of_it() -> None:
    assert json.loads(line(FULL)) == {
        "apiVersion": "kubectl-stepup.github.io/v1alpha1",
        "kind": "AuditEvent",
        "seq": 1,
        "prev": GENESIS,
        "auditID": "7b0c2f0e-6f0f-4f6b-9a5e-0c8a3c1f2d10",
        "stage": "ResponseComplete",
        "activity": "run",
        "time": "2026-11-21T12:28:00.250000Z",
        "result": "approved",
        "user": "alice@example.com",
        "account": "alice",
        "issuer": "https://login.example.com/realms/prod",
        "context": "prod-eu",
        "cluster": "prod-eu",
        "level": "mfa",
        "command": ["delete", "pod", "web-0", "-n", "prod"],
        "rules": ["prod-deletes"],
        "reason": "INC-42",
        "evidence": {"acr": "mfa", "amr": ["pwd", "otp"], "authTime": 1795264470, "exp": 1795264780, "jtiSHA256": "ab"},
        "exitCode": 0,
        "pid": 4711,
        "terminal": "pts/3",
        "version": "0.1.0",
    }


def test_what_is_not_set_is_not_written() -> None:
    assert line(bare()) == (
        b'{"apiVersion":"kubectl-stepup.github.io/v1alpha1","kind":"AuditEvent","seq":1,"prev":"'
        + b"0" * 64
        + b'","auditID":"a","stage":"RequestReceived","activity":"refusal","time":"1970-01-01T00:00:00.000000Z",'
        b'"result":"denied"}'
    )


@pytest.mark.parametrize("event", [FULL, bare(), bare(evidence=TokenEvidence())], ids=["full", "bare", "no evidence"])
def test_a_line_reads_back_as_it_was(event: AuditEvent) -> None:
    record = record_of(line(event))
    assert record is not None
    assert record.event == event


@pytest.mark.parametrize(
    "hostile",
    [
        "a\nb",
        "a\r\nb",
        "\x1b[2J",
        "\u2028\u2029",
        "user\u202egpj",
        "\udcff\udcfe",
        "\x00",
        "x" * 1_000_000,
        "é\U0001f600",
    ],
    ids=lambda text: ascii(text[:8]),
)
def test_foreign_text_stays_on_one_line_of_ascii(hostile: str) -> None:
    event = bare(
        command=("delete", hostile),
        user=hostile,
        context=hostile,
        reason=hostile,
        rules=(hostile,) * 1000,
        evidence=TokenEvidence(acr=hostile, amr=(hostile,)),
    )
    written = line(event)
    assert written.isascii()
    assert all(byte >= 0x20 for byte in written)
    assert len(written) < 256 * 1024
    assert record_of(written) is not None


def test_a_cut_text_is_marked() -> None:
    assert json.loads(line(bare(user="x" * 10_000)))["user"].endswith("x...[+9499]")


def test_secrets_do_not_reach_the_line() -> None:
    event = bare(command=("get", "pods", "--token=hunter2"), reason="see https://bob:hunter2@wiki/x")
    assert b"hunter2" not in line(event)


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "Panic"},
        {"activity": "dance"},
        {"time": "yesterday"},
        {"time": 5},
        {"auditID": None},
        {"user": ["alice"]},
        {"command": "delete pod"},
        {"command": [1]},
        {"evidence": "mfa"},
        {"evidence": {"authTime": True}},
        {"exitCode": "0"},
        {"exitCode": False},
    ],
    ids=str,
)
def test_a_line_of_another_shape_is_no_record(change: dict[str, object]) -> None:
    members = json.loads(line(FULL)) | change
    assert record_of(json.dumps(members).encode()) is None


def test_members_of_a_later_version_do_no_harm() -> None:
    members = json.loads(line(FULL)) | {"approver": "bob"}
    record = record_of(json.dumps(members).encode())
    assert record is not None
    assert record.event == FULL


def test_times_are_rfc_3339_in_utc() -> None:
    assert rfc3339(1_795_264_080.5) == "2026-11-21T12:28:00.500000Z"


def test_a_fingerprint_is_a_sha256() -> None:
    assert fingerprint("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
