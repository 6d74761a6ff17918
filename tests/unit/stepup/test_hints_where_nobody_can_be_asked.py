"""What to type where nobody can be asked: a command that works from where it is read."""

from __future__ import annotations

import pytest

from kubectl_stepup.errors import InteractionRequired
from kubectl_stepup.stepup.elevate import session_for
from kubectl_stepup.stepup.request import StepUpRequest
from kubectl_stepup.ui.notices import ANOTHER_SESSION, BEHIND_TIMEOUT, IN_BACKGROUND
from tests.flows import World, asked, with_options

POD = asked("delete", "pod", "web-0")
ONCE = with_options(POD, once=True)
LOGIN = asked()
RUN = "kubectl stepup exec --context prod -- delete pod web-0"
ELSEWHERE = "kubectl stepup login --context prod --level mfa --scope user"


@pytest.mark.parametrize(
    ("obstacle", "request_", "hint"),
    [
        ("no terminal", POD, ELSEWHERE),
        (IN_BACKGROUND, POD, ELSEWHERE),
        (ANOTHER_SESSION, POD, ELSEWHERE),
        ("no terminal", ONCE, f"in a terminal: {RUN}"),
        (ANOTHER_SESSION, ONCE, f"in a terminal: {RUN}"),
        (IN_BACKGROUND, ONCE, f"in the foreground: {RUN}"),
        (BEHIND_TIMEOUT, POD, f"timeout --foreground 60 {RUN}"),
        (BEHIND_TIMEOUT, ONCE, f"timeout --foreground 60 {RUN}"),
        (BEHIND_TIMEOUT, LOGIN, "timeout --foreground 60 kubectl stepup login --context prod --level mfa"),
        (
            BEHIND_TIMEOUT,
            with_options(ONCE, reason="INC-1 is down"),
            f"timeout --foreground 60 {RUN}".replace(" -- ", " --reason 'INC-1 is down' -- "),
        ),
    ],
)
def test_the_hint_fits_the_obstacle(obstacle: str, request_: StepUpRequest, hint: str) -> None:
    world = World()
    world.terminal.obstacle_ = obstacle
    with pytest.raises(InteractionRequired) as caught:
        session_for(request_, world)
    assert caught.value.hint == hint
    assert caught.value.message == f"step-up needed, but nobody can be asked ({obstacle})"
