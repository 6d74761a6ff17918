"""Reports of a policy's tests: lines for people, JSON, and JUnit XML for build servers.

Spec: the JUnit XML that build servers read has no standard; this is the common part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from kubectl_stepup.sanitise import safe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kubectl_stepup.policy.policy_tests import Verdict


def lines(verdicts: Sequence[Verdict]) -> list[str]:
    """Return a line for each failed case, and the totals."""
    failed = [one for one in verdicts if one.problems]
    reported = [
        f"FAIL   {_place(one)}   {_shown(one.case.command)}   {_shown('; '.join(one.problems))}" for one in failed
    ]
    return [*reported, f"{len(verdicts) - len(failed)} passed, {len(failed)} failed"]


def objects(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Return an object for each case."""
    return [
        {
            "command": one.case.command,
            "file": one.case.file,
            "line": one.case.line,
            "expected": one.case.expect,
            "got": one.got,
            "why": one.why,
            "problems": list(one.problems),
        }
        for one in verdicts
    ]


def junit(verdicts: Sequence[Verdict], *, name: str) -> str:
    """Return one test suite, called `name`, with a test case for each command."""
    failed = sum(bool(one.problems) for one in verdicts)
    suite = ElementTree.Element("testsuite", name=name, tests=str(len(verdicts)), failures=str(failed), errors="0")
    for one in verdicts:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=name,
            name=_shown(one.case.command),
            file=one.case.file,
            line=str(one.case.line),
        )
        if one.problems:
            failure = ElementTree.SubElement(case, "failure", message=_shown(one.problems[0]))
            failure.text = "\n".join((*map(_shown, one.problems), _place(one)))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def _shown(text: str) -> str:
    """Make words of a file safe: neither a terminal nor XML takes every character."""
    return safe(text, 2000)


def _place(one: Verdict) -> str:
    return f"{one.case.file}:{one.case.line}"
