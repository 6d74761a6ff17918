"""What the system tests stand on: labs that are started once, and a name for every part that was not there."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.system.guarded.cluster import Guarded, opened_guarded
from tests.system.lab.lab import PROVIDERS, Desk, Lab, enrolled_desk, opened_lab
from tests.system.parts import kubectls
from tests.system.parts.cache import MACHINE, REQUIRED, Missing
from tests.system.parts.processes import stop_orphans

LONGEST_S = 3600
"""For one test with its share of starting a lab, and of building a part that nobody obtained before."""

SHARED = ("lab", "guarded_by")
"""Fixtures of the session: what they start is started once, as all their tests run in one process."""

_left_out: dict[tuple[str, str], set[str]] = {}


def pytest_configure(config: pytest.Config) -> None:
    """Know the marker of pytest-xdist also where that is not there."""
    config.addinivalue_line("markers", "xdist_group(name): tests of one group run in one process")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Return the tests of real parts the time that these take, and keep those that share parts in one process."""
    for item in items:
        if item.get_closest_marker("system") is not None:
            item.add_marker(pytest.mark.timeout(LONGEST_S))
            names = getattr(item, "fixturenames", ())
            shared = next((name for name in SHARED if name in names), item.path.name)
            item.add_marker(pytest.mark.xdist_group(shared))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Leave out what needs a part that is missing."""
    return (yield from _named(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Leave out what finds in the middle that a part is missing."""
    return (yield from _named(item))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what one of several processes left out to the one that sums up."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = [(*part, sorted(tests)) for part, tests in _left_out.items()]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a process left out."""
    for part, how, tests in getattr(node, "workeroutput", {}).get("left_out", ()):
        _left_out.setdefault((part, how), set()).update(tests)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the missing parts once each, with the number of tests that were left out for it."""
    for (part, how), tests in sorted(_left_out.items()):
        terminalreporter.write_line(f"missing part: {part} (tests: {len(tests)}). To get it: {how}")


def _named(item: pytest.Item) -> Generator[None, None, None]:
    try:
        yield
    except Missing as missing:
        _left_out.setdefault((missing.part, missing.how), set()).add(item.nodeid)
        if MACHINE.get(REQUIRED, "0") not in {"", "0"}:
            pytest.fail(f"{missing} ({REQUIRED} is set)", pytrace=False)
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def no_orphans() -> None:
    """End what an earlier run that was killed left behind."""
    stop_orphans(lab=False)


@pytest.fixture(scope="session", params=list(PROVIDERS))
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, no_orphans: None) -> Iterator[Lab]:
    """Return a lab, once with each provider."""
    with opened_lab(tmp_path_factory.mktemp("lab"), request.param) as opened:
        yield opened


@pytest.fixture
def desk(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Return a desk of alice with the newest kubectl."""
    with enrolled_desk(tmp_path_factory.mktemp("desk"), lab, kubectls.kubectl(kubectls.NEWEST)) as opened:
        yield opened


@pytest.fixture(scope="session")
def guarded_by(tmp_path_factory: pytest.TempPathFactory, no_orphans: None) -> Iterator[Callable[[str], Guarded]]:
    """Return a cluster whose server enforces a policy; the tests of one policy share it."""
    opened: dict[str, Guarded] = {}
    with ExitStack() as stack:

        def give(policy: str) -> Guarded:
            if policy not in opened:
                opened[policy] = stack.enter_context(opened_guarded(tmp_path_factory.mktemp("guarded"), policy))
            return opened[policy]

        yield give
