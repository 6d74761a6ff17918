"""An hour with a client that starts its plugin every two seconds, and nobody to approve anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kubectl_stepup.errors import LoginNeeded, StepUpExpired
from kubectl_stepup.sessions.denial_cache import DenialCache
from kubectl_stepup.sessions.scope import key
from kubectl_stepup.stepup.credential import credential
from tests.flows import CONFIG, World, cluster, exec_info, session

INFO = exec_info({})
EVERY_S, HOUR_S = 2, 3600


def world_of() -> World:
    return World(config=replace(CONFIG, clusters=(cluster(ca_sha256=None),)))


def poll_for(seconds: float, world: World, directory: Path) -> list[LoginNeeded]:
    """Start `credential` every two seconds, each time as a process of its own; give what it failed with."""
    failures = []
    end = world.clock.monotonic() + seconds
    while world.clock.monotonic() < end:
        world.clock.sleep(EVERY_S)
        denials = DenialCache(lambda: directory, world.clock.monotonic(), world.moment)
        world.denials = denials  # type: ignore[assignment]
        world.environ = {**world.environ, "KUBERNETES_EXEC_INFO": INFO}
        with pytest.raises(LoginNeeded) as caught:
            credential(session().id, world)
        failures.append(caught.value)
    return failures


def test_three_prompts_in_an_hour_and_then_none(tmp_path: Path) -> None:
    """CONC-12, DEV-27."""
    world = world_of()
    failures = poll_for(HOUR_S, world, tmp_path)

    assert len(world.provider.requests) == len(world.terminal.prompts) == 3
    assert {type(failure) for failure in failures} == {StepUpExpired}
    assert len(failures) > 100, "a failure does not come at once"
    assert len(world.audit.events) == 3

    world.clock.sleep(10 * HOUR_S)
    poll_for(60, world, tmp_path)
    assert len(world.provider.requests) == 3
    assert world.store.get(key(session().id, world.scope)) is None


def test_in_the_background_nothing_is_asked_at_all(tmp_path: Path) -> None:
    """CONC-12: no prompt, no browser, no record for each attempt."""
    world = world_of()
    world.terminal.obstacle_ = "a full-screen program has the terminal"
    poll_for(HOUR_S, world, tmp_path)

    assert (world.provider.requests, world.terminal.said, world.terminal.opened, world.audit.events) == ([], [], [], [])
