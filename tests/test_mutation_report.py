"""The mutation report: what it counts, and that the one in the tree is about every file and none is below the bound."""

from __future__ import annotations

import re

import pytest

from scripts.mutate import BOUND, PAGE, ROOT, Mutant, Survivor, line_of, page, scores, section
from scripts.mutation_groups import GROUPS, Group

PREFIX = "kubectl_stepup.policy.evaluate.x_decide__mutmut_"
STATUSES = ("killed", "killed", "survived", "timeout", "no tests")
MUTANTS = [Mutant(name=f"{PREFIX}{number}", status=status) for number, status in enumerate(STATUSES)]
SURVIVOR = Survivor(mutant=MUTANTS[2], line=7, removed=("return a",), added=("return b",))


def test_only_a_killed_mutant_counts() -> None:
    (score,) = [percent for _, percent in scores(MUTANTS).values()]
    assert score == 40.0


@pytest.mark.parametrize(
    ("name", "file", "function"),
    [
        ("kubectl_stepup.policy.evaluate.x__why__mutmut_12", "kubectl_stepup/policy/evaluate.py", "_why"),
        ("kubectl_stepup.oidc.evidence.xǁRequirementǁmeets__mutmut_1", "kubectl_stepup/oidc/evidence.py", "meets"),
    ],
)
def test_a_mutants_name_says_where_it_is(name: str, file: str, function: str) -> None:
    mutant = Mutant(name=name, status="killed")
    assert (mutant.file, mutant.function) == (file, function)


def test_a_line_is_looked_for_in_its_own_function() -> None:
    source = "def one():\n    return 1\n\n\ndef two():\n    x = 0\n    return 1\n"
    assert line_of(source, "two", "return 1") == 7


def test_a_section_shows_each_survivor_and_why_nobody_could_notice_it() -> None:
    group = Group(mutated=("m.py",), evaluates=("tests/t.py",), equivalent=(("decide", "return b", "it is the same."),))
    shown = section("policy", group, MUTANTS, [SURVIVOR], "2026-01-31, mutmut 3")
    assert "| `kubectl_stepup/policy/evaluate.py` | 5 | 2 | 1 | 1 | 1 | 40.0 % |" in shown
    assert shown.endswith(
        "`kubectl_stepup/policy/evaluate.py:7`\n\n```diff\n- return a\n+ return b\n```\n\nEquivalent: it is the same.\n"
    )


def test_a_run_of_one_group_keeps_what_the_page_says_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GROUPS, "other", Group(mutated=(), evaluates=()))
    written = page("", "other", "## other\n\nold\n")
    written = page(written, "policy", "## policy\n\nnew\n")
    assert written.index("## policy\n\nnew\n\n## other\n\nold\n") > 0
    assert page(written, "other", "## other\n\nnewer\n").count("## ") == 2


def test_the_groups_name_files_that_exist() -> None:
    named = [path for group in GROUPS.values() for path in (*group.mutated, *group.evaluates)]
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_last_report_is_about_every_file_and_reaches_the_bound() -> None:
    rows = re.findall(r"^\| `(\S+)` \|.*\| ([\d.]+) % \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    reached = {file for file, score in rows if float(score) >= BOUND}
    mutated = [path for group in GROUPS.values() for path in group.mutated]
    assert [path for path in mutated if not any(file.startswith(path) for file in reached)] == []
    assert len(reached) == len(rows)
