"""What every test stands on: a home of its own, the same machine everywhere, and a time limit."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
import pytest_timeout  # type: ignore[import-untyped]
from hypothesis import HealthCheck, settings

from tests.support import machine

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path
    from types import FrameType

AGAIN_S = 30.0
"""When a test whose time was up has not ended by then, it is interrupted once more, and so on."""


@pytest.fixture(scope="session", autouse=True)
def plain_process() -> Iterator[None]:
    """Make the process that runs the tests, and with it all that they start, what it is everywhere."""
    machine.forget_the_width()
    machine.hear_every_signal()
    machine.leave_the_terminal()
    os.umask(0o022)
    with pytest.MonkeyPatch.context() as patch:
        for name in machine.foreign(list(os.environ)):
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the paths of homes for tests without a directory of their own: `tmp_path` costs more than most of them."""
    directory = tmp_path_factory.mktemp("homes")
    return (directory / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def clean_environment(request: pytest.FixtureRequest, homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a home of the test's own and nothing of the machine's settings."""
    for name in machine.foreign(list(os.environ)):  # what another test left
        monkeypatch.delenv(name)
    for name, value in machine.GIVEN.items():
        monkeypatch.setenv(name, value)
    time.tzset()
    has_directory = "tmp_path" in request.fixturenames
    home = request.getfixturevalue("tmp_path") / "home" if has_directory else next(homes)
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(home))


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what lives as long as the tests do."""
    gc.collect()
    gc.freeze()


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


EXAMPLES = {"short": 0.25, "long": 10.0}
"""What part of the examples that a test names each profile of Hypothesis tries; the long one is for `make fuzz`."""

AT_LEAST = 25
"""So many examples are tried in any case, where a test names as many."""

# A slow machine is no defect: speeds are measured by benchmarks, in ratios.
for profile in EXAMPLES:
    settings.register_profile(profile, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("short")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the tests of properties try as many examples as the profile says."""
    part = EXAMPLES.get(settings.get_current_profile_name(), 1.0)
    tests = {getattr(item.obj, "__func__", item.obj) for item in items if isinstance(item, pytest.Function)}
    for test in tests:
        asked = getattr(test, "_hypothesis_internal_use_settings", None)
        if asked is not None:
            number = max(int(asked.max_examples * part), min(asked.max_examples, AT_LEAST))
            test._hypothesis_internal_use_settings = settings(asked, max_examples=number)
