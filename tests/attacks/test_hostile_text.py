"""Text of providers, clusters, kubeconfigs, policies and arguments that wants to be more than text, in every place."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pexpect
import pytest

from kubectl_stepup.audit.chain import ChainBreak, ChainVerification
from kubectl_stepup.audit.view import AuditRow
from kubectl_stepup.cli import output
from kubectl_stepup.errors import InteractionRequired, ProviderError, StepUpDenied, UsageError
from kubectl_stepup.oidc.response import Response
from kubectl_stepup.oidc.token_response import OAuthError
from kubectl_stepup.oidc.trace_lines import failure_line, request_line, response_line
from kubectl_stepup.policy.lint import Finding
from kubectl_stepup.policy.quoted_text import QuotedText
from kubectl_stepup.sanitise import safe_lines, safe_url
from kubectl_stepup.ui import notices
from kubectl_stepup.ui.errors import error_text
from kubectl_stepup.ui.policy_screens import lint_lines
from kubectl_stepup.ui.prompt import Approval, DevicePrompt, approved_text, device_prompt
from kubectl_stepup.ui.quoted_text import published_rules_lines, quoted
from kubectl_stepup.ui.tables import StatusRow, audit_summary, audit_table, status_table
from tests.support.lab import Lab, opened_lab
from tests.support.lab.lab import GROUPS, POLICY
from tests.support.provider.model import Answer, Raw
from tests.support.warm_start import CAN_FORK, PROGRAM, WarmTerminal

HOSTILE = {
    "clear the screen": "\x1b[2J\x1b[H",
    "write the clipboard": "\x1b]52;c;Y3VybCBldmlsfHNo\x07",
    "link elsewhere": "\x1b]8;;https://evil.example\x1b\\https://login.example.com\x1b]8;;\x1b\\",
    "set the title and read it back": "\x1b]0;rm -rf ~\x07\x1b[21t",
    "a string without an end": "\x1bP$q",
    "C1 control sequence": "\x9b2J\x9d52;c;Zm9v\x9c",
    "overwrite the line": "delete pod web-0\rget pods        ",
    "lines of our own": "web-0\nApproved: alice, level critical\nerror: none",
    "other line ends": "a\x0bb\x0cc\x85d\u2028e\u2029f",
    "backspaces": "delete\b\b\b\b\b\bget   ",
    "right to left": "web-0\u202egnp.exe\u2066\u2069\u200f",
    "invisible": "web\u200b-\u2060\ufeff0\u00ad\U000e0041\u034f",
    "unusual spaces": "get\u00a0pods\u3000--all\u2003x",
    "rich markup": "[bold red]x[/] [/nope] [link=file:///etc/passwd]y[/link] :smile:",
    "marks without end": "a" + "\u0301" * 50,
    "halves and unassigned": "\ud800x\udfff\ue000\uffff\U0010ffff",
    "format and percent": "%s %n {0} {self} $(id) `id` ${HOME}",
    "NUL and the rest": "".join(map(chr, range(32))) + "\x7f",
    "very long": "A" * 100_000,
    "long and hidden": "\x1b[31m" * 50_000,
}

# What we write ourselves on a terminal: colours, and the waiting line that is drawn anew.
OURS = re.compile(r"\x1b\[(?:\d+(?:;\d+)*)?m|\r\x1b\[K|\x1b\[K|\r")
LINE_LIMIT = 4500


def assert_harmless(shown: str) -> None:
    """Hold by other means than the sanitiser's that nothing is there but what is plainly seen, in lines."""
    for number, line in enumerate(shown.split("\n")):
        assert len(line) < LINE_LIMIT, number
        for character in line:
            category = unicodedata.category(character)
            assert character == " " or category[0] not in "CZ", (number, hex(ord(character)), line[:300])
        assert not re.search(r"[\u0300-\u036f]{4}", line), number


PROMPT = DevicePrompt(
    summary="delete pods in prod",
    rules=("deletes",),
    level="mfa",
    cluster="prod",
    server="https://api.prod.example.com",
    user="alice",
    command=("delete", "pod", "web-0"),
    verification_uri="https://login.example.com/device",
    verification_uri_complete="https://login.example.com/device?user_code=WDJB-MJHT",
    user_code="WDJB-MJHT",
    reuse_s=600,
    reason="INC-1",
    browser_note="SSH session",
    warning="something",
)
PROMPT_LINES = len(device_prompt(PROMPT).splitlines())
APPROVAL = Approval(
    user="alice", level="mfa", cluster="prod", acr="mfa", amr=("otp",), signed_in_at=1.0, ends_at=600.0, now=2.0
)
ROW = AuditRow(
    time=0, user="alice", context="prod", level="mfa", result="approved", started=True, exit_code=0, command=("get",)
)
STATUS = StatusRow(name="prod", level="mfa", user="alice", methods=("otp",), store="kernel", expires_in_s=1, age_s=1)
LIST_FIELDS = {"rules": 1, "command": 2, "amr": 1, "methods": 1}


def put(value: object, name: str, text: str) -> object:
    """Return a field's new value: the text, or a tuple of it."""
    return (text,) * LIST_FIELDS[name] if name in LIST_FIELDS else text


def denied(text: str) -> str:
    refused = OAuthError.from_document({"error": text, "error_description": text})
    assert refused is not None
    return error_text(StepUpDenied(f"step-up denied by login.example.com ({refused.shown()})"))


def answered(text: str) -> str:
    document: dict[str, object] = {"error_description": text, text: text, "scope": [text], "user_code": text}
    response = Response(url=f"https://login.example.com/{text}", status=400, document=document)
    return response_line(response, 1)


INTERACTION = {"rules": ["{}"], "level": "{}", "cluster": "{}", "command": ["{}", "{}"], "help": "{}", "runbook": "{}"}

ONE_LINE: dict[str, Callable[[str], str]] = {
    "reuse": lambda text: notices.reuse_line(level=text, cluster=text, age_s=1, command=text),
    "waiting for": lambda text: notices.waiting_for_line(pid=1, terminal=text, age_s=0),
    "not stored": notices.not_stored_line,
    "audit off": notices.audit_off_line,
    "rule's message": lambda text: quoted(QuotedText(what="message of rule x", text=text, file=text)),
    "published message": lambda text: quoted(QuotedText(what="message of rule x", text=text, cluster=text)),
    "published rules": lambda text: "".join(published_rules_lines([(text, text)])),
    "forgotten": lambda text: "".join(notices.forgotten_lines([text], text)),
    "rule's warning": notices.policy_warning_line,
    "unenrolled": notices.unenrolled_line,
    "ended": lambda text: notices.ended_line(level=text, cluster=text),
    "nothing to end": notices.nothing_to_end_line,
    "error": lambda text: error_text(ProviderError(text)),
    "usage": lambda text: error_text(UsageError(text)),
    "address": safe_url,
    "request": lambda text: request_line("POST", f"https://login.example.com/{text}", {"client_id": text, text: text}),
    "answer": answered,
    "no answer": lambda text: failure_line("https://login.example.com", error_text(ProviderError(text))[7:], 1),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("place", ONE_LINE)
def test_one_line_stays_one(place: str, text: str) -> None:
    shown = ONE_LINE[place](text)

    assert_harmless(shown)
    assert "\n" not in shown


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_prompt_has_its_lines_whatever_is_in_them(text: str) -> None:
    for name in PROMPT.__slots__:
        if name not in {"reuse_s", "everywhere", "published_rules", "messages"}:
            shown = device_prompt(replace(PROMPT, **{name: put(PROMPT, name, text)}))  # type: ignore[arg-type]
            assert_harmless(shown)
            assert len(shown.splitlines()) == PROMPT_LINES, name


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_screens_have_their_lines_whatever_is_in_them(text: str) -> None:
    hint = ProviderError("it failed", hint=text, details={"explanation": text, "trouble": text, "why": text})
    details = {name: json.loads(json.dumps(value).replace("{}", "X")) for name, value in INTERACTION.items()}
    filled = {name: [text] * len(value) if isinstance(value, list) else text for name, value in details.items()}
    screens = {
        "denied": (denied(text), 2),
        "hint and details": (error_text(hint), 5),
        "interaction": (error_text(InteractionRequired("nobody can be asked", details=filled)), 7),
        "lint": (
            lint_lines([Finding(severity="warning", code=text, about=text, message=text, file=text, line=1)])[0],
            1,
        ),
        "summary": (
            audit_summary(
                ChainVerification(records=1, seq=1, head="0" * 64, first_break=ChainBreak(line=1, seq=2, why=text))
            ),
            1,
        ),
        "logout": (
            notices.logout_text([(text, text, 0.0)], revoked=[None], now=1, where=text, timezone=UTC),
            1,
        ),
    }
    for name in ("user", "level", "cluster", "acr", "amr"):
        screens[f"approved {name}"] = (approved_text(replace(APPROVAL, **{name: put(APPROVAL, name, text)})), 2)  # type: ignore[arg-type]
    for name in ("user", "context", "level", "result", "command"):
        row = replace(ROW, **{name: put(ROW, name, text)})  # type: ignore[arg-type]
        screens[f"audit {name}"] = (audit_table([row], now=1, timezone=UTC), 2)
    for name in ("name", "level", "user", "methods", "store"):
        screens[f"status {name}"] = (status_table([replace(STATUS, **{name: put(STATUS, name, text)})]), 2)  # type: ignore[arg-type]
    for name, (shown, lines) in screens.items():
        assert_harmless(shown)
        assert len(shown.splitlines()) == lines, (name, shown[:400])


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_standard_output_has_a_last_net(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    output.data(f"NAME\t{text}")

    shown = capfd.readouterr().out
    assert_harmless("\n".join(line[:4000] for line in shown.replace("\t", " ").split("\n")))
    assert "\t" in shown
    assert safe_lines(shown) == shown


def test_json_goes_through_the_net_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    document = json.dumps({"hostile": list(HOSTILE.values())})
    output.data(document)

    assert capfd.readouterr().out == document + "\n"


# -- the whole program on a narrow terminal -----------------------------------------------------------------------

MESSAGE = HOSTILE["write the clipboard"] + HOSTILE["right to left"]
CONTEXT = "prod\x1b]52;c;Zm9v\x07\u202e\nApproved: alice"
COLUMNS = 40


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    policy = POLICY.replace(
        "do: [delete, stop], needs: mfa", f"do: [delete, stop], needs: mfa, message: {json.dumps(MESSAGE)}"
    )
    answer = Answer(interval=1, claims={**GROUPS, "preferred_username": MESSAGE})
    with opened_lab(tmp_path, answer=answer, policy=policy) as opened:
        yield opened


def narrowly(lab: Lab, *words: str, **environ: str) -> str:
    """Run our command on a terminal of 40 columns; return every character that came."""
    command, variables = [*PROGRAM, *words], {**lab.environ, "TERM": "xterm-256color", **environ}
    if CAN_FORK:
        with contextlib.closing(WarmTerminal(variables, rows=24, columns=COLUMNS)) as terminal:
            return terminal.raw(command)
    child = pexpect.spawn(
        command[0], command[1:], env=variables, dimensions=(24, COLUMNS), encoding="utf-8", timeout=60
    )
    child.expect(pexpect.EOF)
    child.close()
    assert isinstance(child.before, str)
    return child.before


def seen(raw: str) -> str:
    """Return what is left without what we write ourselves, and check that it is harmless."""
    shown = OURS.sub("", raw.replace("\r\n", "\n"))
    assert_harmless(shown)
    return shown


def test_a_hostile_provider_on_a_narrow_terminal(lab: Lab, tmp_path: Path) -> None:
    long = f"{lab.provider.issuer}/device?user_code=" + "W" * 300
    lab.answer.device = {"verification_uri_complete": long, "user_code": f"WDJB\x1b[2J\u202e{MESSAGE}"}
    lab.answer.denied = True

    shown = seen(narrowly(lab, "exec", "-vv", "-r", MESSAGE, "--", "delete", "pod", CONTEXT))

    assert f"Open          {long}\n" in shown  # not wrapped: a terminal folds it, and a click or a copy gets it whole
    assert "Compare code  WDJB\\u{1b}[2J\\u{202e}" in shown
    assert "error: step-up denied by 127.0.0.1" in shown
    assert shown.count("Approved") == shown.count("nApproved: alice")


@pytest.mark.parametrize("endpoint", ["discovery", "device", "token", "jwks"])
def test_a_provider_whose_errors_are_hostile(lab: Lab, endpoint: str) -> None:
    # Half of a character, a NUL and a megabyte are refused before they are read: another story.
    text = "\n".join(value[:500] for value in HOSTILE.values()).encode("utf-8", "replace").decode().replace("\0", "")
    document = {"error": "invalid_\x1b[2Jrequest", "error_description": text}
    lab.answer.faults = {endpoint: [Raw.of(document, 400)] * 3}

    shown = seen(narrowly(lab, "exec", "-vv", "--", "delete", "pod", "web-0"))
    lab.answer.faults = {}

    assert "error: " in shown
    assert lab.exists("web-0")


BROWSER = '#!/bin/sh\nprintf "%s\\n" "$*" >>"$HOME/opened"\n'


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has its own way to open an address")
@pytest.mark.parametrize(
    "foreign",
    [
        "https://evil.example/device?user_code=WDJB-MJHT",
        "https://127.0.0.1.evil.example/device",
        "https://127.0.0.1@evil.example/",
        "https://login.ex\u0430mple.com/device",
        "http://127.0.0.1/device",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "--help",
    ],
)
def test_an_address_elsewhere_is_neither_opened_nor_offered(lab: Lab, tmp_path: Path, foreign: str) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "xdg-open").write_text(BROWSER)
    (programs / "xdg-open").chmod(0o755)
    lab.answer.device = {"verification_uri_complete": foreign}
    path = f"{programs}:{lab.environ['PATH']}"

    shown = seen(narrowly(lab, "exec", "--", "delete", "pod", "web-0", DISPLAY=":0", PATH=path))

    assert "Opening your browser." in shown
    assert f"1. Open          {lab.provider.issuer}/device\n" in shown
    assert "warning: verification_uri_complete" in shown
    assert (Path(lab.environ["HOME"]) / "opened").read_text() == f"{lab.provider.issuer}/device\n"
    steps = shown[shown.index("1. Open") : shown.index("warning:")]
    assert foreign not in steps
    assert "\u0430" not in shown


def test_a_homograph_in_the_kubeconfig_is_shown_for_what_it_is() -> None:
    shown = device_prompt(replace(PROMPT, server="https://api.pr\u043ed.example.com"))

    assert "cluster  prod  https://api.xn--prd-ted.example.com\n" in shown


def test_names_of_a_hostile_kubeconfig(lab: Lab) -> None:
    file = Path(lab.environ["HOME"]) / ".kube/config"
    kubeconfig = json.loads(file.read_text())
    kubeconfig["contexts"][0]["name"] = kubeconfig["current-context"] = CONTEXT
    file.write_text(json.dumps(kubeconfig))
    token = base64.urlsafe_b64encode(json.dumps({"email": MESSAGE}).encode()).decode()

    for words in (
        ("exec", "--", "delete", "pod", "web-0"),
        ("exec", "-v", "--", "get", "pods"),
        ("policy", "explain", "--", "delete", "pod", f"web{MESSAGE}"),
        ("policy", "check", "--", "delete", "pod", f"web{MESSAGE}"),
        ("login", "--context", f"no{CONTEXT}"),
        ("status", "--context", f"no{CONTEXT}"),
        ("setup", "--yes", "--provider", "corp", "--name", "other", "--account", f"alice{token}"),
        ("setup", "--yes", "--provider", "corp", "--name", f"oth{CONTEXT}", "--account", MESSAGE),
        ("status",),
        ("status", "-o", "name"),
        ("setup", "--yes", "--elevated-context", f"up{CONTEXT}", "--name", "other"),
        ("logout",),
        ("audit", "list"),
        ("policy", "show"),
        ("policy", "show", "-o", "yaml"),
        ("policy", "lint"),
        (f"no{CONTEXT}",),
        ("status", f"--no{CONTEXT}"),
    ):
        shown = seen(narrowly(lab, *words))
        assert not re.search("^Approved: alice$", shown, re.MULTILINE), words
