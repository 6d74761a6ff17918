"""Who counts as being in the foreground: shells and programs that start others, on real pseudo-terminals."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pexpect
import pytest

from kubectl_stepup.ui.notices import ANOTHER_SESSION, BEHIND_TIMEOUT, IN_BACKGROUND
from tests.integration.terminal.test_tty import ENVIRON, program

REPORT = "open(sys.argv[1], 'a').write(f'{terminal.obstacle()}\\n')"
ON_STANDARD_ERROR, ON_THE_TERMINAL = "", "2>/dev/null"


def obstacles(tmp_path: Path, script: str, redirection: str, *options: str) -> list[str]:
    """Run a script whose `P` says into a file why nobody can be asked."""
    said, asks, wrapped = tmp_path / "said", tmp_path / "asks.py", tmp_path / "P"
    asks.write_text(program(REPORT))
    wrapped.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{asks}" "{said}" {redirection}\n')
    wrapped.chmod(0o755)
    words = ["--norc", "--noprofile", *options, "-c", re.sub(r"(?<!-)\bP\b", str(wrapped), script)]
    child = pexpect.spawn("/bin/bash", words, env=ENVIRON, encoding="utf-8", timeout=30, cwd=tmp_path)
    child.expect(pexpect.EOF)
    child.close()
    assert said.exists(), child.before
    return said.read_text().splitlines()


@pytest.mark.parametrize("redirection", [ON_STANDARD_ERROR, ON_THE_TERMINAL])
@pytest.mark.parametrize(
    "script",
    [
        "P; true",
        "exec P",
        "echo x | P",
        "P | cat",
        "x=$(P); true",
        "set -m; P; true",
        "set -m; echo x | P | cat",
        "set -m; x=$(P); true",
        "timeout --foreground 20 P",
        "printf 'a\\nb\\n' | xargs -P 2 -I{} P",
        "nohup P </dev/tty; true",
        "(P); true",
        "P & wait",  # without job control a script and all it starts are one group, which has the terminal
        "script -qec P /dev/null",
        "set -m; sleep 60 & P; kill %1",
    ],
)
def test_in_the_foreground_a_person_can_be_asked(tmp_path: Path, script: str, redirection: str) -> None:
    if script.startswith("script") and shutil.which("script") is None:
        pytest.skip("no script(1) here")
    assert set(obstacles(tmp_path, script, redirection)) == {"None"}


@pytest.mark.parametrize("redirection", [ON_STANDARD_ERROR, ON_THE_TERMINAL])
@pytest.mark.parametrize(
    ("script", "options", "expected"),
    [
        ("set -m; P & wait", (), IN_BACKGROUND),
        ("set -m; echo x | P & wait", (), IN_BACKGROUND),
        ("P & wait", ("-i",), IN_BACKGROUND),
        ("set -m; (P; true) & wait", (), IN_BACKGROUND),
        ("timeout 20 P; true", (), BEHIND_TIMEOUT),
        ("timeout 20 sh -c 'P; true'; true", (), IN_BACKGROUND),
    ],
)
def test_nobody_is_asked_from_the_background(
    tmp_path: Path, script: str, options: tuple[str, ...], expected: str, redirection: str
) -> None:
    assert obstacles(tmp_path, script, redirection, *options) == [expected]


def test_nobody_is_asked_on_a_terminal_that_another_session_controls(tmp_path: Path) -> None:
    """Ctrl-C would not reach it."""
    assert obstacles(tmp_path, "setsid --wait P", ON_STANDARD_ERROR) == [ANOTHER_SESSION]
    assert obstacles(tmp_path, "setsid --wait P", ON_THE_TERMINAL)[1:] == ["no terminal"]


def test_a_prompt_that_goes_to_the_background_leaves_the_terminal_alone_until_it_is_back(tmp_path: Path) -> None:
    asks = tmp_path / "asks.py"
    counts = "terminal.countdown(90)\nprint('stops', flush=True)\ninput()\n"
    counts += "terminal.countdown(80); terminal.done(); print('went on', flush=True)\n"
    counts += "while not terminal.interactive(): pass\nterminal.countdown(70); print('ended', flush=True)"
    asks.write_text(program(counts))
    shell = pexpect.spawn("/bin/bash", ["--norc", "--noprofile", "-i"], env=ENVIRON, encoding="utf-8", timeout=30)
    shell.sendline(f"PS1='$ '; mkfifo {tmp_path}/go; {sys.executable} {asks} < {tmp_path}/go & exec 9> {tmp_path}/go")
    shell.expect_exact("stops")
    assert "left" not in (shell.before or "")
    shell.sendline("echo >&9")
    shell.expect_exact("went on")
    assert "left" not in (shell.before or "")
    shell.sendline("fg")
    shell.expect("Waiting for approval")
    shell.expect_exact("ended")
    shell.sendline("exit")
    shell.expect(pexpect.EOF)
