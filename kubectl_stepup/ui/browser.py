"""Whether to open a browser for the person, and with which program.

A console browser would take over the terminal with the prompt, so only graphical ones count: without a known display
nothing is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

_DISPLAYS = (environment.WAYLAND_DISPLAY, environment.DISPLAY)


def browser_note(environ: Mapping[str, str], platform: str) -> str | None:
    """Return why no browser is opened here, or None to open one. `platform` is `sys.platform`."""
    if in_ci(environ):
        return f"CI={environ[environment.CI]}"
    if environ.get(environment.SSH_CONNECTION) or environ.get(environment.SSH_TTY):
        return "SSH session"
    if platform == "darwin" or _is_wsl(environ):
        return None
    if not any(environ.get(name) for name in _DISPLAYS):
        return "no graphical display"
    return None


def browser_program(environ: Mapping[str, str], platform: str) -> str:
    """Return the program that opens an address in the person's own browser."""
    if platform == "darwin":
        return "open"
    return "wslview" if _is_wsl(environ) else "xdg-open"


def in_ci(environ: Mapping[str, str]) -> bool:
    """Whether `CI` says that no person is present."""
    return environ.get(environment.CI, "").strip().lower() not in ("", "0", "false")


def _is_wsl(environ: Mapping[str, str]) -> bool:
    return bool(environ.get(environment.WSL_DISTRO_NAME))
