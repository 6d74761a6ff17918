"""A wrapped child on a terminal and under signals, seen from outside: the wrapper is a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pexpect
import pytest

WRAPPER = """
import os, sys
from kubectl_stepup.kubectl.process import run
code = run(sys.argv[1], sys.argv[2:], os.environ)
print(f"wrapper saw {code}", flush=True)
sys.exit(code)
"""
BECOMER = """
import os, sys
from kubectl_stepup.kubectl.process import replace
print("before", end=" ")
replace(sys.argv[1], sys.argv[2:], os.environ)
"""
WAIT_S = 30
"""For a started process to do what it was asked to, on a busy machine."""

CHILD_THAT_COUNTS = """
import signal, sys
wanted = {getattr(signal, name) for name in sys.argv[1].split(",")}
# Blocked before anybody is told to send one: none arrives in the middle of something else, and none is lost.
signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
print("ready", flush=True)
print("child got", signal.Signals(signal.sigwait(wanted)).name, flush=True)
sys.exit(33)
"""


def wrapped(code: str, *args: str) -> list[str]:
    return [sys.executable, "-c", WRAPPER, sys.executable, "-c", textwrap.dedent(code), *args]


def spawn(argv: list[str]) -> pexpect.spawn:
    return pexpect.spawn(argv[0], argv[1:], timeout=WAIT_S, encoding="utf-8", echo=False)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGQUIT"])
def test_a_signal_to_the_wrapper_is_handed_on_once(name: str) -> None:
    """PROC-03."""
    command = wrapped(CHILD_THAT_COUNTS, name)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as wrapper:
        assert wrapper.stdout is not None
        assert wrapper.stdout.readline() == "ready\n"
        wrapper.send_signal(getattr(signal, name))
        assert wrapper.stdout.read() == f"child got {name}\nwrapper saw 33\n"
    assert wrapper.returncode == 33


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGQUIT", 131)])
def test_a_child_that_a_handed_on_signal_ends_gives_its_number(name: str, code: int) -> None:
    """PROC-03."""
    command = wrapped("import time; print('ready', flush=True); time.sleep(60)")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as wrapper:
        assert wrapper.stdout is not None
        assert wrapper.stdout.readline() == "ready\n"
        wrapper.send_signal(getattr(signal, name))
        assert wrapper.stdout.read() == f"wrapper saw {code}\n"
    assert wrapper.returncode == code


@pytest.mark.parametrize("name", ["SIGINT", "SIGQUIT"])
def test_the_terminals_signals_are_the_childs_to_decide(name: str) -> None:
    """PROC-02: as at a terminal, the whole process group gets the signal."""
    with subprocess.Popen(
        wrapped(CHILD_THAT_COUNTS, name),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as wrapper:
        assert wrapper.stdout is not None
        assert wrapper.stdout.readline() == "ready\n"
        os.killpg(wrapper.pid, getattr(signal, name))
        assert wrapper.stdout.read() == f"child got {name}\nwrapper saw 33\n"
    assert wrapper.returncode == 33


def test_a_signal_that_was_ignored_at_the_start_stays_ignored() -> None:
    code = "import signal; print(signal.getsignal(signal.SIGHUP), signal.getsignal(signal.SIGTERM))"
    done = subprocess.run(
        ["nohup", *wrapped(code)], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )
    assert done.stdout == f"{signal.SIG_IGN} {signal.SIG_DFL}\nwrapper saw 0\n"


def test_the_wrapper_leaves_no_zombie_and_no_orphan() -> None:
    """PROC-10."""
    code = "import os; print(os.getpid(), flush=True)"
    done = subprocess.run(wrapped(code), capture_output=True, text=True, check=True)
    pid = int(done.stdout.split()[0])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_ctrl_c_reaches_the_child_on_a_terminal() -> None:
    """PROC-02."""
    terminal = spawn(wrapped(CHILD_THAT_COUNTS, "SIGINT"))
    terminal.expect_exact("ready")
    terminal.sendintr()
    terminal.expect_exact("child got SIGINT")
    terminal.expect_exact("wrapper saw 33")
    terminal.expect(pexpect.EOF)
    assert terminal.wait() == 33


def test_the_terminal_is_the_childs() -> None:
    """PROC-05."""
    code = """
        import os, sys
        print(os.isatty(0), os.isatty(1), os.getpgrp() == os.tcgetpgrp(0), os.get_terminal_size(0), flush=True)
        print("read", sys.stdin.readline().strip(), flush=True)
        print(os.get_terminal_size(0), flush=True)
    """
    terminal = spawn(wrapped(code))
    terminal.setwinsize(30, 100)
    terminal.expect_exact("True True True")
    terminal.setwinsize(40, 120)
    terminal.sendline("a line")
    terminal.expect_exact("read a line")
    terminal.expect_exact("columns=120, lines=40")
    terminal.expect_exact("wrapper saw 0")


def test_ctrl_z_stops_both_and_fg_goes_on(tmp_path: Path) -> None:
    """PROC-05."""
    script = tmp_path / "wrapper.py"
    child = "print('rea' + 'dy', flush=True); print('child read', input(), flush=True); raise SystemExit(7)"
    script.write_text(WRAPPER.replace("sys.argv[1], sys.argv[2:]", f"sys.executable, ['-c', {child!r}]"))
    shell = pexpect.spawn("/bin/bash", ["--norc", "--noprofile", "-i"], timeout=WAIT_S, encoding="utf-8", echo=False)
    shell.sendline(f"{sys.executable} {script}")
    shell.expect_exact("ready")
    shell.sendcontrol("z")
    shell.expect_exact("Stopped")
    shell.sendline("fg")
    shell.expect_exact("wrapper.py")
    shell.sendline("go on")
    shell.expect_exact("child read go on")
    shell.expect_exact("wrapper saw 7")
    shell.sendline("exit 0")
    shell.expect(pexpect.EOF)


def test_becoming_kubectl_flushes_first_and_gives_its_exit_code() -> None:
    argv = [sys.executable, "-c", BECOMER, "/bin/sh", "-c", "echo after; exit 9"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("before after\n", 9)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_becoming_kubectl_leaves_no_signal_ignored() -> None:
    """PROC-04."""
    argv = [sys.executable, "-c", BECOMER, "/bin/sh", "-c", "grep SigIgn /proc/self/status"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    # glibc keeps 32 and 33 for itself; GNU make hands them on ignored.
    ignored = [number for number in range(1, 32) if int(done.stdout.split()[-1], 16) >> (number - 1) & 1]
    assert ignored == []


def test_becoming_what_is_not_there_is_an_error() -> None:
    argv = [sys.executable, "-c", BECOMER, "/does/not/exist"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert "KubectlNotFound: /does/not/exist could not be started: no such file or directory" in done.stderr


def test_a_pipe_that_closes_early_is_quiet() -> None:
    """PROC-04."""
    script = textwrap.dedent(WRAPPER).replace('print(f"wrapper saw {code}", flush=True)', "")
    command = [sys.executable, "-c", script, "/usr/bin/yes"]
    producer = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert producer.stdout is not None
    assert producer.stderr is not None
    assert producer.stdout.readline() == b"y\n"
    producer.stdout.close()
    assert producer.stderr.read() == b""
    producer.stderr.close()
    assert producer.wait(WAIT_S) == 128 + signal.SIGPIPE
