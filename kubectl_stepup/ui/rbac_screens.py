"""The screens of `rbac audit`: a table, or blocks on a narrow terminal, and an explanation of each kind of finding."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from kubectl_stepup.rbac.catalogue import CATALOGUE
from kubectl_stepup.rbac.report import BLIND_SPOTS, counts
from kubectl_stepup.sanitise import safe
from kubectl_stepup.ui.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_stepup.rbac.finding import RbacFinding

TEXT_WIDTH = 100
NARROWEST = 40
_TITLES = ("SEVERITY", "FINDING", "SUBJECT", "WHERE", "PATH")
_LONGEST = 2000
_NAMED = 4


def findings_screen(findings: Sequence[RbacFinding], *, notes: Sequence[str] = (), width: int | None = None) -> str:
    """Draw the findings; `width` is the terminal's, None: no limit."""
    fill = max(min(width or TEXT_WIDTH, TEXT_WIDTH), NARROWEST)
    parts = [_drawn(findings, width, fill)] if findings else []
    parts += [_meaning(code, fill) for code in dict.fromkeys(one.code for one in findings)]
    parts += ["\n".join(_wrapped(f"Note: {note}", fill, "  ") for note in (*notes, *BLIND_SPOTS)), summary(findings)]
    return "\n\n".join(parts)


def _drawn(findings: Sequence[RbacFinding], width: int | None, fill: int) -> str:
    drawn = table(_TITLES, [_row(one) for one in findings])
    fits = width is None or max(map(len, drawn.splitlines())) <= width
    return drawn if fits else _blocks(findings, fill)


def summary(findings: Iterable[RbacFinding]) -> str:
    """Say how many findings there are of each severity."""
    found = counts(findings)
    total = sum(found.values())
    if not total:
        return "no findings"
    told = ", ".join(f"{number} {severity}" for severity, number in found.items() if number)
    return f"{total} finding{'' if total == 1 else 's'}: {told}"


def comment_lines(comments: Iterable[str], width: int = 110) -> list[str]:
    """Return comment lines for YAML; no comment can end its line and become part of the document."""
    return [f"# {line}" for comment in comments for line in textwrap.wrap(safe(comment, _LONGEST), width) or [""]]


def _row(finding: RbacFinding) -> tuple[str, ...]:
    return finding.severity, finding.code, str(finding.subject), finding.scope, " -> ".join(_steps(finding))


def _steps(finding: RbacFinding) -> Iterator[str]:
    """Return the path, the number of further rules, and what a wildcard reaches."""
    yield from finding.path
    more = len(finding.rules) - 1
    told = [f"and {more} more rule{'' if more == 1 else 's'}"] if more > 0 else []
    told += [f"reaches {_some(finding.reaches)}"] if finding.reaches else []
    told += [finding.note] if finding.note else []
    if told:
        yield f"({'; '.join(told)})"


def _some(codes: Sequence[str]) -> str:
    """Name the first codes, which are the worst, and how many more there are."""
    left = len(codes) - _NAMED
    return ", ".join(codes[:_NAMED]) + (f" and {left} more" if left > 0 else "")


def _blocks(findings: Iterable[RbacFinding], width: int) -> str:
    return "\n\n".join(
        "\n".join(
            (
                f"{finding.severity}  {finding.code}",
                _wrapped(f"  {finding.subject} in {finding.scope}", width, "    "),
                *(_wrapped(f"  -> {step}", width, "     ") for step in _steps(finding)),
            )
        )
        for finding in findings
    )


def _meaning(code: str, width: int) -> str:
    entry = CATALOGUE[code]
    lines = (f"{code}: {entry.title}", f"  why  {entry.why}", f"  fix  {entry.fix}")
    return "\n".join(_wrapped(line, width, "       ") for line in lines)


def _wrapped(text: str, width: int, indent: str) -> str:
    # Resource names have hyphens; a word longer than the line stays whole, so that it can be copied.
    return textwrap.fill(
        safe(text, _LONGEST), width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )
