"""The page that says what a run of the fuzzers found."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from tests.fuzz.run import Result

HEAD = """\
# Fuzzing

Written by `make fuzz`; do not edit. Last run: {day}, {tools}.

{summary}

| target | inputs chosen by | minutes | seed | inputs | branches reached | different outcomes | failures |
|---|---|---|---|---|---|---|---|
"""
DECISIONS = """
How long a decision takes, in milliseconds of processor time, in the runs by chance: these begin with all the
inputs that atheris kept, and nothing is instrumented in them. Too slow is more than 100 ms; for command lines of more
than 500 words, and manifests of more than 1,000 objects, more than a second. What is too slow is measured again, and as
much is taken off as the machine is slow just then.

| target | decisions | median | slowest | slowest of thousands of words or objects | too slow |
|---|---|---|---|---|---|
"""
ABOUT = """
| target | what it reads |
|---|---|
| `command` | command lines: of the grammar, damaged, of odd words, of thousands of words |
| `manifest` | what kubectl prints about manifests, and patches |
| `policy` | policy files: of the schema, damaged, with every odd thing that YAML has; those that load decide commands |
| `policy-cases` | files of `policy test`, in the same way |

A failure is an exception that the part does not document, or an answer that must not be: a decision that differs when
it is asked for again, a manifest that nobody could read and that passes, a policy that comes back different from its
compiled form. An outcome is the kind of decision or error, with the command or the error's text.
"""


def report(results: Iterable[Result], tools: str, day: date) -> str:
    """Write the page."""
    found = list(results)
    failures, slow = sum(len(one.failures) for one in found), sum(one.slow for one in found)
    inputs = sum(one.inputs for one in found)
    summary = (
        f"{inputs:,} inputs: {failures} uncaught exceptions or wrong answers, {slow} decisions that took too long."
    )
    runs = "".join(
        f"| `{one.target}` | {one.engine} | {one.seconds / 60:.1f} | {one.seed} | {one.inputs:,} "
        f"| {'' if one.coverage is None else one.coverage} | {one.outcomes} | {len(one.failures)} |\n"
        for one in found
    )
    times = "".join(
        f"| `{one.target}` | {one.decisions:,} | {one.median_ms:.2f} | {one.slowest_ms:.1f} "
        f"| {one.slowest_long_ms:.1f} | {one.slow} |\n"
        for one in found
        if one.decisions
    )
    return HEAD.format(day=day, tools=tools, summary=summary) + runs + DECISIONS + times + ABOUT
