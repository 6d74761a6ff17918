"""Twenty commands at once: one request, one prompt, one answer for all of them."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.lab import Lab, opened_lab
from tests.lab.lab import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANY = 20


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path) as opened:
        opened.answer.approve_after_polls = None
        yield opened


def all_at_once(lab: Lab, decide: str) -> tuple[list[int], str, float]:
    """Start many in one terminal; decide when all of them wait; give codes, the screen, and seconds after that."""
    script = lab.directory / "many.sh"
    one = " ".join(PROGRAM)
    script.write_text(
        f"for i in $(seq {MANY}); do ({one} exec -- delete pod many-$i --ignore-not-found; echo code=$?) & done; wait\n"
    )
    decided: list[float] = []

    def watch(screen: str) -> None:
        waiting = screen.count("Waiting for the step-up in process")
        if not decided and waiting == MANY - 1 and "Waiting for approval" in screen:
            decided.append(time.monotonic())
            getattr(lab.provider, decide)()

    ran = lab.terminal.run(["sh", str(script)], watch, timeout_s=90)
    assert decided, ran.screen
    codes = [int(line.partition("code=")[2]) for line in ran.screen.splitlines() if line.startswith("code=")]
    return codes, ran.screen, time.monotonic() - decided[0]


def test_approved_one_request_one_prompt_and_twenty_successes(lab: Lab) -> None:
    codes, screen, _ = all_at_once(lab, "approve")

    assert codes == [0] * MANY, screen
    assert lab.provider.count("device") == 1
    assert screen.count("Compare code") == 1
    assert screen.count("Approved:") == 1


def test_denied_one_prompt_and_twenty_failures(lab: Lab) -> None:
    codes, screen, _ = all_at_once(lab, "deny")

    assert codes == [125] * MANY, screen
    assert lab.provider.count("device") == 1
    assert screen.count("Compare code") == 1
    assert screen.count("error: step-up denied") == MANY


def test_a_leader_that_is_killed_leaves_the_lock_to_the_next(lab: Lab) -> None:
    terminal = lab.terminal
    killed: list[int] = []

    def watch(screen: str) -> None:
        if not killed and "Waiting for approval" in screen:
            (lock,) = (lab.directory / "run/kubectl-stepup").glob("*.lock")
            killed.append(int(lock.read_text().partition("pid=")[2].split()[0]))
            os.kill(killed[0], signal.SIGKILL)

    terminal.run([*PROGRAM, "exec", "--", "delete", "pod", "doomed"], watch)
    assert killed
    lab.answer.approve_after_polls = 0

    assert lab.stepup("exec", "--", "delete", "pod", "web-0").code == 0
    assert lab.provider.count("device") == 2
