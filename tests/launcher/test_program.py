"""The launcher becomes the Python program beside it for everything that it does not answer itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.launcher.conftest import COMPILER, HANDED_ON, SOURCES, Launcher

ISOLATED = (
    "KEPT=yes\nKUBECTL_STEPUP_PYTHON=1\nKUBECTL_STEPUP_PYTHONHOME=/hostile\nKUBECTL_STEPUP_PYTHONPATH=/hostile\n"
    "KUBECTL_STEPUP_PYTHONSAFEPATH=\nPYTHONSAFEPATH=1\n"
)
"""What the Python program is given of the variables below: their names are its to give back."""

ENVIRON = {"PATH": os.defpath, "KEPT": "yes", "PYTHONPATH": "/hostile", "PYTHONHOME": "/hostile", "PYTHON": "1"}


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--help"],
        ["version"],
        ["exec", "--", "get", "pods"],
        ["exec", "--"],
        ["exec", "-q", "--", "get", "pods"],
        ["exec", "--", "a  b", "", "é\n$(x)"],
        ["executive", "--", "get"],
        ["credentials"],
    ],
)
def test_other_commands_are_handed_on_word_by_word(launcher: Launcher, words: list[str]) -> None:
    done = launcher.run(*words, environ=ENVIRON)
    said = "".join(f" <{word}>" for word in words or [""])
    assert done.stdout.decode() == f"python program:{said}\n{ISOLATED}"
    assert (done.returncode, done.stderr) == (HANDED_ON, b"")


def test_an_argument_of_any_bytes_is_handed_on(launcher: Launcher) -> None:
    assert b"<\xff\xfe>" in launcher.run("exec", "--", b"\xff\xfe", environ=ENVIRON).stdout


def test_credential_is_handed_on_without_what_changes_python(launcher: Launcher) -> None:
    """PROC-17."""
    done = launcher.run("credential", "--session", "0" * 32, environ={**ENVIRON, "KUBERNETES_EXEC_INFO": "{}"})
    said = f"python program: <credential> <--session> <{'0' * 32}>\n"
    assert done.stdout.decode() == f"{said}{ISOLATED}"


def test_the_program_beside_the_target_of_a_link_is_taken(launcher: Launcher, tmp_path: Path) -> None:
    link = tmp_path / "kubectl-stepup"
    link.symlink_to(launcher.path)
    hostile = tmp_path / "kubectl_stepup-python"
    hostile.write_text("#!/bin/sh\necho hostile\n")
    hostile.chmod(0o755)
    assert Launcher(link, launcher.system_policy).run("version", environ=ENVIRON, cwd=tmp_path).returncode == HANDED_ON


@pytest.mark.parametrize(("word", "code"), [("version", 1), ("credential", 1), ("exec", 125)])
def test_without_its_python_program_it_says_so(launcher: Launcher, tmp_path: Path, word: str, code: int) -> None:
    alone = tmp_path / "kubectl-stepup"
    alone.write_bytes(launcher.path.read_bytes())
    alone.chmod(0o755)
    done = Launcher(alone, launcher.system_policy).run(word, environ=ENVIRON)
    expected = (
        f"error: {tmp_path}/kubectl_stepup-python: No such file or directory\nhint: install kubectl-stepup again\n"
    )
    assert (done.returncode, done.stdout, done.stderr.decode()) == (code, b"", expected)


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_closed_stream_takes_no_file(launcher: Launcher, tmp_path: Path, closed: int) -> None:
    """PROC-19: the place of a closed stream is taken by /dev/null, not by the next file that is opened."""
    program, beside, streams = tmp_path / "kubectl-stepup", tmp_path / "kubectl_stepup-python", tmp_path / "streams"
    program.write_bytes(launcher.path.read_bytes())
    show = "import os, sys; where = [os.readlink(f'/proc/self/fd/{stream}') for stream in range(3)]; "
    show += "open(sys.argv[1], 'w').write('\\n'.join(where))"
    beside.write_text(f"#!{sys.executable} -IS\n{show}\n")
    for file in (program, beside):
        file.chmod(0o755)
    command = ["sh", "-c", f'exec "$0" "$1" {closed}<&-', str(program), str(streams)]
    subprocess.run(command, env=ENVIRON, capture_output=True, stdin=subprocess.PIPE, check=True)
    where = streams.read_text().splitlines()
    assert [stream for stream, path in enumerate(where) if path == "/dev/null"] == [closed]
    assert len(where) == 3


def test_the_compiler_has_nothing_to_say(launcher: Launcher) -> None:
    assert launcher.path.exists()
    assert COMPILER is not None
    warnings = ("all", "extra", "pedantic", "shadow", "conversion", "strict-prototypes", "format=2", "vla", "undef")
    words = [COMPILER, "-std=c11", "-D_GNU_SOURCE", '-DVERSION="1"', "-Werror", "-fsyntax-only"]
    words += [*(f"-W{name}" for name in warnings), *map(str, SOURCES.glob("*.c"))]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_empty_list_of_arguments_is_no_crash(launcher: Launcher) -> None:
    # The kernel puts an empty name into an empty list since 5.18, as a list with a name alone; older ones do not.
    done = subprocess.run([""], executable=launcher.path, env=ENVIRON, capture_output=True, check=False)
    assert done.returncode == HANDED_ON
