"""Why the reader may name more than comes, and refuse what kubectl runs: every case is one of these, or an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kubectl_stepup.kubectl.request import UNREAD
from tests.system.differential.verdict import Verdict

COMPARING = {
    *("annotate", "apply", "apply set-last-applied", "auth reconcile", "cordon", "drain", "label", "taint", "uncordon"),
    *("set env", "set image", "set resources", "set selector", "set serviceaccount", "set subject"),
    *("rollout pause", "rollout resume", "rollout undo"),
}
"""Commands that send nothing where their change makes no difference."""


def _command(*paths: str) -> Callable[[Verdict], bool]:
    return lambda verdict: verdict.path in paths


def _raw(verdict: Verdict) -> bool:
    return bool(verdict.command.line.all("raw")) and "raw" in verdict.command.line.own


def _resolves(verdict: Verdict) -> bool:
    return verdict.path == "set env" and verdict.command.line.on("resolve")


def _chose_nothing(verdict: Verdict) -> bool:
    """A list came for everything that was asked about without a name."""
    listed = {(group, resource) for verb, group, resource, *_ in verdict.outcome.requests if verb == "list"}
    return bool(listed) and all(entry.name is None for entry in verdict.asked)


def _was_so_already(verdict: Verdict) -> bool:
    """The command compares before it writes, and what it would have changed was read."""
    read = {row[5] for row in verdict.outcome.requests}
    listed = any(row[0] == "list" for row in verdict.outcome.requests)
    return verdict.path in COMPARING and all(
        listed or entry.name is None or entry.name in read for entry in verdict.asked
    )


def _left_out(verdict: Verdict) -> bool:
    """The objects of a manifest are compared with the selector by kubectl itself."""
    return bool(verdict.command.manifests) and bool(verdict.command.line.last("selector"))


def _asks_itself(verdict: Verdict) -> bool:
    return verdict.path == "delete" and verdict.command.line.on("interactive")


def _unread(verdict: Verdict) -> bool:
    return any(UNREAD in entry.marks for entry in verdict.asked)


ASKED: Mapping[str, Callable[[Verdict], bool]] = {
    "`--raw`: any path may lead anywhere": _raw,
    "an editor: nobody knows what will be made of the object": _command("edit", "apply edit-last-applied"),
    "`describe` of a service account: another kubectl reads secrets for it": _command("describe"),
    "`set env --resolve` reads what the variables refer to, and these refer to nothing": _resolves,
    "a manifest that nobody could read": _unread,
    "`delete --interactive`, and nobody said yes": _asks_itself,
    "the selector chose nothing": _chose_nothing,
    "the selector left out what the manifest has": _left_out,
    "it was so already": _was_so_already,
}
"""Reasons for asking where nothing came, each with its test; the first that fits counts."""

REFUSED: Mapping[str, Callable[[Verdict], bool]] = {
    "a word behind a command that has subcommands: a newer kubectl may have it": (
        lambda verdict: (verdict.command.problem or "").startswith("unknown command 'cluster-info ")
    ),
    "nothing to change is given: flags without a value": (
        lambda verdict: (verdict.command.problem or "").endswith("nothing to change is given")
    ),
}
"""Reasons for refusing what kubectl runs."""


def asked_family(verdict: Verdict) -> str | None:
    """Return the reason for what was over-asked; None where there is none."""
    return next((name for name, fits in ASKED.items() if fits(verdict)), None)


def refused_family(verdict: Verdict) -> str | None:
    """Return the reason for the refusal; None where there is none."""
    return next((name for name, fits in REFUSED.items() if fits(verdict)), None)
