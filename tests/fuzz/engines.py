"""What chooses the inputs: atheris, by what they reach in the product, and chance, which is several times as fast."""

from __future__ import annotations

from importlib.util import find_spec

ATHERIS = "atheris"
CHANCE = "chance"


def engines() -> tuple[str, ...]:
    """Return the engines of this machine, in the order in which they share a target's time."""
    return (ATHERIS, CHANCE) if find_spec("atheris") else (CHANCE,)
