from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest

from kubectl_stepup.ui.prompt import Approval, DevicePrompt, approved_text, device_prompt, waiting_line

PROMPT = DevicePrompt(
    summary="delete pods in prod",
    rules=("prod-deletes",),
    level="mfa",
    cluster="prod-eu",
    server="https://api.prod.example.com",
    user="alice@example.com",
    command=("delete", "pod", "web-0", "-n", "prod"),
    verification_uri="https://login.example.com/device",
    verification_uri_complete="https://login.example.com/device?user_code=WDJB-MJHT",
    user_code="WDJB-MJHT",
    reuse_s=600,
    browser_note="SSH session",
)

APPROVAL = Approval(
    user="alice@example.com",
    level="mfa",
    cluster="prod-eu",
    acr="mfa",
    amr=("pwd", "otp"),
    signed_in_at=1_795_264_076.0,
    ends_at=1_795_264_380.0,
    now=1_795_264_080.0,
)


def test_the_prompt_says_what_for_and_what_else() -> None:
    assert device_prompt(PROMPT) == (
        "Step-up needed: delete pods in prod  (rule prod-deletes, level mfa)\n"
        "  cluster  prod-eu  https://api.prod.example.com\n"
        "  user     alice@example.com\n"
        "  command  kubectl delete pod web-0 -n prod\n"
        "\n"
        "  1. Open          https://login.example.com/device?user_code=WDJB-MJHT\n"
        "     or elsewhere  https://login.example.com/device\n"
        "  2. Compare code  WDJB-MJHT\n"
        "  3. Approve with your second factor\n"
        "\n"
        "This approval also covers other commands that need mfa in prod-eu, for up to 10m, from this terminal.\n"
        "Approve only what you started yourself. Not opening a browser: SSH session."
    )


def test_a_login_has_no_command() -> None:
    prompt = replace(
        PROMPT, summary="", rules=(), command=(), verification_uri_complete=None, everywhere=True, browser_note=None,
        reason="INC-42",
    )  # fmt: skip
    assert device_prompt(prompt) == (
        "Step-up to level mfa in prod-eu\n"
        "  cluster  prod-eu  https://api.prod.example.com\n"
        "  user     alice@example.com\n"
        "  reason   INC-42\n"
        "\n"
        "  1. Open          https://login.example.com/device\n"
        "  2. Enter code    WDJB-MJHT\n"
        "  3. Approve with your second factor\n"
        "\n"
        "This approval covers commands that need mfa in prod-eu, for up to 10m, from all your terminals.\n"
        "Approve only what you started yourself. Opening your browser."
    )


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"reuse_s": 0}, "This approval is for this command alone."),
        ({"reuse_s": 0, "command": ()}, "This approval is for one use."),
        ({"warning": "the long address leads elsewhere"}, "warning: the long address leads elsewhere"),
        ({"rules": ("a", "b")}, "Step-up needed: delete pods in prod  (rules a, b, level mfa)"),
        ({"rules": ()}, "Step-up needed: delete pods in prod  (level mfa)"),
        ({"user_code": "a\x1b[2J\n\u202eb"}, "  2. Compare code  a\\u{1b}[2J\\n\\u{202e}b"),
        ({"user_code": "x" * 200}, "  2. Compare code  " + "x" * 31 + "...[+169]"),
        ({"user": "eve\nuser  alice"}, "  user     eve\\nuser  alice"),
        ({"server": "https://аpi.example/"}, "  cluster  prod-eu  https://xn--pi-6kc.example/"),
        ({"verification_uri": "https://x/\n3."}, "     or elsewhere  https://x/%0A3."),
    ],
    ids=str,
)
def test_the_prompt_follows_its_values(change: dict[str, object], line: str) -> None:
    """DEV-15 (the warning), DEV-16 (user_code)."""
    assert line in device_prompt(replace(PROMPT, **change)).split("\n")  # type: ignore[arg-type]


def test_a_long_address_stays_on_one_line() -> None:
    uri = "https://login.example.com/device?user_code=" + "x" * 500
    assert f"  1. Open          {uri}" in device_prompt(replace(PROMPT, verification_uri_complete=uri)).split("\n")


def test_the_screens_are_ascii_of_themselves() -> None:
    assert device_prompt(PROMPT).isascii()
    assert approved_text(APPROVAL).isascii()
    assert waiting_line(0).isascii()


def test_the_waiting_line_runs_down() -> None:
    assert waiting_line(898.2) == "Waiting for approval, 14:58 left. Ctrl-C cancels, nothing has run."


@pytest.mark.parametrize(
    ("approval", "text"),
    [
        (
            APPROVAL,
            "Approved: alice@example.com, level mfa (acr=mfa, amr=pwd+otp, signed in 4s ago)\n"
            "Elevated in prod-eu until 12:33 (5m). End it with: kubectl stepup logout",
        ),
        (
            replace(APPROVAL, acr=None, amr=(), signed_in_at=None, ends_at=None),
            "Approved: alice@example.com, level mfa\nElevated in prod-eu for this command alone.",
        ),
        (
            replace(APPROVAL, acr="\x1b]0;x\x07", amr=(), signed_in_at=None, ends_at=None),
            "Approved: alice@example.com, level mfa (acr=\\u{1b}]0;x\\u{7})\n"
            "Elevated in prod-eu for this command alone.",
        ),
    ],
)
def test_an_approval_says_what_was_proven_and_until_when(approval: Approval, text: str) -> None:
    assert approved_text(approval, timezone=UTC) == text
