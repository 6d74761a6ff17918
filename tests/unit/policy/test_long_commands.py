"""A command line may be as long as the system lets it be: it is read and judged all the same, and soon."""

from __future__ import annotations

import time

import pytest

from kubectl_stepup.policy.command import read
from kubectl_stepup.policy.decide import decide
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Target

NAMES = [f"{number:0200}" for number in range(5000)]
"""A megabyte of them."""

LONG = {
    "names": ["delete", "pod", *NAMES],
    "types with names": ["get", *(f"pods/{name}" for name in NAMES)],
    "pairs": ["label", "pod", "x", *(f"{name}=x" for name in NAMES)],
    "flags": ["get", "pods", *(f"--as-group={name}" for name in NAMES)],
    "types": ["get", ",".join(["pods"] * 200_000)],
    "one name": ["delete", "pod", "x" * 1_000_000],
    "one word of letters": ["get", "pods", "-" + "A" * 131_000],  # the longest word that Linux hands on
}


@pytest.mark.parametrize("argv", LONG.values(), ids=LONG)
def test_a_long_command_is_read_and_judged_in_a_second(argv: list[str]) -> None:
    """POL-31."""
    policy = load(None, None)
    started = time.process_time()
    decision = decide(policy, read(argv), Target())
    assert time.process_time() - started < 1
    assert decision.effect in {"allow", "stepup", "refuse"}
