"""The page that says what the fuzzers found: a section for each target, written anew when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from tests.fuzz.run import Result

HEAD = """\
# Fuzzing

Written by `make fuzz`; do not edit. Each target says when it ran last.

A failure is an exception that the part does not document, or an answer that must not be: a decision that differs when
it is asked for again, a manifest that nobody could read and that passes, a policy that comes back different from its
compiled form; a token that passes with a wrong signature or against a rule, an endpoint on a host that is not enrolled,
a flow that goes on when its code is over, an error that a terminal would obey or that fills it. An outcome is the kind
of answer, with the command or the error's text.

How long an answer takes is given in milliseconds of processor time, in the runs by chance: these begin with all the
inputs that atheris kept, and nothing is instrumented in them. Too slow is more than 100 ms; for what is large (command
lines of more than 500 words, manifests of more than 1,000 objects, key sets of more than 10,000 bytes) more than a
second, and a kubeconfig one for each half megabyte. What is too slow is measured again, and as much is taken off as the
machine is slow just then.
"""
COLUMNS = (
    *("inputs chosen by", "minutes", "seed", "inputs", "branches reached", "different outcomes", "failures"),
    *("timed", "median", "slowest", "slowest large", "too slow"),
)
READS: Mapping[str, str] = {
    "command": "command lines: of the grammar, damaged, of unusual words, of thousands of words",
    "manifest": "what kubectl prints about manifests, and patches",
    "policy": "policy files: of the schema, damaged, with every unusual form of YAML; those that load decide commands",
    "policy-cases": "files of `policy test`, in the same way",
    "kubeconfig": "kubeconfigs: of every form, damaged, with every unusual form of YAML; their contexts are followed",
    "id-token": "ID tokens: of a foreign key, damaged, and rightly signed ones whose claims are unusual",
    "jwks": "key sets in which the token's own key is damaged, hidden among others, or missing",
    "discovery": "discovery documents, damaged, with addresses of every unusual form",
    "device": "device authorization responses, and the prompt that they lead to",
    "token-response": "what the token endpoint answers to a whole device flow",
    "http-answer": "answers byte by byte: interim ones, heads, chunks, trailers, redirects, compressed and cut ones",
}


def page(old: str, results: Iterable[Result], tools: str, day: date) -> str:
    """Return the page with the targets that ran written anew, those of earlier runs as they were."""
    parts = {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in old.split("\n## ")[1:]}
    runs: dict[str, list[Result]] = {}
    for result in results:
        runs.setdefault(result.target, []).append(result)
    parts |= {f"`{name}`": _section(name, found, tools, day) for name, found in runs.items()}
    return "\n".join([HEAD, *(parts[f"`{name}`"] for name in READS if f"`{name}`" in parts)])


def _section(name: str, results: Iterable[Result], tools: str, day: date) -> str:
    lines = [
        f"## `{name}`",
        "",
        f"Reads {READS[name]}.",
        f"Ran {day} with {tools}.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|---" * len(COLUMNS) + "|",
        *(f"| {' | '.join(_row(result))} |" for result in results),
        "",
    ]
    return "\n".join(lines)


def _row(result: Result) -> tuple[str, ...]:
    found = (
        *(result.engine, f"{result.seconds / 60:.1f}", f"{result.seed}", f"{result.inputs:,}"),
        *("" if result.coverage is None else f"{result.coverage}", f"{result.outcomes}", f"{len(result.failures)}"),
    )
    if not result.decisions:
        return (*found, *[""] * (len(COLUMNS) - len(found)))
    times = (f"{result.median_ms:.2f}", f"{result.slowest_ms:.1f}", f"{result.slowest_long_ms:.1f}")
    return (*found, f"{result.decisions:,}", *times, f"{result.slow}")
