"""The screen of `policy verify`."""

from __future__ import annotations

from pathlib import Path

from kubectl_stepup.enforce.verify.results import CLIENT_ONLY, ENFORCED, GAP, NOT_CHECKED, VerifyResult
from kubectl_stepup.ui.server_screens import verified_screen

FINDINGS = (
    VerifyResult(subject="deletes", what="delete a pod", point="admission", state=ENFORCED, detail="everyday: refused"),
    VerifyResult(
        subject="secrets",
        what="read-secrets: get, list, watch",
        point="rbac",
        state=GAP,
        detail="everyday may get, list, watch secrets in shop, default, prod and 17 more",
        fix="who has it, and roles without it: kubectl stepup rbac audit --fix",
    ),
    VerifyResult(subject="mass", what="delete: all", point="client", state=CLIENT_ONLY, detail="no server sees it"),
    VerifyResult(subject="mfa", what="elevated login", point="authentication", state=NOT_CHECKED, detail="no session"),
)


def screen(*findings: VerifyResult) -> str:
    return verified_screen(findings, cluster="prod-eu", digest="sha256:0123456789abcdef", logins=["everyday", "mfa"])


def test_a_row_each_and_below_it_what_is_wrong_and_what_to_do() -> None:
    assert screen(*FINDINGS) == (
        "STATE         RULE      POINT            WHAT\n"
        "enforced      deletes   admission        delete a pod\n"
        "gap           secrets   rbac             read-secrets: get, list, watch\n"
        "    everyday may get, list, watch secrets in shop, default, prod and 17 more\n"
        "    fix: who has it, and roles without it: kubectl stepup rbac audit --fix\n"
        "client only   mass      client           delete: all\n"
        "not checked   mfa       authentication   elevated login\n"
        "    no session\n"
        "\n"
        "1 enforced, 1 gap, 1 client only, 1 not checked.\n"
        "Cluster prod-eu, policy sha256:0123456789ab, seen as everyday, mfa.\n"
        "-o json for all fields"
    )


def test_the_page_shows_this_screen() -> None:
    page = Path(__file__).resolve().parents[3] / "docs/how-to/verify.md"
    assert f"```\n{screen(*FINDINGS)}\n```" in page.read_text(encoding="utf-8")


def test_foreign_text_is_shown_harmless_and_within_80_columns() -> None:
    foreign = VerifyResult(
        subject="r" * 60, what="w" * 200, point="admission", state=GAP, detail="\x1b[2J " + "word " * 60, fix="f\nx"
    )
    lines = screen(foreign).splitlines()

    assert max(len(line) for line in lines) <= 80
    assert "\x1b" not in screen(foreign)
    assert any(r"\u{1b}[2J" in line for line in lines)
    assert r"    fix: f\nx" in lines
