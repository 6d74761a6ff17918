"""The report of a run, as a page of docs/."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from tests.system.differential.families import asked_family, refused_family
from tests.system.differential.run import Run
from tests.system.differential.runner import KILLED, LONGEST_S
from tests.system.differential.verdict import Verdict
from tests.system.parts import kubectls
from tests.system.parts.control_plane import minor

INTRODUCTION = """\
Generated commands, run by real kubectls against a server that answers as a Kubernetes {kubernetes} API server with the
fixture of `tests/system/recorder` does, and records every request. Each command is read by `policy.command.read`, its
manifests by `policy.manifest.expand`, and what came is held against what the reader said. What counts are writes,
connections into pods, and reads of secrets. `make differential` writes this page.

- **Missed**: something came that counts, and the reader had not named it. There must be none.
- **Over-asked**: the reader named something that counts, kubectl had no complaint, and nothing of the kind came.
- **Refused**: kubectl did something, and the reader calls the command unknown. `exec` refuses such a command.
"""


def report(done: Run, *, seed: int, seconds: float) -> str:
    """Return the page."""
    verdicts = [verdict for _, verdict in done.verdicts]
    facts = {
        "Date": datetime.now(UTC).date().isoformat(),
        "kubectl": ", ".join(f"{version} ({count})" for version, count in _versions(done)),
        "Seed": str(seed),
        "Commands": str(len(verdicts)),
        "… that kubectl ran without complaint": str(sum(verdict.outcome.code == 0 for verdict in verdicts)),
        "… that sent anything": str(sum(bool(verdict.outcome.requests) for verdict in verdicts)),
        "… that sent something that counts": str(sum(verdict.mattered for verdict in verdicts)),
        f"… that were stopped after {LONGEST_S:.0f} seconds": str(_killed(verdicts)),
        "**Missed**": f"**{len(done.missed)}**",
        "Over-asked": str(sum(bool(verdict.asked) for verdict in verdicts)),
        "Refused": str(sum(verdict.refused for verdict in verdicts)),
        "Duration": f"{seconds / 60:.0f} min",
    }
    sections = (
        "# Differential test of the command reader",
        INTRODUCTION.format(kubernetes=minor()),
        _table(("", ""), facts.items()),
        *_misses(done),
        "## Over-asked, by reason",
        _families("Reason", (asked_family(verdict) for verdict in verdicts if verdict.asked)),
        "## Refused, by reason",
        _families("Reason", (refused_family(verdict) for verdict in verdicts if verdict.refused)),
        "## By command",
        _by_command(verdicts),
    )
    return "\n\n".join(section.rstrip("\n") for section in sections) + "\n"


def _killed(verdicts: Sequence[Verdict]) -> int:
    return sum(verdict.outcome.code == KILLED for verdict in verdicts)


def _versions(done: Run) -> Iterator[tuple[str, int]]:
    for version, count in sorted(Counter(version for version, _ in done.verdicts).items()):
        yield kubectls.WHEELS.get(version, version), count


def _misses(done: Run) -> Iterator[str]:
    if not done.missed:
        return
    yield "## Missed"
    lines = [f"kubectl {version}: {shlex.join(one.words)}\n    {one.missed}" for version, one in done.missed]
    yield "```\n" + "\n".join(lines) + "\n```"


def _families(title: str, found: Iterable[str | None]) -> str:
    counted = Counter(family or "**not explained**" for family in found)
    return _table((title, "commands"), ((name, str(count)) for name, count in counted.most_common()))


def _by_command(verdicts: Sequence[Verdict]) -> str:
    paths = sorted({verdict.path for verdict in verdicts if verdict.command.known})
    rows = []
    for path in paths:
        of = [verdict for verdict in verdicts if verdict.path == path and verdict.command.known]
        ran = sum(verdict.outcome.code == 0 for verdict in of)
        rows.append((f"`{path}`", str(len(of)), str(ran), str(sum(verdict.mattered for verdict in of))))
    others = [verdict for verdict in verdicts if not verdict.command.known]
    ran, mattered = sum(one.outcome.code == 0 for one in others), sum(one.mattered for one in others)
    rows.append(("unknown to the reader, which refuses them", str(len(others)), str(ran), str(mattered)))
    return _table(("command", "generated", "ran without complaint", "sent something that counts"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
