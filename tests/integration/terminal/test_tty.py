"""The terminal edge on real pseudo-terminals: what a person sees, byte for byte and as a screen."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pyte
import pytest

from kubectl_stepup.ui.prompt import waiting_line
from kubectl_stepup.ui.terminal import Terminal

SETUP = """
import os, sys
from kubectl_stepup.ui.terminal import Terminal
terminal = Terminal(environ=os.environ, **{options})
"""

PROMPT = "Step-up needed: delete pods\n  2. Compare code  WDJB-MJHT"

ENVIRON = {"TERM": "xterm-256color", "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}


def program(body: str, **options: object) -> str:
    return SETUP.replace("{options}", repr(options)) + body


def on_a_terminal(
    body: str, *, options: dict[str, object] | None = None, columns: int = 80, **environ: str
) -> pexpect.spawn:
    return pexpect.spawn(
        sys.executable,
        ["-c", program(body, **(options or {}))],
        env=ENVIRON | environ,
        dimensions=(24, columns),
        encoding="utf-8",
        timeout=30,
    )


def output(child: pexpect.spawn) -> str:
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0, child.before
    text = child.before
    assert isinstance(text, str)
    return text


def screen(text: str, *, columns: int = 80) -> list[str]:
    display = pyte.Screen(columns, 24)
    pyte.Stream(display).feed(text)
    lines = [line.rstrip() for line in display.display]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def test_the_waiting_line_is_redrawn_in_place_and_then_gone() -> None:
    waiting = f"terminal.prompt({PROMPT!r}); terminal.countdown(900.0); terminal.countdown(899.9); "
    waiting += "terminal.countdown(899.2); terminal.countdown(60)"
    drawn = output(on_a_terminal(waiting))
    assert screen(drawn) == [
        "Step-up needed: delete pods",
        "  2. Compare code  WDJB-MJHT",
        waiting_line(60),
    ]
    assert drawn.count("Waiting") == 3  # 899.9 and 899.2 are one second
    ended = output(on_a_terminal(f"{waiting}; terminal.done(); terminal.line('Approved: alice')"))
    assert screen(ended) == ["Step-up needed: delete pods", "  2. Compare code  WDJB-MJHT", "Approved: alice"]


def test_a_notice_in_between_does_not_run_into_the_waiting_line() -> None:
    body = "terminal.countdown(90); terminal.line('something else'); terminal.countdown(89)"
    assert screen(output(on_a_terminal(body))) == ["something else", waiting_line(89)]


def test_a_notice_between_a_childs_lines_stands_on_its_own_even_in_raw_mode() -> None:
    body = "import tty; tty.setraw(2); os.write(2, b'root@web-0:/# '); terminal.interject('warning: a\\nb'); "
    shown = output(on_a_terminal(body + "os.write(2, b'root@web-0:/# ')", options={"quiet": True}))
    assert screen(shown) == ["root@web-0:/#", "warning: a\\nb", "root@web-0:/#"]


def test_a_narrow_terminal_does_not_fill_up_with_waiting_lines() -> None:
    body = "[terminal.countdown(seconds) for seconds in range(90, 80, -1)]"
    assert screen(output(on_a_terminal(body, columns=30)), columns=30) == [waiting_line(81)[:29]]


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_dumb_terminal_gets_lines_without_controls(term: str) -> None:
    body = (
        f"terminal.prompt({PROMPT!r}); [terminal.countdown(s) for s in (121, 120.5, 120, 119, 61, 60)]; terminal.done()"
    )
    text = output(on_a_terminal(body, TERM=term))
    assert "\x1b" not in text
    assert text.replace("\r\n", "\n") == (
        "Step-up needed: delete pods\n  2. Compare code  WDJB-MJHT\n"
        + waiting_line(121)
        + "\n"
        + waiting_line(120)
        + "\n"
        + waiting_line(60)
        + "\n"
    )


def test_colour_marks_what_matters() -> None:
    body = f"terminal.prompt({PROMPT!r}); terminal.line('Approved: alice'); terminal.line('warning: x')"
    assert output(on_a_terminal(body)).replace("\r\n", "\n") == (
        "\x1b[1mStep-up needed:\x1b[0m delete pods\n"
        "  2. Compare code  \x1b[1mWDJB-MJHT\x1b[0m\n"
        "\x1b[1;32mApproved:\x1b[0m alice\n"
        "\x1b[33mwarning:\x1b[0m x\n"
    )
    assert "\x1b" not in output(on_a_terminal(body, NO_COLOR="1"))
    assert "\x1b" not in output(on_a_terminal(body, NO_COLOR="1", FORCE_COLOR="1"))
    assert "\x1b" in output(on_a_terminal(body, NO_COLOR=""))


def test_a_long_address_is_not_broken() -> None:
    url = "https://login.example.com/device?user_code=" + "x" * 300
    assert url in output(on_a_terminal(f"terminal.prompt('Step-up\\n  1. Open  {url}')"))


def test_rich_reads_no_markup_and_no_controls_pass() -> None:
    text = output(
        on_a_terminal(r"terminal.prompt('Step-up [/nope] [bold]x[/] :smile: \x1b]52;c;Zm9v\x07')", NO_COLOR="1")
    )
    assert text == "Step-up [/nope] [bold]x[/] :smile: \\u{1b}]52;c;Zm9v\\u{7}\r\n"
    coloured = output(on_a_terminal(r"terminal.prompt('Step-up [/nope] :smile: \x1b]52;c;Zm9v\x07')"))
    assert coloured == "\x1b[1mStep-up\x1b[0m [/nope] :smile: \\u{1b}]52;c;Zm9v\\u{7}\r\n"


def test_rich_is_imported_only_for_colour() -> None:
    body = (
        "terminal.line('Using mfa in prod-eu'); terminal.countdown(60); terminal.done(); print('rich' in sys.modules)"
    )
    assert output(on_a_terminal(body)).endswith("False\r\n")


REPORT = "print(terminal.interactive(), terminal.obstacle(), file=open(sys.argv[1], 'w'))"


def reported(tmp_path: Path, body: str, *, options: dict[str, object] | None = None, **environ: str) -> str:
    """Run `body` on a terminal; it writes to the file argv[1]."""
    answer = tmp_path / "answer"
    child = pexpect.spawn(
        sys.executable,
        ["-c", program(body, **(options or {})), str(answer)],
        env=ENVIRON | environ,
        encoding="utf-8",
        timeout=30,
    )
    output(child)
    return answer.read_text().strip()


@pytest.mark.parametrize(
    ("options", "environ", "expected"),
    [
        ({}, {}, "True None"),
        ({"controlling": True}, {}, "True None"),
        ({"quiet": True}, {}, "True None"),
        ({"no_input": True}, {}, "False --no-input"),
        ({}, {"CI": "true"}, "False CI=true"),
        ({}, {"CI": "false"}, "True None"),
        ({}, {"CI": "0"}, "True None"),
        ({}, {"CI": ""}, "True None"),
    ],
    ids=str,
)
def test_who_can_be_asked_on_a_terminal(
    tmp_path: Path, options: dict[str, object], environ: dict[str, str], expected: str
) -> None:
    assert reported(tmp_path, REPORT, options=options, **environ) == expected


def test_a_full_screen_program_keeps_its_terminal(tmp_path: Path) -> None:
    raw = "import tty; tty.setraw(2)\n"
    assert reported(tmp_path, raw + REPORT, options={"controlling": True}) == (
        "False a full-screen program has the terminal"
    )
    no_echo = "import termios; m = termios.tcgetattr(2); m[3] &= ~termios.ECHO; termios.tcsetattr(2, 0, m)\n"
    assert reported(tmp_path, no_echo + REPORT, options={"controlling": True}) == (
        "False a full-screen program has the terminal"
    )
    assert reported(tmp_path, raw + REPORT) == "True None"


IN_A_CHILD = """
import subprocess
child = subprocess.run([sys.executable, "-c", {code!r}, sys.argv[1]], stderr=subprocess.DEVNULL, {how})
"""


def in_a_child(code: str, how: str) -> str:
    return IN_A_CHILD.format(code=code, how=how)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("stdin=subprocess.DEVNULL", "True None"),
        ("process_group=0", "False in the background"),
        ("start_new_session=True", "False no terminal"),
    ],
)
def test_without_standard_error_the_controlling_terminal_counts(tmp_path: Path, how: str, expected: str) -> None:
    assert reported(tmp_path, in_a_child(program(REPORT), how)) == expected


def test_the_prompt_goes_to_the_controlling_terminal_when_standard_error_is_taken() -> None:
    code = program(f"terminal.line('lost'); terminal.prompt({PROMPT!r}); terminal.countdown(61)", quiet=True)
    text = output(on_a_terminal(in_a_child(code, "stdout=subprocess.DEVNULL").replace(", sys.argv[1]", "")))
    assert screen(text) == ["Step-up needed: delete pods", "  2. Compare code  WDJB-MJHT", waiting_line(61)]


def test_without_any_terminal_nothing_is_shown_and_nothing_hangs() -> None:
    code = program(
        f"terminal.prompt({PROMPT!r}); terminal.countdown(5); terminal.done(); terminal.flush_input()\n"
        "print(terminal.obstacle())"
    )
    found = subprocess.run([sys.executable, "-c", code], start_new_session=True, capture_output=True, env=ENVIRON)
    assert (found.returncode, found.stdout, found.stderr) == (0, b"no terminal\n", b"")


def test_a_notice_is_plain_where_standard_error_is_no_terminal() -> None:
    code = program("terminal.line('warning: x'); terminal.line('Zoë')")
    found = subprocess.run([sys.executable, "-c", code], start_new_session=True, capture_output=True, env=ENVIRON)
    assert found.stderr.decode() == "warning: x\nZoë\n"
    forced = ENVIRON | {"FORCE_COLOR": "1"}
    found = subprocess.run([sys.executable, "-c", code], start_new_session=True, capture_output=True, env=forced)
    assert found.stderr.decode() == "\x1b[33mwarning:\x1b[0m x\nZoë\n"


def test_what_was_typed_ahead_never_arrives() -> None:
    child = on_a_terminal(
        "import select\n"
        "select.select([0], [], [])\n"  # until the code typed into the wrong window is there
        "terminal.flush_input()\n"
        "print('flushed', flush=True)\n"
        "print('got', input())\n"
    )
    child.sendline("123456")
    child.expect("flushed")
    child.sendline("real")
    assert "got real" in output(child)


def test_flushing_in_the_background_does_not_stop_the_process(tmp_path: Path) -> None:
    code = program("terminal.flush_input(); open(sys.argv[1], 'w').write('went on')")
    assert reported(tmp_path, in_a_child(code, "process_group=0")) == "went on"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("ascii", "Zo\\xeb \\u65e5\\u672c\n"), ("latin-1", "Zo\xeb \\u65e5\\u672c\n"), ("utf-8", "Zo\xeb \u65e5\u672c\n")],
)
def test_any_encoding_will_do(tmp_path: Path, encoding: str, shown: str) -> None:
    with (tmp_path / "stderr").open("w", encoding=encoding, errors="strict") as stream:
        Terminal(environ={}, stderr=stream).line("Zo\xeb \u65e5\u672c")
    assert (tmp_path / "stderr").read_text(encoding=encoding) == shown
    without_a_file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict", write_through=True)
    Terminal(environ={}, stderr=without_a_file).line("Zo\xeb \u65e5\u672c")
    without_a_file.seek(0)
    assert without_a_file.read() == shown


def test_a_plain_locale_sees_escapes_on_the_controlling_terminal() -> None:
    code = program(r"terminal.prompt('user  Zo\xeb')")
    child = in_a_child(code, "stdout=subprocess.DEVNULL").replace(", sys.argv[1]", "")
    assert "user  Zo\\xeb" in output(on_a_terminal(child, LC_ALL="POSIX", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0"))


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "2>&- >&- <&-", "2>/dev/null"])
def test_a_standard_error_that_cannot_be_written_is_no_failure(redirection: str) -> None:
    code = program(
        f"terminal.line('x'); terminal.prompt({PROMPT!r}); terminal.countdown(9)\n"
        "terminal.done(); terminal.flush_input(); terminal.interactive()"
    )
    shell = ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-c", code]
    found = subprocess.run(shell, start_new_session=True, capture_output=True, env=ENVIRON)
    assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")


def test_a_reader_that_went_away_is_no_failure() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as stream:
        terminal = Terminal(environ={}, stderr=stream, tty_path="/nonexistent")
        terminal.line("x")
        terminal.prompt("y")
        assert terminal.obstacle() == "no terminal"


def test_a_file_is_no_terminal(tmp_path: Path) -> None:
    (tmp_path / "tty").touch()
    terminal = Terminal(environ={}, stderr=io.StringIO(), tty_path=str(tmp_path / "tty"))
    assert terminal.obstacle() == "no terminal"


def test_quiet_hides_notices() -> None:
    stream = io.StringIO()
    Terminal(environ={}, quiet=True, stderr=stream).line("x")
    assert stream.getvalue() == ""
    Terminal(environ={}, stderr=stream).line("x")
    assert stream.getvalue() == "x\n"


def fake_browser(directory: Path) -> Path:
    """Make an xdg-open that tells a FIFO its argument and whether it has a terminal."""
    fifo = directory / "fifo"
    os.mkfifo(fifo)
    program_path = directory / "xdg-open"
    program_path.write_text(
        f"#!/bin/sh\nif [ -t 0 ] || [ -t 1 ] || [ -t 2 ] || (: </dev/tty); then t=terminal; fi 2>/dev/null\n"
        f'printf "%s|%s" "$*" "$t" >{fifo}\n'
    )
    program_path.chmod(0o755)
    return fifo


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has its own way to open an address")
def test_the_browser_gets_the_address_and_no_terminal(tmp_path: Path) -> None:
    fifo = fake_browser(tmp_path)
    url = "https://login.example.com/device?user_code=$(id)&x=;'\""
    child = on_a_terminal(f"terminal.open_browser({url!r})", DISPLAY=":0", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert fifo.read_text() == f"{url}|"
    output(child)


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has its own way to open an address")
@pytest.mark.parametrize(
    ("url", "environ", "note"),
    [
        ("https://x/", {}, "no graphical display"),
        ("https://x/", {"DISPLAY": ":0", "SSH_CONNECTION": "1"}, "SSH session"),
        ("https://x/", {"DISPLAY": ":0", "PATH": "/nonexistent"}, "xdg-open is not installed"),
        ("https://x/", {"DISPLAY": ":0", "PATH": "."}, "xdg-open is not installed"),
        ("http://x/", {"DISPLAY": ":0"}, None),
        ("file:///etc/passwd", {"DISPLAY": ":0"}, None),
        ("javascript:alert(1)", {"DISPLAY": ":0"}, None),
        ("--help", {"DISPLAY": ":0"}, None),
    ],
)
def test_no_browser_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, environ: dict[str, str], note: str | None
) -> None:
    fake_browser(tmp_path)
    monkeypatch.chdir(tmp_path)
    opened: list[object] = []
    monkeypatch.setattr(os, "posix_spawn", lambda *arguments, **options: opened.append(arguments))
    terminal = Terminal(environ={"PATH": str(tmp_path)} | environ, stderr=io.StringIO())
    assert terminal.browser_note() == note
    terminal.open_browser(url)
    assert opened == []
