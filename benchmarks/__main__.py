"""Measure both fast paths, of credentials and of allowed commands, against bare interpreters, kubectl and kubelogin.

    python -m benchmarks [--rounds N] [--growth-rounds N] [--json FILE] [--check]

Everything runs in one go on this machine: absolute times drift, ratios of the same round hold. Nothing of the user's
is read: a home of its own, servers on loopback, sessions of its own that are removed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import stores
from benchmarks.growth import callers, commands, tokens
from benchmarks.place import prepared
from benchmarks.result import Measured, document, missed
from benchmarks.rivals import interpreters, kubelogin, ours, whole_kubectl
from benchmarks.rounds import SubjectFailed, measure
from benchmarks.session import write_config
from benchmarks.tables import as_text, tables

if TYPE_CHECKING:
    from benchmarks.place import Place
    from benchmarks.result import Document


def main() -> int:
    """Measure, print the tables, write the JSON file; with `--check` a missed bound is exit code 1."""
    arguments = _arguments()
    try:
        with prepared() as place:
            result = run(place, rounds=arguments.rounds, growth_rounds=arguments.growth_rounds)
    except SubjectFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for table in tables(result):
        print(as_text(table), end="\n\n")
    for name, why in result["left_out"].items():
        print(f"left out: {name}: {why}")
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(result, separators=(",", ":")) + "\n", encoding="utf-8")
        print(arguments.json)
    for name in missed(result):
        print(f"missed: {name}")
    return 1 if arguments.check and missed(result) else 0


def run(place: Place, *, rounds: int, growth_rounds: int) -> Document:
    """Measure all subjects in one run, then growth in another.

    Raises SubjectFailed where one fails, or was not what it seems: refused by the API server, or no hit in a cache.
    """
    load = os.getloadavg()[0]
    write_config(place)
    held = stores.held(place)
    rival = kubelogin.installed(place, held)
    subjects = [*interpreters.subjects(place), *ours.subjects(place, held)]
    subjects += kubelogin.subjects(place, rival) if rival is not None else []
    subjects += whole_kubectl.subjects(place, held, rival)
    curves = [
        *tokens.curves(place, held),
        *commands.curves(place, held),
        *callers.curves(place, held, rival),
    ]
    points = [subject for curve in curves for subject in curve.points.values()]
    before = place.issuer.requests
    alone = Measured(subjects=subjects, found=measure(subjects, rounds=rounds), rounds=rounds)
    growth = Measured(subjects=points, found=measure(points, rounds=growth_rounds), rounds=growth_rounds)
    if place.api.refused or place.issuer.requests != before:
        more = place.issuer.requests - before
        raise SubjectFailed(
            f"the API server refused {place.api.refused} requests, the issuer got {more}; both should be 0"
        )
    return document(place, alone, growth, curves, load=load)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=25, help="rounds that count (default 25)")
    parser.add_argument("--growth-rounds", type=int, default=15, help="rounds of the growth curves (default 15)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured to FILE")
    parser.add_argument("--check", action="store_true", help="exit 1 where a bound is missed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
