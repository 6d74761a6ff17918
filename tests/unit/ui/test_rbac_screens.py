"""The screens of `rbac audit`."""

from __future__ import annotations

import pytest

from kubectl_stepup.rbac.aggregation import EffectiveRule
from kubectl_stepup.rbac.finding import RbacFinding
from kubectl_stepup.rbac.model import Binding, RbacRule, Role, Subject
from kubectl_stepup.ui.rbac_screens import comment_lines, findings_screen, summary

RULE = RbacRule(verbs=("get",), api_groups=("",), resources=("secrets",))
ROLE = Role(kind="ClusterRole", name="readers", rules=(RULE,))


def finding(
    *, group: str = "dev", severity: str = "high", reaches: tuple[str, ...] = (), rules: int = 1
) -> RbacFinding:
    subject = Subject(kind="Group", name=group)
    binding = Binding(
        kind="RoleBinding", name="dev-readers", namespace="prod", role_kind="ClusterRole", role_name="readers",
        subjects=(subject,),
    )  # fmt: skip
    return RbacFinding(
        code="secrets-read", severity=severity, subject=subject, binding=binding, role=ROLE, reaches=reaches,
        rules=tuple(EffectiveRule(rule=RULE, index=index, through=(ROLE,)) for index in range(rules)),
    )  # fmt: skip


def test_the_table_the_meaning_and_the_sum() -> None:
    lines = findings_screen([finding()], notes=("a note",)).splitlines()
    assert lines[:2] == [
        "SEVERITY   FINDING        SUBJECT     WHERE   PATH",
        "high       secrets-read   Group dev   prod    "
        "RoleBinding/dev-readers -> ClusterRole/readers -> rule 1: get on secrets",
    ]
    assert lines[3] == "secrets-read: reads secrets"
    assert lines[4].startswith("  why  ")
    assert "Note: a note" in lines
    assert any("system:masters" in line for line in lines)
    assert lines[-1] == "1 finding: 1 high"


def test_each_kind_is_explained_once() -> None:
    screen = findings_screen([finding(), finding(group="ops")])
    assert screen.count("secrets-read: reads secrets") == 1


@pytest.mark.parametrize("width", [40, 60, 99])
def test_a_narrow_terminal_gets_blocks_that_fit(width: int) -> None:
    screen = findings_screen([finding(reaches=("pod-exec",))], width=width)
    assert max(map(len, screen.splitlines())) <= width
    assert screen.startswith("high  secrets-read\n  Group dev in prod\n  -> RoleBinding/dev-readers\n")


def test_a_wide_terminal_gets_the_table() -> None:
    assert findings_screen([finding()], width=120).startswith("SEVERITY")
    assert findings_screen([finding(group="dev" * 12)], width=120).startswith("high  secrets-read")


def test_many_are_counted_and_the_worst_named() -> None:
    screen = findings_screen([finding(reaches=("a", "b", "c", "d", "e", "f"), rules=3)])
    assert "(and 2 more rules; reaches a, b, c, d and 2 more)" in screen


def test_nothing_found_is_said() -> None:
    assert findings_screen([]).splitlines()[-1] == "no findings"


def test_the_sum_leaves_out_what_there_is_none_of() -> None:
    found = [finding(severity=one) for one in ("critical", "low", "low")]
    assert summary(found) == "3 findings: 1 critical, 2 low"


@pytest.mark.parametrize("width", [None, 40])
def test_what_a_terminal_would_obey_is_shown_as_an_escape(width: int | None) -> None:
    screen = findings_screen([finding(group="dev\x1b[2J\nroot")], width=width)
    assert "\x1b" not in screen
    assert "\\u{1b}[2J\\nroot" in screen


def test_a_comment_cannot_become_a_part_of_the_document() -> None:
    lines = comment_lines(["a\nkind: Role", "b\r\x85c\u2028d", "", "word " * 60])
    assert [line for line in lines if not line.startswith("# ")] == []
    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines)) <= 112
