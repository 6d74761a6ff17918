"""The one door out: exit codes, and no traceback whatever becomes of the streams."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_stepup.cli import output, root
from kubectl_stepup.errors import (
    Cancelled,
    CommandRefused,
    InteractionRequired,
    KubectlNotExecutable,
    KubectlNotFound,
    StepUpError,
)

from .conftest import Cli


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let every command fail with `error`."""

    def main(**kwargs: object) -> object:
        raise error

    monkeypatch.setattr(root.root, "main", main)


@pytest.mark.parametrize(
    ("error", "of_exec", "of_others"),
    [
        (CommandRefused("no"), 125, 1),
        (InteractionRequired("nobody"), 125, 4),
        (KubectlNotExecutable("no"), 126, 126),
        (KubectlNotFound("no"), 127, 127),
        (Cancelled("no"), 130, 130),
        (KeyboardInterrupt(), 130, 130),
    ],
)
def test_errors_become_exit_codes(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, error: BaseException, of_exec: int, of_others: int
) -> None:
    failing(monkeypatch, error)
    assert cli("exec", "--", "get").code == of_exec
    assert cli("login").code == of_others


def test_ctrl_c_says_that_nothing_was_run(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, KeyboardInterrupt())
    assert cli("exec", "--", "get").err == "error: cancelled, nothing was run\n"
    assert cli("login", "-o", "json").error["code"] == "cancelled"


def test_messages_are_shown_safely_and_kept_whole_in_json(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, CommandRefused("a\x1b[2J\u202eb", hint="c\x07"))
    assert cli("login").err == "error: a\\u{1b}[2J\\u{202e}b\nhint: c\\u{7}\n"
    found = cli("login", "-o", "json")
    assert "\x1b" not in found.err
    assert found.error["message"] == "a\x1b[2J\u202eb"


def test_a_number_is_the_exit_code_and_everything_else_is_success(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for result, code in ((3, 3), (None, 0), ("text", 0)):
        monkeypatch.setattr(root.root, "main", lambda result=result, **kwargs: result)
        assert cli("status").code == code


class Narrow(io.TextIOWrapper):
    """A stream of another encoding that is no file."""

    def fileno(self) -> int:
        raise io.UnsupportedOperation


def test_what_an_encoding_cannot_hold_is_escaped() -> None:
    stream = Narrow(io.BytesIO(), encoding="ascii")
    output.write(stream, "é\u2028\n")
    stream.flush()
    assert stream.buffer.getvalue() == b"\\xe9\\u2028\n"  # type: ignore[attr-defined]


def test_a_stream_that_is_missing_or_closed_is_no_error(tmp_path: Path) -> None:
    output.write(None, "x")
    with (tmp_path / "closed").open("w") as stream:
        pass
    output.write(stream, "x")


def test_everything_is_written_although_the_reader_is_slow(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+") as stream:
        stream.write("first\n")  # in the buffer
        output.write(stream, "é" * 100_000)
    assert (tmp_path / "out").read_text() == "first\n" + "é" * 100_000


def test_an_error_with_nobody_to_tell_is_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stderr", full)
        output.report(StepUpError("x"), as_json=False)


def program(*argv: str, home: Path, stdout: int) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "kubectl_stepup", *argv],
        env={"HOME": str(home), "PATH": os.defpath},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
    )


def read_by_nobody(home: Path) -> subprocess.CompletedProcess[bytes]:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return program("policy", "check", "--", "get", "pods", home=home, stdout=writing)
    finally:
        os.close(writing)


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    done = read_by_nobody(tmp_path)
    assert done.stderr == b""
    assert done.returncode != 0


def test_a_reader_that_goes_away_gives_the_code_of_sigpipe(tmp_path: Path) -> None:
    assert read_by_nobody(tmp_path).returncode == 141


@pytest.mark.parametrize("argv", [("version",), ("policy", "check", "--", "get", "pods")], ids=" ".join)
def test_a_full_disk_is_no_traceback(tmp_path: Path, argv: tuple[str, ...]) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        done = program(*argv, home=tmp_path, stdout=full)
    finally:
        os.close(full)
    assert b"Traceback" not in done.stderr
    assert done.returncode == 1
