"""What a test sees of the machine: the same however, wherever and by whom the tests were started.

An environment of these variables alone, no signal ignored or blocked, the usual umask, no terminal; and when a test's
time is up, an end to all that it started.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEPT = ("CC", "KRB5CCNAME", "PATH", "STEPUP_TEST_KUBECTLS", "TMPDIR")
KEPT_PREFIXES = ("COV_", "COVERAGE_", "HYPOTHESIS_", "MUTANT_", "PYTEST_")
"""Variables that reach a test: where programs are, and what pytest and the tools beside it tell each other."""

GIVEN: Mapping[str, str] = {"LANG": "C.UTF-8", "TERM": "dumb", "TZ": "UTC"}

_PYTHONS_OWN = (signal.SIGPIPE, signal.SIGXFSZ)
"""Ignored by Python itself, which undoes it for the programs that it starts."""


def foreign(names: Iterable[str]) -> list[str]:
    """Return those variables that would make a test depend on who started it."""
    return [name for name in names if name not in KEPT and not name.startswith(KEPT_PREFIXES)]


def forget_the_width() -> None:
    """Take away what the readline library, which pytest loads, adds for every program without `os.environ`."""
    for name in ("COLUMNS", "LINES"):
        os.unsetenv(name)


def hear_every_signal() -> None:
    """Let every program that is started from here have its signals, whatever `nohup`, a shell or make ignored.

    A handler that does nothing stands in for an ignored signal: this process goes on ignoring it, so `nohup` still
    holds, but a handler, unlike SIG_IGN, is not inherited by a program.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals() - set(_PYTHONS_OWN):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else _nothing)


def _nothing(_number: int, _frame: object) -> None:
    return


def leave_the_terminal() -> None:
    """Leave the controlling terminal: what is started here finds none, be it at a desk or in a pipeline.

    The terminal's signals (Ctrl-C) go to the process group and still arrive. The leader of a session would take the
    terminal from everybody, so it keeps it.
    """
    if os.getsid(0) == os.getpid():
        return
    with contextlib.suppress(OSError):
        descriptor = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
        with contextlib.closing(os.fdopen(descriptor, "rb", buffering=0)):
            fcntl.ioctl(descriptor, termios.TIOCNOTTY)


def end_what_was_started(since: float, marks: Iterable[bytes]) -> list[int]:
    """Kill what descends from this process, or carries one of `marks` in its environment, and started after `since`.

    `since` is of `boot_time()`. Looks until nothing is left, as what is found may be starting more; Linux only.
    """
    ended: list[int] = []
    marks = tuple(marks)
    while found := [pid for pid in _started(since, marks) if pid not in ended]:
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        ended += found
    return ended


def boot_time() -> float:
    """Return the seconds since the machine was started, the clock in which Linux says when a process was."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else 0.0


def _started(since: float, marks: tuple[bytes, ...]) -> list[int]:
    parents, ticks = dict[int, int](), dict[int, float]()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            parents[int(entry.name)] = int(fields[1])
            ticks[int(entry.name)] = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    # Ticks are hundredths of a second: one that started in the same hundredth is ours as well.
    later = [pid for pid in parents if ticks[pid] >= since - 0.01 and pid != os.getpid()]
    return [pid for pid in later if _descends(pid, parents) or _is_marked(pid, marks)]


def _descends(pid: int, parents: Mapping[int, int]) -> bool:
    while pid in parents:
        pid = parents[pid]
        if pid == os.getpid():
            return True
    return False


def _is_marked(pid: int, marks: tuple[bytes, ...]) -> bool:
    with contextlib.suppress(OSError):
        environ = Path(f"/proc/{pid}/environ").read_bytes()
        return any(mark in environ for mark in marks)
    return False
