"""Showing a policy is the inverse of reading it."""

from __future__ import annotations

import marshal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_stepup.policy.actions import NAMES
from kubectl_stepup.policy.compiled import pack, unpack
from kubectl_stepup.policy.document_of import document_of
from kubectl_stepup.policy.load import load, starting_policy
from kubectl_stepup.policy.model import Grant, Level, Policy, Rule, Selector, Where
from kubectl_stepup.policy.quoted_text import QuotedText
from kubectl_stepup.policy.rule_document import DRY_RUNS, MODES, VERBS
from kubectl_stepup.policy.rule_index import index_of
from kubectl_stepup.yaml_edit import yaml_file
from tests.unit.policy.test_load import content, read


def again(policy: Policy) -> Policy:
    """Show a policy and read what was shown."""
    return read(yaml_file.text_of(document_of(policy)))


@pytest.mark.parametrize("policy", [load(None, None), read(starting_policy("read-only"))], ids=["default", "read-only"])
def test_the_policies_that_come_with_the_program(policy: Policy) -> None:
    assert content(again(policy)) == content(policy)


texts = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=12)
globs = st.lists(texts, max_size=3).map(tuple)
seconds = st.integers(1, 200_000)
maybe = st.none() | texts
selectors = st.builds(
    Selector,
    clusters=globs,
    labels=st.dictionaries(texts, st.lists(texts, min_size=1, max_size=2).map(tuple), max_size=2).map(
        lambda labels: tuple(labels.items())
    ),
    namespaces=globs,
    names=globs,
)
wheres = st.builds(
    Where,
    all=st.none() | st.booleans(),
    objects=st.none() | st.integers(1, 99),
    force=st.none() | st.booleans(),
    dry_run=st.lists(st.sampled_from(DRY_RUNS), max_size=2).map(tuple),
)
whats = st.sampled_from(NAMES).map(lambda name: {"actions": frozenset({name})}) | st.builds(
    lambda verb, groups, resources: {"verbs": frozenset({verb}), "api_groups": groups, "resources": resources},
    st.sampled_from(VERBS),
    st.lists(texts | st.just(""), max_size=2).map(tuple),
    globs,
)


def quoted(what: str) -> st.SearchStrategy[QuotedText | None]:
    """Return a text as it is read from the file that `read` reads."""
    return st.none() | st.builds(QuotedText, what=st.just(what), text=texts, file=st.just("policy.yaml"))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Return any policy that a file could say."""
    levels = tuple(
        Level(
            name=f"level-{number}",
            signed_in_within_s=draw(seconds),
            ask_again_after_s=draw(st.just(0) | seconds),
            reason_required=draw(st.booleans()),
            server_window_s=draw(st.none() | seconds),
            max_duration_s=draw(st.none() | seconds),
            help=draw(quoted(f"help of level level-{number}")),
            runbook=draw(maybe),
        )
        for number in range(draw(st.integers(1, 3)))
    )
    names = st.sampled_from([level.name for level in levels])
    rules = tuple(
        Rule(
            name=f"rule-{number}",
            needs=draw(names),
            **draw(whats),
            selector=draw(selectors),
            excluded=draw(st.lists(selectors.filter(lambda one: one != Selector()), max_size=2).map(tuple)),
            where=draw(wheres),
            mode=draw(st.sampled_from(MODES)),
            reason_required=draw(st.booleans()),
            ticket=draw(maybe.filter(lambda text: text not in {"required", "optional"})),
            message=draw(quoted(f"message of rule rule-{number}")),
        )
        for number in range(draw(st.integers(0, 3)))
    )
    grants = st.builds(Grant, level=names, group=texts, role=texts, namespaces=globs)
    return Policy(
        who="people",
        levels=levels,
        rules=rules,
        commands=draw(st.dictionaries(st.sampled_from(["stern", "ctx"]), names | st.just("allow"), max_size=2)),
        grants=draw(st.lists(grants, max_size=2).map(tuple)),
        min_client_version=draw(st.none() | st.just("0.0")),
        index=index_of(rules),
    )


@given(policies())
def test_any_policy_is_read_as_it_was_shown(policy: Policy) -> None:
    assert content(again(policy)) == content(policy)


@given(policies())
def test_any_policy_survives_being_compiled(policy: Policy) -> None:
    unpacked = unpack(marshal.loads(marshal.dumps(pack(policy))))
    assert unpacked.replace(rules=tuple(unpacked.rules)) == policy
