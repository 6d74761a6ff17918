"""What `make mutate` changes, the tests that judge it, and the changes that no test can tell from the original."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Modules or packages, and the tests that have to notice every change in them.

    `left_out` are tests that judge nothing here, with the reason beside them. `equivalent` has, by function and changed
    line, one sentence why the change makes no difference; it excuses nothing, the score counts it as survived.
    """

    mutated: tuple[str, ...]
    judges: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    equivalent: tuple[tuple[str, str, str], ...] = ()


GROUPS = {
    "policy": Group(
        mutated=("kubectl_stepup/policy/command.py", "kubectl_stepup/policy/decide.py"),
        judges=(
            "tests/unit/policy/test_command.py",
            "tests/unit/policy/test_command_line.py",
            "tests/unit/policy/test_decide.py",
            "tests/attacks/test_policy_bypass.py",
        ),
        # Hypothesis takes ten seconds to say what failed, and half a thousand rules one to be read.
        left_out=(
            "tests/unit/policy/test_decide.py::test_the_place_of_a_flag_makes_no_difference",
            "tests/unit/policy/test_decide.py::test_a_decision_over_a_thousand_rules_and_names_ends",
        ),
    ),
    "assurance": Group(mutated=("kubectl_stepup/assurance",), judges=("tests/unit/assurance",)),
}
"""By the name that `make mutate MUTATE=…` takes."""
