from __future__ import annotations

from datetime import UTC

import pytest

from kubectl_stepup.ui import notices


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            notices.reuse_line(level="mfa", cluster="prod-eu", age_s=192, command="delete pod web-0"),
            'Using mfa in prod-eu, approved 3m ago for "delete pod web-0"',
        ),
        (
            notices.reuse_line(level="mfa", cluster="prod-eu", age_s=4, command=""),
            "Using mfa in prod-eu, approved 4s ago by login",
        ),
        (
            notices.reuse_line(level="mfa", cluster="a\nb", age_s=4, command="\x1b[2J" + "x" * 500),
            'Using mfa in a\\nb, approved 4s ago for "\\u{1b}[2J' + "x" * 102 + '...[+398]"',
        ),
        (
            notices.waiting_for_line(pid=4711, terminal="/dev/pts/3", age_s=72),
            "Waiting for the step-up in process 4711 on pts/3, started 1m ago. Ctrl-C cancels, nothing has run.",
        ),
        (
            notices.waiting_for_line(pid=None, terminal=None, age_s=None),
            "Waiting for the step-up in another process. Ctrl-C cancels, nothing has run.",
        ),
        (
            notices.not_stored_line("no keyring"),
            "warning: the elevation session is not stored, the next command asks again: no keyring",
        ),
        (notices.audit_off_line("disk full"), "warning: not recorded: disk full"),
        (notices.policy_warning_line("rule x would ask"), "warning: rule x would ask"),
        (
            notices.unenrolled_line("dev"),
            "Context dev is not enrolled: running with your everyday login, without step-up. "
            "Enrol it: kubectl stepup setup --context dev",
        ),
        (
            notices.unenrolled_line(None),
            "No context is enrolled here: running with your everyday login, without step-up",
        ),
        (notices.ended_line(level="mfa", cluster="prod-eu"), "Ended mfa in prod-eu"),
        (
            notices.still_valid_line(expires_at=1_795_264_380.0, now=1_795_264_080.0, timezone=UTC),
            "An ID token cannot be revoked: a copy of it would work until 12:33 (5m)",
        ),
        (notices.nothing_to_end_line(None), "No elevation session"),
        (notices.nothing_to_end_line("prod-eu"), "No elevation session in prod-eu"),
    ],
)
def test_notices(line: str, shown: str) -> None:
    assert line == shown
