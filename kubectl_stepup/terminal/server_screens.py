"""What is said when a policy is compiled for a server, and when the server is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.terminal.sanitise import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def warning_lines(warnings: Iterable[str]) -> Iterator[str]:
    """Say what the server will not do."""
    for warning in warnings:
        yield f"warning: {safe(warning, 400)}"


def order_lines(steps: Iterable[str]) -> Iterator[str]:
    """Say in which order to go."""
    for step in steps:
        yield safe(step, 400)
