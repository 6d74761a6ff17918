"""`python -m tests.fuzz`: run targets for a time, two at once, and write the report."""

from __future__ import annotations

import argparse
import json
import platform
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.fuzz import TARGETS
from tests.fuzz.child import RESULT
from tests.fuzz.engines import ATHERIS, engines
from tests.fuzz.report import page
from tests.fuzz.run import Result
from tests.system.parts.cache import cache_directory

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE = 2
_COVERED = re.compile(r"cov: (\d+)")


def fuzz(name: str, minutes: float, seed: int) -> list[Result]:
    """Run one target by each engine; its corpus, and inputs that failed, stay outside the tree."""
    chosen = engines()
    return [_run(name, engine, minutes * 60 / len(chosen), seed) for engine in chosen]


def _run(name: str, engine: str, seconds: float, seed: int) -> Result:
    directory = cache_directory() / "fuzz" / name
    directory.mkdir(parents=True, exist_ok=True)
    (directory / RESULT).unlink(missing_ok=True)
    words = [sys.executable, "-m", "tests.fuzz.child", name, engine, str(seconds), str(seed), str(directory)]
    done = subprocess.run(words, cwd=ROOT, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    if not (directory / RESULT).exists():
        sys.exit(f"{name} by {engine}: the run ended with {done.returncode}\n{done.stderr[-4000:]}")
    result = Result(**json.loads((directory / RESULT).read_text(encoding="utf-8")))
    covered = _COVERED.findall(done.stderr)
    result.coverage = int(covered[-1]) if covered else None
    print(f"{name} by {engine}: {result.inputs} inputs, {len(result.failures)} failures, {result.slow} too slow")
    for place, text in result.failures.items():
        print(f"{place}\n{text}\nits input is in {directory}")
    return result


def tools() -> str:
    """Name what ran."""
    guided = f"atheris {version('atheris')}, " if ATHERIS in engines() else ""
    return f"{guided}Python {platform.python_version()}"


def main() -> int:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"one of {', '.join(TARGETS)} (default: all)")
    parser.add_argument("--minutes", type=float, default=10, help="how long each target runs (default: 10)")
    parser.add_argument("--seed", type=int, default=1, help="where chance begins (default: 1)")
    parser.add_argument("--report", type=Path, help="write what ran into this report")
    options = parser.parse_args()
    unknown = [name for name in options.targets if name not in TARGETS]
    if unknown:
        parser.error(f"no target {unknown[0]}; there are {', '.join(TARGETS)}")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = pool.map(lambda name: fuzz(name, options.minutes, options.seed), options.targets or TARGETS)
        results = [result for found in runs for result in found]
    if options.report:
        options.report.parent.mkdir(parents=True, exist_ok=True)
        old = options.report.read_text(encoding="utf-8") if options.report.exists() else ""
        options.report.write_text(page(old, results, tools(), datetime.now(UTC).date()), encoding="utf-8")
    return 1 if any(result.failures or result.slow for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
