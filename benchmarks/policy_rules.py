"""The time to load a compiled policy, and to decide by it, from ten rules to a thousand.

    python -m benchmarks.policy_rules [--json FILE]

Times are medians in this process, imports done: milliseconds, and as a ratio to the smallest policy in the same run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kubectl_stepup.file_stamp import stamp_of
from kubectl_stepup.kubectl.command import read
from kubectl_stepup.policy import compiled_file
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Policy, Target

SIZES = (10, 100, 1000)
ROUNDS = 200
HEAD = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
rules:
"""
RULES = {
    "a rule a cluster": "  - {{name: r{at}, do: [delete, stop], clusters: ['prod-{at}-*'], needs: mfa}}\n",
    "a rule a namespace": "  - {{name: r{at}, do: [delete], namespaces: [team-{at}], needs: mfa}}\n",
    "all rules match": "  - {{name: r{at}, do: [delete], clusters: ['prod-*'], needs: mfa}}\n",
}
COMMANDS = {"delete": ("delete", "pod", "web-0", "-n", "team-7"), "get": ("get", "pods", "-n", "team-7")}
TARGET = Target(cluster="prod-7-eu", labels={}, namespace="team-7")


def main() -> None:
    """Measure, print a table, and write JSON on request."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = [row for name in RULES for row in _rows(name)]
    print(f"{'policy':<20} {'rules':>5}  {'load':>8} {'ratio':>6}  {'delete':>8} {'ratio':>6}  {'get':>8} {'ratio':>6}")
    for row in rows:
        times = "  ".join(f"{row[what]['ms']:>8.3f} {row[what]['ratio']:>6.2f}" for what in ("load", *COMMANDS))
        print(f"{row['policy']:<20} {row['rules']:>5}  {times}")
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


def _rows(name: str) -> list[dict[str, Any]]:
    with TemporaryDirectory(prefix="policy-rules-") as place:
        subjects = {size: _subjects(name, size, f"{place}/{size}") for size in SIZES}
        times: dict[tuple[int, str], list[float]] = {}
        for _ in range(ROUNDS):
            for size, steps in subjects.items():
                for what, step in steps.items():
                    times.setdefault((size, what), []).append(_timed(step))
    medians = {key: statistics.median(found) for key, found in times.items()}
    return [
        {
            "policy": name,
            "rules": size,
            **{
                what: {"ms": medians[size, what], "ratio": medians[size, what] / medians[SIZES[0], what]}
                for what in subjects[size]
            },
        }
        for size in SIZES
    ]


def _subjects(name: str, size: int, directory: str) -> dict[str, Callable[[], object]]:
    source = Path(f"{directory}.yaml")
    source.write_text(HEAD + "".join(RULES[name].format(at=at) for at in range(size)))
    sources = (str(source),)
    policy = load(None, (str(source), source.read_bytes()))
    compiled_file.write(directory, sources, policy, known_by=stamp_of(sources))

    def again() -> Policy:
        found = compiled_file.read(directory, stamp_of(sources))
        if found is None:
            raise RuntimeError("the compiled form is not read")
        return found

    compiled = again()
    return {
        "load": again,
        **{what: lambda words=words: decide(compiled, read(words), TARGET) for what, words in COMMANDS.items()},  # type: ignore[misc]
    }


def _timed(step: Callable[[], object]) -> float:
    before = time.perf_counter()
    step()
    return (time.perf_counter() - before) * 1e3


if __name__ == "__main__":
    main()
