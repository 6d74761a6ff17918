"""The index of rules: a decision is the same with it and without it, and a thousand rules are not gone through."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_stepup.kubectl.command import read
from kubectl_stepup.policy.actions import NAMES
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.matching import request_matches
from kubectl_stepup.policy.model import Level, Policy, Rule, Selector, Target
from kubectl_stepup.policy.rule_index import index_of

LEVELS = (Level(name="mfa", signed_in_within_s=900, ask_again_after_s=600),)
COMMANDS = [
    read(words.split())
    for words in (
        "delete pod web-0 web-1 -n prod",
        "delete pods --all -A",
        "delete namespace prod",
        "scale deploy/web --replicas=0",
        "get secrets",
        "get --raw /api/v1/namespaces/prod/pods/web-0/proxy/x",
        "exec web-0 -- sh",
        "patch widgets.example.com w1 -p {}",
        "apply -f x.yaml",
        "get pods",
        "config view --raw",
    )
]
NAMES_MET = ("prod", "prod-eu", "dev", "web-0", "web-1", "w1", "", "[x]")
globs = st.lists(
    st.sampled_from(NAMES_MET)
    | st.sampled_from(("*", "p*", "prod-*", "web-?", "*-0", "web-[01]", "?", "p*d", "x*", "[", "prod[", "*[", "[x]*")),
    max_size=3,
).map(tuple)
selectors = st.builds(Selector, clusters=globs, namespaces=globs, names=globs)
verbs = st.sampled_from(("*", "get", "list", "create", "update", "patch", "delete", "deletecollection"))
rules = st.builds(
    lambda what, selector, mode: Rule(name="r", needs="mfa", selector=selector, mode=mode, **what),
    st.sets(st.sampled_from(NAMES), min_size=1, max_size=3).map(lambda names: {"actions": frozenset(names)})
    | st.sets(verbs, min_size=1, max_size=2).map(lambda some: {"verbs": frozenset(some)}),
    selectors,
    st.sampled_from(("enforce", "warn", "audit")),
)
places = st.sampled_from((None, *NAMES_MET))


@settings(max_examples=400)
@given(st.lists(rules, max_size=40), st.sampled_from(COMMANDS), places, places)
def test_it_leaves_out_no_rule_that_matches(
    found: list[Rule], command: Any, cluster: str | None, namespace: str | None
) -> None:
    numbered = [rule.replace(name=f"r{at}") for at, rule in enumerate(found)]
    plain = Policy(who="people", levels=LEVELS, rules=tuple(numbered), commands={})
    target = Target(cluster=cluster, labels={}, namespace=namespace)

    assert decide(plain.replace(index=index_of(numbered)), command, target) == decide(plain, command, target)


@pytest.mark.parametrize("field", ["clusters", "namespaces", "names"])
@pytest.mark.parametrize("pattern", ["here-{}", "here-{}-*"])
def test_rules_about_other_places_are_not_looked_at(field: str, pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    deletes = frozenset({"delete"})
    many = tuple(
        Rule(name=f"r{at}", needs="mfa", actions=deletes, selector=Selector().replace(**{field: (pattern.format(at),)}))
        for at in range(1000)
    )
    policy = Policy(who="people", levels=LEVELS, rules=many, commands={}, index=index_of(many))
    tried: list[str] = []

    def counting(rule: Rule, *arguments: Any) -> bool:
        tried.append(rule.name)
        return request_matches(rule, *arguments)

    monkeypatch.setattr("kubectl_stepup.policy.evaluate.request_matches", counting)
    name = pattern.format(7).replace("*", "a")
    found = decide(policy, read(["delete", "pod", name, "-n", name]), Target(cluster=name, labels={}))

    assert set(tried) == {"r7"}
    assert [match.name for match in found.rules] == ["r7"]


def test_a_routine_command_looks_at_no_rule_about_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    many = tuple(Rule(name=f"r{at}", needs="mfa", actions=frozenset({"delete"})) for at in range(1000))
    policy = Policy(who="people", levels=LEVELS, rules=many, commands={}, index=index_of(many))
    monkeypatch.setattr("kubectl_stepup.policy.evaluate.request_matches", lambda *_: pytest.fail("looked at"))

    assert decide(policy, read(["get", "pods"]), Target()).effect == "allow"
