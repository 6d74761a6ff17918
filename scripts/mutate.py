"""Change the code in every small way that mutmut knows, and write down which changes no test noticed.

Each group runs on a copy of the tree in build/mutate, and gets its section of docs/reports/mutation.md.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.mutation_groups import GROUPS, Group

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "mutate"
PAGE = ROOT / "docs" / "reports" / "mutation.md"
MUTMUT = Path(sys.executable).with_name("mutmut")
COPIED = ("kubectl_stepup", "tests", "pyproject.toml")
DECIDED = ("killed", "survived", "no tests")
BOUND = 90.0
"""Percent of a file's mutants that the tests must notice."""

HEAD = f"""# Mutation report

Written by `make mutate`: mutmut changes one thing at a time in a copy of the code, and the tests named here must fail.
A mutant that they do not notice has survived, also where nobody could notice it; at least {BOUND:.0f} % of each file's
must be killed. mutmut changes what is in functions, but no function that is decorated and no table beside them.
"""

NAME = re.compile(r"(?P<module>[\w.]+)\.x(?:_|ǁ\w+ǁ)(?P<function>\w+)__mutmut_\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change: its function, and its result in mutmut's words (`killed`, `survived`, `timeout`, …)."""

    name: str
    status: str

    @property
    def _parts(self) -> re.Match[str]:
        found = NAME.fullmatch(self.name)
        if found is None:
            raise ValueError(f"{self.name!r} is no name of a mutant")
        return found

    @property
    def file(self) -> str:
        """The path of the module, from the root."""
        return self._parts["module"].replace(".", "/") + ".py"

    @property
    def function(self) -> str:
        """The function or method it is in."""
        return self._parts["function"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survivor:
    """A mutant that was not killed, with the lines it takes away and puts in, and the first one's number."""

    mutant: Mutant
    line: int
    removed: tuple[str, ...]
    added: tuple[str, ...]


def run(name: str, group: Group) -> tuple[Path, float]:
    """Let mutmut test every mutant of a group; return its directory and the seconds it took."""
    directory = WORK / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for part in COPIED:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, directory / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, directory / part)
    with (directory / "pyproject.toml").open("a", encoding="utf-8") as pyproject:
        pyproject.write(settings(group))
    started = time.monotonic()
    _test(directory)
    # On a busy machine a run may break off or take too long, which says nothing about the mutant: once more.
    undecided = [mutant.name for mutant in results(directory) if mutant.status not in DECIDED]
    if undecided:
        _test(directory, *undecided)
    return directory, time.monotonic() - started


def _test(directory: Path, *names: str) -> None:
    """Test the mutants named, or all; with CI set, Hypothesis takes the same examples every time, and its time."""
    subprocess.run([MUTMUT, "run", *names], cwd=directory, env={**os.environ, "CI": "1"}, check=True)


def settings(group: Group) -> str:
    """Return mutmut's table of pyproject.toml.

    Every mutant gets a process that has run no test before: what the tests keep between them would hide it. What that
    process leaves open at its end is not the mutant's fault.
    """
    only = [path if path.endswith(".py") else f"{path.rstrip('/')}/*" for path in group.mutated]
    selection = [*group.evaluates, *(f"--deselect={test}" for test in group.left_out)]
    return f"""
[tool.mutmut]
source_paths = ["kubectl_stepup/"]
only_mutate = {only}
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:unraisableexception"]
pytest_add_cli_args_test_selection = {selection}
process_isolation = "forkserver"
timeout_constant = 20.0
timeout_multiplier = 3.0
use_git_change_detection = false
"""


def results(directory: Path) -> list[Mutant]:
    """Read the result of every mutant."""
    lines = _mutmut(directory, "results", "--all", "true").splitlines()
    pairs = [line.strip().split(": ") for line in lines if line.strip()]
    return [Mutant(name=name, status=status) for name, status in pairs]


def survivor(directory: Path, mutant: Mutant) -> Survivor:
    """Look up what a mutant changed."""
    shown = [line for line in _mutmut(directory, "show", mutant.name).splitlines() if line[:3] not in ("---", "+++")]
    removed = tuple(line[1:].strip() for line in shown if line.startswith("-"))
    added = tuple(line[1:].strip() for line in shown if line.startswith("+"))
    source = (directory / mutant.file).read_text(encoding="utf-8")
    return Survivor(mutant=mutant, line=line_of(source, mutant.function, removed[0]), removed=removed, added=added)


def line_of(source: str, function: str, text: str) -> int:
    """Find the number of the line `text` in a function of that name."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function:
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                if lines[number - 1].strip() == text:
                    return number
    raise ValueError(f"{function} has no line {text!r}")


def _mutmut(directory: Path, *words: str) -> str:
    return subprocess.run([MUTMUT, *words], cwd=directory, check=True, capture_output=True, text=True).stdout


def scores(mutants: Iterable[Mutant]) -> dict[str, tuple[Counter[str], float]]:
    """Return, by file, the number of mutants by result, and the percentage killed."""
    counts: dict[str, Counter[str]] = {}
    for mutant in mutants:
        counts.setdefault(mutant.file, Counter())[mutant.status] += 1
    return {file: (count, 100 * count["killed"] / count.total()) for file, count in sorted(counts.items())}


def section(name: str, group: Group, mutants: Sequence[Mutant], survivors: Sequence[Survivor], how: str) -> str:
    """Write a group's part of the page; `how` says when, by what and in which time it was tested."""
    rows = [
        f"| `{file}` | {count.total()} | {count['killed']} | {count['survived']} | {count['timeout']} "
        f"| {count.total() - count['killed'] - count['survived'] - count['timeout']} | {score:.1f} % |"
        for file, (count, score) in scores(mutants).items()
    ]
    head = [
        f"## {name}",
        "",
        f"{how}. Tested by:",
        "",
        *(f"- `{tests}`" for tests in group.evaluates),
        *(f"- but not `{test}`" for test in group.left_out),
        "",
        "| file | mutants | killed | survived | timeouts | others | score |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
    ]
    reasons = {(function, line): why for function, line, why in group.equivalent}
    return "\n".join([*head, *(line for one in survivors for line in _shown(one, reasons))])


def _shown(survivor: Survivor, reasons: dict[tuple[str, str], str]) -> list[str]:
    mutant = survivor.mutant
    status = "" if mutant.status == "survived" else f" ({mutant.status})"
    why = next((reasons[key] for line in survivor.added if (key := (mutant.function, line)) in reasons), None)
    diff = [*(f"- {line}" for line in survivor.removed), *(f"+ {line}" for line in survivor.added)]
    equivalent = [f"Equivalent: {why}", ""] if why else []
    return [f"`{mutant.file}:{survivor.line}`{status}", "", "```diff", *diff, "```", "", *equivalent]


def page(old: str, name: str, text: str) -> str:
    """Return the page with one group's part written anew, those of other groups as they were."""
    parts = {part.partition("\n")[0]: f"## {part.rstrip()}" for part in old.split("\n## ")[1:]}
    parts[name] = text.rstrip()
    return "\n".join([HEAD, "\n\n".join(parts[group] for group in GROUPS if group in parts), ""])


def main(names: Sequence[str]) -> int:
    """Run the groups named, all where none is, and say whether every file reaches the bound."""
    unknown = sorted(set(names) - set(GROUPS))
    if unknown:
        sys.stderr.write(f"error: no group {', '.join(unknown)}; there are {', '.join(GROUPS)}\n")
        return 2
    below = []
    for name in names or GROUPS:
        directory, seconds = run(name, GROUPS[name])
        mutants = results(directory)
        survivors = [survivor(directory, mutant) for mutant in mutants if mutant.status != "killed"]
        survivors.sort(key=lambda one: (one.mutant.file, one.line))
        python = ".".join(map(str, sys.version_info[:3]))
        how = f"{datetime.now(UTC):%Y-%m-%d}, mutmut {version('mutmut')}, Python {python}, {seconds / 60:.0f} minutes"
        text = section(name, GROUPS[name], mutants, survivors, how)
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(PAGE.read_text("utf-8") if PAGE.exists() else "", name, text), encoding="utf-8")
        for file, (count, score) in scores(mutants).items():
            sys.stdout.write(f"{file}: {count['killed']} of {count.total()} mutants killed, {score:.1f} %\n")
            if score < BOUND:
                below.append(file)
    if below:
        sys.stderr.write(f"error: less than {BOUND:.0f} % of the mutants killed in {', '.join(below)}\n")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
