"""Where the environment names a table of what words mean, the launcher leaves a line to the Python program."""

from __future__ import annotations

import pytest

from tests.launcher.test_allowed_command import WORDS, Machine, machine

__all__ = ["machine"]


@pytest.mark.parametrize(("value", "served"), [("/elsewhere", False), ("relative", False), ("", True)])
def test_a_table_that_the_environment_names_is_for_python(machine: Machine, value: str, served: bool) -> None:
    machine.remember(*WORDS)
    assert machine.serves(*WORDS)
    assert machine.serves(*WORDS, environ={**machine.environ, "KUBECACHEDIR": value}) is served
