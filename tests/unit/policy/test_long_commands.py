"""A command line, and a policy, may be as long as the system lets it be: they are judged all the same, and soon."""

from __future__ import annotations

import time

import pytest

from kubectl_stepup.policy.command import read
from kubectl_stepup.policy.decide import decide
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Level, Policy, Rule, Selector, Target
from kubectl_stepup.policy.rule_index import index_of
from tests.fuzz.watch import Watch

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


@pytest.mark.parametrize(
    ("names", "matching"),
    [(("x*",), 10_000), (("(a+)+$*", "*a*a*a*a*a*b", "[!x]*", "?????*y"), 0)],
    ids=["all", "none"],
)
def test_ten_thousand_rules_are_judged_in_a_tenth_of_a_second(names: tuple[str, ...], matching: int) -> None:
    """POL-34."""
    selector = Selector(namespaces=("*",), names=names)
    rule = Rule(name="r", needs="mfa", actions=frozenset({"change"}), selector=selector)
    rules = tuple(rule.replace(name=f"r{number}") for number in range(10_000))
    level = Level(name="mfa", signed_in_within_s=900, ask_again_after_s=600)
    policy = Policy(who="people", levels=(level,), rules=rules, commands={}, index=index_of(rules))
    command = read(["label", "pod", "x" + "a" * 250, "a=b", "-n", "prod"])
    watch = Watch()
    decision = watch.decision(lambda: decide(policy, command, Target(cluster="c")))
    assert watch.slow == 0
    assert len(decision.rules) == matching
