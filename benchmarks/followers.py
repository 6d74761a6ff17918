"""The waiting time of commands that share one step-up: from the approval to the start of each of twenty.

    python -m benchmarks.followers [--rounds N]

Real processes on a terminal, an identity provider and an API server on loopback; the times are those of the record.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from tests.support.lab import Lab, opened_lab
from tests.support.warm_start import PROGRAM

MANY = 20


def main() -> int:
    """Print the median, the 95th percentile and the longest wait of each round, in milliseconds."""
    parser = argparse.ArgumentParser(prog="benchmarks.followers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default 3)")
    print(f"{MANY} commands at once, of which one asks; from its approval to the start of the others, in ms")
    print(f"{'ROUND':<7}{'MEDIAN':>8}{'P95':>8}{'LONGEST':>9}")
    for number in range(1, parser.parse_args().rounds + 1):
        waited = one_round()
        p95 = waited[len(waited) * 95 // 100 - 1]
        print(f"{number:<7}{statistics.median(waited):>8.0f}{p95:>8.0f}{waited[-1]:>9.0f}")
    return 0


def one_round() -> list[float]:
    """Return the waits in milliseconds, shortest first."""
    with tempfile.TemporaryDirectory() as directory, opened_lab(Path(directory), cold=True) as lab:
        lab.answer.approve_after_polls = None
        run(lab)
        (approved,) = lab.times("elevation", "ResponseComplete")
        return sorted((started - approved) * 1000 for started in lab.times("run", "RequestReceived"))


def run(lab: Lab) -> None:
    """Start all commands, and approve when one prompts and the others wait."""
    one = f"{' '.join(PROGRAM)} exec -- delete pod many-$i --ignore-not-found"
    script = lab.directory / "many.sh"
    script.write_text(f"for i in $(seq {MANY}); do {one} & done; wait\n")
    approved: list[str] = []

    def watch(screen: str) -> None:
        waiting = screen.count("Waiting for the step-up in process")
        if not approved and waiting == MANY - 1 and "Waiting for approval" in screen:
            approved.append(screen)
            lab.provider.approve()

    lab.terminal.run(["sh", str(script)], watch, timeout_s=90)


if __name__ == "__main__":
    sys.exit(main())
