"""A command line, and a policy, may be as long as the system lets it be: they are evaluated all the same.

The time limits catch what grows with the square of the length, for minutes; how long a decision takes `make fuzz` says.
"""

from __future__ import annotations

import pytest

from kubectl_stepup.kubectl.command import read
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Level, Policy, Rule, Selector, Target
from kubectl_stepup.policy.rule_index import index_of

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


@pytest.mark.timeout(30)
@pytest.mark.parametrize("argv", LONG.values(), ids=LONG)
def test_a_long_command_is_read_and_judged(argv: list[str]) -> None:
    """POL-31."""
    decision = decide(load(None, None), read(argv), Target())
    assert decision.effect in {"allow", "stepup", "refuse"}


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("names", "matching"),
    [(("x*",), 10_000), (("(a+)+$*", "*a*a*a*a*a*b", "[!x]*", "?????*y"), 0)],
    ids=["all", "none"],
)
def test_ten_thousand_rules_are_judged(names: tuple[str, ...], matching: int) -> None:
    """POL-34."""
    selector = Selector(namespaces=("*",), names=names)
    rule = Rule(name="r", needs="mfa", actions=frozenset({"change"}), selector=selector)
    rules = tuple(rule.replace(name=f"r{number}") for number in range(10_000))
    level = Level(name="mfa", signed_in_within_s=900, ask_again_after_s=600)
    policy = Policy(who="people", levels=(level,), rules=rules, commands={}, index=index_of(rules))
    command = read(["label", "pod", "x" + "a" * 250, "a=b", "-n", "prod"])
    decision = decide(policy, command, Target(cluster="c"))
    assert len(decision.rules) == matching
