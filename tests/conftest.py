"""What every test stands on: a home of its own, the same machine everywhere, and a time limit."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
import pytest_timeout  # type: ignore[import-untyped]
from hypothesis import HealthCheck, settings

from tests.support import machine

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from types import FrameType

AGAIN_S = 30.0
"""When a test whose time was up has not ended by then, it is interrupted once more, and so on."""


@pytest.fixture(scope="session", autouse=True)
def plain_process() -> None:
    """Make the process that runs the tests, and with it all that they start, what it is everywhere."""
    machine.forget_the_width()
    machine.hear_every_signal()
    machine.leave_the_terminal()
    os.umask(0o022)


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a home of the test's own and nothing of the machine's settings."""
    for name in machine.foreign(list(os.environ)):
        monkeypatch.delenv(name)
    for name, value in machine.GIVEN.items():
        monkeypatch.setenv(name, value)
    time.tzset()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir(exist_ok=True)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: pytest_timeout.Settings) -> Generator[None, bool, bool]:
    """End what a test started when its time is up: a test that waits for a child would wait for ever."""
    done = yield
    fail, since = signal.getsignal(signal.SIGALRM), machine.boot_time()
    if not callable(fail):  # the time limit is not by signal
        return done

    def time_is_up(number: int, frame: FrameType | None) -> None:
        if settings.disable_debugger_detection or not pytest_timeout.is_debugging():
            directory = getattr(item, "funcargs", {}).get("tmp_path")
            machine.end_what_was_started(since, () if directory is None else (os.fsencode(directory) + b"/",))
        fail(number, frame)

    signal.signal(signal.SIGALRM, time_is_up)
    signal.setitimer(signal.ITIMER_REAL, settings.timeout, AGAIN_S)
    return done


# A slow machine is no defect: speeds are measured by benchmarks, in ratios.
settings.register_profile("kubectl-stepup", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kubectl-stepup")
