from __future__ import annotations

import pytest

from kubectl_stepup.ui.browser import browser_note, browser_program


@pytest.mark.parametrize(
    ("environ", "platform", "note"),
    [
        ({"DISPLAY": ":0"}, "linux", None),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", None),
        ({}, "linux", "no graphical display"),
        ({"DISPLAY": ""}, "linux", "no graphical display"),
        ({"DISPLAY": ":10", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, "linux", "SSH session"),
        ({"SSH_TTY": "/dev/pts/3"}, "darwin", "SSH session"),
        ({"DISPLAY": ":0", "CI": "true"}, "linux", "CI=true"),
        ({"DISPLAY": ":0", "CI": "false"}, "linux", None),
        ({"DISPLAY": ":0", "CI": "0"}, "linux", None),
        ({}, "darwin", None),
        ({"WSL_DISTRO_NAME": "Ubuntu"}, "linux", None),
        ({"BROWSER": "w3m"}, "linux", "no graphical display"),
    ],
    ids=str,
)
def test_a_browser_is_opened_only_on_a_display(environ: dict[str, str], platform: str, note: str | None) -> None:
    assert browser_note(environ, platform) == note


@pytest.mark.parametrize(
    ("environ", "platform", "program"),
    [({}, "linux", "xdg-open"), ({}, "darwin", "open"), ({"WSL_DISTRO_NAME": "Ubuntu"}, "linux", "wslview")],
)
def test_the_program_that_opens_it(environ: dict[str, str], platform: str, program: str) -> None:
    assert browser_program(environ, platform) == program
