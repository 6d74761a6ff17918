from __future__ import annotations

from datetime import UTC

import pytest

from kubectl_stepup.audit.chain import GENESIS, ChainBreak, ChainVerification
from kubectl_stepup.audit.view import AuditRow
from kubectl_stepup.ui.tables import StatusRow, audit_summary, audit_table, status_table, table

NOW = 1_795_264_080.0


def test_status() -> None:
    rows = [
        StatusRow(
            name="prod-eu",
            level="mfa",
            user="alice@example.com",
            methods=("pwd", "otp"),
            store="keyring",
            expires_in_s=192,
            age_s=108,
        ),
        StatusRow(name="dev", level=None, user="alice@example.com"),
    ]
    assert status_table(rows) == (
        "NAME      LEVEL    USER                METHODS   STORE     EXPIRES   AGE\n"
        "prod-eu   mfa      alice@example.com   pwd,otp   keyring   3m12s     1m48s\n"
        "dev       <none>   alice@example.com   <none>    <none>    <none>    <none>"
    )


def test_audit_list() -> None:
    common = {"user": "alice@example.com", "context": "prod-eu", "level": "mfa"}
    rows = [
        AuditRow(time=NOW, result="approved", started=True, exit_code=0, command=("delete", "pod", "web-0"), **common),
        AuditRow(
            time=NOW - 401, result="denied", started=False, exit_code=None, command=("delete", "ns", "a"), **common
        ),
        AuditRow(time=NOW - 90_000, result="reused", started=True, exit_code=None, command=("edit",), **common),
        AuditRow(
            time=NOW,
            user=None,
            context=None,
            level=None,
            result="logged-out",
            started=False,
            exit_code=None,
            command=(),
        ),
    ]
    assert audit_table(rows, now=NOW, timezone=UTC) == (
        "TIME                  USER                CONTEXT   LEVEL    RESULT       EXIT        COMMAND\n"
        "12:28:00              alice@example.com   prod-eu   mfa      approved     0           delete pod web-0\n"
        "12:21:19              alice@example.com   prod-eu   mfa      denied       -           delete ns a\n"
        "2026-11-20 11:28:00   alice@example.com   prod-eu   mfa      reused       <unknown>   edit\n"
        "12:28:00              <none>              <none>    <none>   logged-out   -           <none>"
    )


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (
            ChainVerification(records=3, seq=3, head="9b1e40" + "0" * 58),
            "3 records, hash chain ok (head 9b1e40).  -o json for all fields",
        ),
        (ChainVerification(records=0, seq=0, head=GENESIS), "0 records, hash chain ok.  -o json for all fields"),
        (
            ChainVerification(records=1, seq=1, head="9b1e40" + "0" * 58, torn=(2,)),
            "1 record, hash chain ok (head 9b1e40), half-written line 2.  -o json for all fields",
        ),
        (
            ChainVerification(
                records=2, seq=2, head="", first_break=ChainBreak(line=2, seq=2, why="record 2 was changed")
            ),
            "2 records good, then the hash chain is broken at line 2: record 2 was changed.  -o json for all fields",
        ),
    ],
)
def test_audit_summary(found: ChainVerification, line: str) -> None:
    assert audit_summary(found) == line


def test_cells_are_safe_and_columns_stand() -> None:
    assert table(("NAME", "WHY"), [("日本", "a\nb"), ("e\u0301\x1b", "c" * 3000), ("x" * 100, "d")]).split("\n") == [
        "NAME" + " " * 59 + "WHY",
        "日本" + " " * 59 + "a\\nb",
        "e\u0301\\u{1b}" + " " * 56 + "c" * 1990 + "...[+1010]",
        "x" * 52 + "...[+48]   d",
    ]


def test_no_rows_only_titles() -> None:
    assert status_table([]) == "NAME   LEVEL   USER   METHODS   STORE   EXPIRES   AGE"
