"""Twenty commands at once: one request, one prompt, one answer for all of them."""

from __future__ import annotations

import os
import shlex
import signal
import time
from typing import TYPE_CHECKING

import pytest

from kubectl_stepup.sessions.stored_session import MIN_REMAINING_S
from tests.support.lab import Lab, opened_lab
from tests.support.warm_start import AT_ONCE, CAN_FORK, CODE, PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from kubectl_stepup.demo.terminal import Ran

MANY = 20
WAITING = "Waiting for the step-up in process"
ASKING = "Waiting for approval"
IMPATIENT = [
    *CODE,
    "import sys; from kubectl_stepup.stepup import single_flight as s; s.LOCK_WAIT_S = 3.0; "
    "from kubectl_stepup.__main__ import main; sys.exit(main())",
]
"""The program, that waits three seconds for another one."""

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="starts twenty commands by fork")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path) as opened:
        opened.answer.approve_after_polls = None
        yield opened


def all_at_once(
    lab: Lab,
    act: Callable[[], object],
    program: Sequence[str] = PROGRAM,
    *,
    then: Callable[[str], object] = lambda screen: None,
) -> tuple[list[int], Ran]:
    """Start many in one terminal; act when one of them asks and all others wait; return their codes and the screen.

    `then` gets the screen whenever it grows afterwards.
    """
    one = [*program, "exec", "--", "delete", "pod", "many-$number", "--ignore-not-found"]
    acted: list[str] = []

    def watch(screen: str) -> None:
        if not acted and screen.count(WAITING) == MANY - 1 and ASKING in screen:
            acted.append(screen)
            act()
        elif acted:
            then(screen)

    ran = lab.terminal.run([AT_ONCE, str(MANY), *one], watch, timeout_s=90)
    assert acted, ran.screen
    return [int(line.partition("code=")[2]) for line in ran.screen.splitlines() if line.startswith("code=")], ran


def leader(lab: Lab) -> int:
    """Return the process that asks: it holds the session's lock and the terminal's."""
    first, second = (lock.read_text() for lock in (lab.directory / "run/kubectl-stepup").glob("*.lock"))
    assert first.splitlines()[0] == second.splitlines()[0]
    return int(first.partition("pid=")[2].split()[0])


def test_approved_one_request_one_prompt_and_twenty_successes(lab: Lab) -> None:
    """CONC-01; how soon the others go on is what `python -m benchmarks.followers` measures."""
    codes, ran = all_at_once(lab, lab.provider.approve)

    assert codes == [0] * MANY, ran.screen
    assert lab.provider.count("device") == 1
    assert ran.screen.count("Compare code") == 1
    assert ran.screen.count("Approved:") == 1
    assert len(lab.times("run", "RequestReceived")) == MANY


def test_a_session_that_has_expired_is_asked_for_once_too(lab: Lab) -> None:
    """CONC-02."""
    lab.answer.approve_after_polls, lab.answer.lifetime_s = 0, MIN_REMAINING_S + 4.0
    assert lab.stepup("login").code == 0
    assert lab.stepup("status", "--check").code == 0
    end = time.monotonic() + 30
    while lab.stepup("status", "--check").code == 0:
        assert time.monotonic() < end, "the token does not expire"
    lab.answer.approve_after_polls, lab.answer.lifetime_s = None, 300.0

    codes, ran = all_at_once(lab, lab.provider.approve)

    assert codes == [0] * MANY, ran.screen
    assert lab.provider.count("device") == 2
    assert ran.screen.count("Compare code") == 1


def test_denied_one_prompt_and_twenty_failures_and_a_new_command_asks(lab: Lab) -> None:
    """CONC-03."""
    codes, ran = all_at_once(lab, lab.provider.deny)

    assert codes == [125] * MANY, ran.screen
    assert lab.provider.count("device") == 1
    assert ran.screen.count("Compare code") == 1
    assert ran.screen.count("error: step-up denied") == MANY
    refused = lab.times("refusal", "ResponseComplete")
    assert len(refused) == MANY
    assert refused[-1] - refused[0] < 2

    lab.answer.approve_after_polls = 0
    assert lab.stepup("exec", "--", "delete", "pod", "web-0").code == 0
    assert lab.provider.count("device") == 2


def test_a_leader_that_is_killed_leaves_its_place_to_one_of_those_who_wait(lab: Lab) -> None:
    """CONC-04."""

    def kill() -> None:
        lab.answer.approve_after_polls = 0
        os.kill(leader(lab), signal.SIGKILL)

    codes, ran = all_at_once(lab, kill)

    assert sorted(codes) == [0] * (MANY - 1) + [128 + signal.SIGKILL], ran.screen
    assert lab.provider.count("device") == 2
    assert ran.screen.count("Compare code") == 2


def test_a_leader_that_hangs_is_given_up_by_all_at_one_time(lab: Lab) -> None:
    """CONC-05."""
    hung: list[int] = []

    def hang() -> None:
        hung.append(leader(lab))
        os.kill(hung[0], signal.SIGSTOP)

    def watch(screen: str) -> None:
        if hung and screen.count("code=125") == MANY - 1:
            os.kill(hung.pop(), signal.SIGKILL)

    codes, ran = all_at_once(lab, hang, IMPATIENT, then=watch)

    assert sorted(codes) == [125] * (MANY - 1) + [128 + signal.SIGKILL], ran.screen
    assert ran.screen.count("error: another step-up is still under way (process ") == MANY - 1
    assert lab.provider.count("device") == 1
    refused = lab.times("refusal", "ResponseComplete")
    assert refused[-1] - refused[0] < 2


def test_two_levels_in_one_terminal_are_asked_for_one_after_the_other(lab: Lab) -> None:
    """CONC-07."""
    (lab.directory / "two.sh").write_text(
        f"{shlex.join(PROGRAM)} exec -- delete pod web-0 &\n"
        f"{shlex.join(PROGRAM)} exec --level critical -- delete pod web-1 &\nwait\n"
    )
    shown: list[str] = []

    def watch(screen: str) -> None:
        if len(shown) < screen.count(ASKING) and (shown or WAITING in screen):
            shown.append(screen)
            lab.provider.approve()

    ran = lab.terminal.run(["sh", str(lab.directory / "two.sh")], watch)

    assert [screen.count("Compare code") for screen in shown] == [1, 2], ran.screen
    assert ran.screen.count("Step-up needed: delete pods in prod") == 2
    assert [f"level {level})" in ran.screen for level in ("mfa", "critical")] == [True, True], ran.screen
    assert (lab.exists("web-0"), lab.exists("web-1")) == (False, False)


def test_what_is_ended_while_twenty_wait_is_kept_by_none_of_them(lab: Lab) -> None:
    """CONC-10."""

    def end() -> None:
        lab.quietly("logout", "--all")
        lab.provider.approve()

    codes, ran = all_at_once(lab, end)

    assert sorted(codes) == [0] + [125] * (MANY - 1), ran.screen
    assert lab.provider.count("device") == 1
    assert ran.screen.count("error: logout ended the sessions in prod while this one was being approved") == MANY - 1
    assert lab.stepup("status", "--check").code == 4
