"""Hold the command reader against real kubectls on thousands of commands: `make differential`."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from pathlib import Path

from tests.system.differential.families import asked_family, refused_family
from tests.system.differential.report import report
from tests.system.differential.run import Run, run

PAGE = Path(__file__).parents[3] / "docs" / "reports" / "differential.md"


def main() -> int:
    """Run, write the report, and fail where something was missed or is not explained."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.differential", description=__doc__)
    parser.add_argument("--commands", type=int, default=10_000, metavar="COUNT")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--report", type=Path, default=PAGE, metavar="FILE")
    asked = parser.parse_args()
    started = time.monotonic()
    done = run(asked.commands, asked.seed, tell=_Progress(asked.commands))
    asked.report.parent.mkdir(parents=True, exist_ok=True)
    asked.report.write_text(report(done, seed=asked.seed, seconds=time.monotonic() - started), encoding="utf-8")
    print(f"\nwritten: {asked.report}")
    verdicts = [verdict for _, verdict in done.verdicts]
    unexplained = [one for one in verdicts if one.asked and not asked_family(one)]
    unexplained += [one for one in verdicts if one.refused and not refused_family(one)]
    for version, missed in done.missed:
        print(f"missed with kubectl {version}: {shlex.join(missed.words)}: {missed.missed}")
    for verdict in unexplained:
        print(f"not explained: {shlex.join(verdict.words)}")
    return 1 if done.missed or unexplained else 0


class _Progress:
    """Says how far a run is, and at once what was missed."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._told = 0

    def __call__(self, so_far: Run) -> None:
        for version, missed in so_far.missed[self._told :]:
            self._told += 1
            print(f"\rmissed with kubectl {version}: {shlex.join(missed.words)}: {missed.missed}")
        print(f"\r{len(so_far.verdicts)} of {self._wanted}, {self._told} missed  ", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
