"""CEL is written so that nothing in a policy can become code of its own, and a glob means what it means here."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_stepup.enforce import cel
from kubectl_stepup.globs import matches

LETTERS = "abcz09-._:/[]!^\\ {}$+()|*?"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("dev", "'dev'"),
        ("o'brien", r"'o\'brien'"),
        ("a\\", r"'a\\'"),
        ("a\nb", r"'a\u000ab'"),
        ("é", r"'\u00e9'"),
        ("\U0001f600", r"'\U0001f600'"),
        ("' || true || '", r"'\' || true || \''"),
    ],
)
def test_a_text_stays_a_text(value: str, written: str) -> None:
    assert cel.text(value) == written


@pytest.mark.parametrize(
    ("patterns", "written"),
    [
        (["prod"], "x == 'prod'"),
        (["prod", "shop"], "x in ['prod', 'shop']"),
        (["prod-*"], "x.startsWith('prod-')"),
        (["*-prod"], "x.endsWith('-prod')"),
        (["*prod*"], "x.contains('prod')"),
        (["*"], "true"),
        (["a", "b*"], "x == 'a' || x.startsWith('b')"),
        (["a?c"], "x.matches('^(?s:a.c)$')"),
        (["a*b"], "x.matches('^(?s:a.*b)$')"),
        (["a.[!b]"], r"x.matches('^(?s:a\\.[^b])$')"),
    ],
)
def test_globs_become_the_simplest_condition(patterns: list[str], written: str) -> None:
    assert cel.matches_any("x", patterns) == written


@given(st.text(LETTERS, max_size=12), st.text(LETTERS, max_size=12))
def test_a_regular_expression_matches_what_the_glob_does(pattern: str, name: str) -> None:
    # Python's syntax for all that is written here; the whole text must match in both.
    expression = cel.regular_expression(pattern).replace(r"\x{10FFFF}", "\U0010ffff")
    found = re.fullmatch(expression.removeprefix("^").removesuffix("$"), name) is not None
    assert found == matches(name, pattern)


@pytest.mark.parametrize(
    ("parts", "written"),
    [
        ([], "true"),
        (["a"], "a"),
        (["a || b"], "a || b"),
        (["a || b", "c"], "(a || b) && c"),
        (["(a || b)", "f(c || d)"], "(a || b) && f(c || d)"),
        (["x == ' || '", "y"], "x == ' || ' && y"),
        (["a ? b : c", "d"], "(a ? b : c) && d"),
    ],
)
def test_all_of_puts_brackets_where_they_are_needed(parts: list[str], written: str) -> None:
    assert cel.all_of(parts) == written


def test_any_of_nothing_is_false() -> None:
    assert cel.any_of([]) == "false"
    assert cel.any_of(["a && b", "c"]) == "(a && b) || c"
