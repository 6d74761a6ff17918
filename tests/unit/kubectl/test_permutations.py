"""However a command is written, it is the same command: ten thousand spellings that kubectl reads alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_stepup.kubectl.command import KubectlCommand, read
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Target
from tests.grammar.choices import Drawn, Seeded
from tests.grammar.lines import PATHS, Line, line_from
from tests.grammar.spellings import plain, spelling

STRICT = Path(__file__).resolve().parents[2] / "data" / "corpus" / "strict-policy.yaml"
POLICIES = (load(None, None), load(None, ("strict-policy.yaml", STRICT.read_bytes())))
LINES, SPELLINGS = 4, 32  # of each command, and of each line
TARGET = Target(cluster="prod-eu", labels={"env": "prod"}, namespace="default")


def meaning(command: KubectlCommand) -> tuple[object, ...]:
    """Return all that a command is, but for how it is written, with what each policy decides about it."""
    fields = {name: value for name, value in command.as_dict().items() if name not in ("argv", "line")}
    return (fields, *(decide(policy, command, TARGET) for policy in POLICIES))


def spellings_that_are_alike(path: str) -> int:
    """Compare lines of one command with their spellings; give how many different ones there were."""
    compared = set()

    @settings(max_examples=LINES, derandomize=True, database=None, deadline=None)
    @given(st.composite(lambda draw: line_from(Drawn(draw), path))(), st.integers(0, 2**32))
    def alike(line: Line, seed: int) -> None:
        command = read(plain(line))
        assert command.known, (line, command.problem)
        expected = meaning(command)
        choices = Seeded(seed)
        for _ in range(SPELLINGS):
            argv = spelling(choices, line)
            assert meaning(read(argv)) == expected, argv
            compared.add(tuple(argv))

    alike()
    return len(compared)


@pytest.mark.parametrize("quarter", range(4))
def test_every_spelling_of_a_command_is_decided_alike(quarter: int) -> None:
    """POL-37."""
    assert sum(spellings_that_are_alike(path) for path in PATHS[quarter::4]) >= 2500
