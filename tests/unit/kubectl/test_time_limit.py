"""A child whose time is up: warned, hung up, and ended for good where it does not listen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from kubectl_stepup.kubectl import time_limit
from kubectl_stepup.kubectl.process import run
from kubectl_stepup.kubectl.time_limit import TimeLimit
from tests.support.clock import StillClock


@pytest.fixture(autouse=True)
def wakeful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limit, "_LOOK_S", 0.005)


def limited(
    clock: StillClock, tell: Callable[[float], None], longest_s: float = 3600, warning_s: float = 60
) -> TimeLimit:
    return TimeLimit(longest_s, warning_s=warning_s, tell=tell, clock=clock)


LISTENS = """
import os, signal, sys
names = sys.argv[1].split(",")
def hear(number, _):
    os.write(1, signal.Signals(number).name.encode() + b"\\n")  # print cannot be called again inside of itself
    if signal.Signals(number).name == sys.argv[2]:
        os._exit(7)
for name in names:
    signal.signal(getattr(signal, name), hear)
os.write(1, b"ready\\n")
while True:
    signal.pause()
"""


def listening(signals: str, ends_at: str = "") -> subprocess.Popen[bytes]:
    child = subprocess.Popen([sys.executable, "-c", LISTENS, signals, ends_at], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    return child


def heard(child: subprocess.Popen[bytes]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().decode().strip()


def test_the_person_is_warned_and_then_the_child_is_hung_up() -> None:
    clock, told, warned = StillClock(), list[float](), threading.Event()

    def tell(left_s: float) -> None:
        told.append(left_s)
        warned.set()

    child = listening("SIGHUP", "SIGHUP")
    with child, limited(clock, tell).over(child):
        clock.sleep(3539)
        assert not warned.wait(0.05)
        clock.sleep(1)
        assert warned.wait(30)
        assert (told, child.poll()) == ([60], None)
        clock.sleep(60)
        assert heard(child) == "SIGHUP"
        assert child.wait(30) == 7
    assert told == [60, 0]


def test_what_does_not_hang_up_gets_a_term_and_is_killed_at_last() -> None:
    clock = StillClock()
    child = listening("SIGHUP,SIGTERM")
    with child, limited(clock, lambda left_s: None).over(child):
        clock.sleep(3600)
        assert heard(child) == "SIGHUP"
        clock.sleep(5)
        assert heard(child) == "SIGTERM"
        clock.sleep(5)
        assert child.wait(30) == -signal.SIGKILL


def test_a_stopped_child_is_made_to_hear() -> None:
    clock = StillClock()
    child = listening("SIGHUP", "SIGHUP")
    with child, limited(clock, lambda left_s: None).over(child):
        child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED)
        clock.sleep(3600)
        assert heard(child) == "SIGHUP"
        assert child.wait(30) == 7


def test_a_terminal_that_takes_no_line_keeps_nobody_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal was stopped by Ctrl-S."""
    monkeypatch.setattr(time_limit, "_SAY_S", 0.01)
    clock, goes_on = StillClock(), threading.Event()

    def tell(left_s: float) -> None:
        goes_on.wait(60)

    child = listening("SIGHUP", "SIGHUP")
    with child, limited(clock, tell).over(child):
        clock.sleep(3600)
        assert child.wait(30) == 7
    goes_on.set()


def test_a_child_that_ends_in_time_hears_nothing() -> None:
    told: list[float] = []
    assert run("/bin/sh", ["-c", "exit 5"], os.environ, limit=limited(StillClock(), told.append)) == 5
    assert told == []


def test_a_hang_up_is_the_exit_code_of_a_child_that_hung_up() -> None:
    limit = TimeLimit(0.05, warning_s=0.01, tell=lambda left_s: None, clock=BusyClock())
    assert run("/bin/sh", ["-c", "exec sleep 60"], os.environ, limit=limit) == 128 + signal.SIGHUP


class BusyClock(StillClock):
    """A clock that goes on a little whenever it is read."""

    def monotonic(self) -> float:
        self.sleep(0.01)
        return super().monotonic()
