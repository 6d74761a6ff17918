"""What is wrong with a policy that loads: rules that decide nothing, globs that select nothing, levels nobody proves.

A warning is a mistake, or will be one on the day it matters; a note is worth knowing.
"""

from __future__ import annotations

from kubectl_stepup.globs import matches, matches_any
from kubectl_stepup.kubectl.grammar_table import COMMANDS
from kubectl_stepup.kubectl.resources import ANY, is_built_in, resources_named
from kubectl_stepup.kubectl.subresources import verbs_of
from kubectl_stepup.policy.covering import covers
from kubectl_stepup.policy.folding import folded
from kubectl_stepup.policy.levels import SHORTEST_WINDOW_S
from kubectl_stepup.policy.model import Selector, Where
from kubectl_stepup.values import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kubectl_stepup.policy.model import Level, Policy, Rule

WARNING = "warning"
NOTE = "note"


class Enrolled(Record):
    """What is enrolled: clusters by name with their labels, and for each provider the levels it has evidence for."""

    clusters: Mapping[str, Mapping[str, str]]
    proven: Mapping[str, frozenset[str]]


class Finding(Record):
    """One thing; `rule` is the name of the rule, level or command that it is about."""

    severity: str
    code: str
    file: str
    line: int
    about: str
    message: str


def lint(policy: Policy, enrolled: Enrolled) -> tuple[Finding, ...]:
    """Return all findings, in the order of the rules; those about no rule come last."""
    anywhere = policy.replace(levels=policy.all_levels)
    listed = folded(policy.rules)
    found = [
        finding
        for at, rule in enumerate(policy.rules)
        if rule in listed
        for finding in (_of_rule if rule.published is None else _of_published)(anywhere, at, rule, enrolled)
    ]
    return (*found, *_of_levels(policy, enrolled), *_of_commands(policy), *_of_clusters(policy))


def _of_rule(policy: Policy, at: int, rule: Rule, enrolled: Enrolled) -> Iterator[Finding]:
    def finding(severity: str, code: str, message: str) -> Finding:
        return Finding(
            severity=severity, code=code, file=rule.file, line=rule.line, about=f"rule {rule.name}", message=message
        )

    covering = _covering(policy, at)
    if covering is not None:
        yield finding(
            WARNING,
            "never-decides",
            f"decides nothing: rule {covering.name} asks for {covering.needs} in all of its cases",
        )
    for message in _resources(rule):
        yield finding(WARNING, "matches-nothing", message)
    for message in _selectors(rule, enrolled):
        yield finding(WARNING, "selects-nothing", message)
    if rule.where != Where():
        yield finding(NOTE, "client-only", "`where` is about the command line: no server can hold this rule")


def _of_published(policy: Policy, at: int, rule: Rule, enrolled: Enrolled) -> Iterator[Finding]:
    """Look at a published rule: whoever publishes it can mend it, so there is nothing to warn of here."""
    del at
    messages = [(one, "matches-nothing") for one in _resources(rule)]
    messages += [(one, "selects-nothing") for one in _selectors(rule, enrolled)]
    for message, code in messages:
        yield Finding(
            severity=NOTE, code=code, file=rule.file, line=rule.line, about=f"rule {rule.name}", message=message
        )


def _covering(policy: Policy, at: int) -> Rule | None:
    """Find a rule that makes the one at `at` pointless; of two that are the same, the later one is."""
    rule = policy.rules[at]
    if rule.mode != "enforce" or rule.ticket or rule.message or rule.reason_required:
        return None
    for other_at, other in enumerate(policy.rules):
        if (
            other_at == at
            or other.mode != "enforce"
            or other.published is not None
            or policy.rank(other.needs) < policy.rank(rule.needs)
        ):
            continue
        same = covers(rule, other) and policy.rank(other.needs) == policy.rank(rule.needs)
        if covers(other, rule) and not (same and other_at > at):
            return other
    return None


def _resources(rule: Rule) -> Iterator[str]:
    for pattern in rule.resources:
        name, _, subresource = pattern.partition("/")
        better = _better_name(name)
        if better is not None:
            yield f"resource {name!r} is no plural name: nothing is called so; write {better}"
        possible = verbs_of(name, subresource)
        if possible is None or "*" in rule.verbs:
            continue
        never = sorted(rule.verbs - possible)
        if never:
            whole = "no request can match" if not rule.verbs & possible else "these never come"
            yield f"{whole}: {', '.join(never)} on {pattern}; it knows {', '.join(sorted(possible))}"


def _better_name(name: str) -> str | None:
    """Return the plural name that a singular, short or capital one of a built-in resource means."""
    if not name or any(letter in "*?[" for letter in name) or is_built_in(name):
        return None
    found = [one for one in resources_named(name) if one.built_in]
    return found[0].name if len(found) == 1 and found[0].name != ANY else None


def _selectors(rule: Rule, enrolled: Enrolled) -> Iterator[str]:
    if not enrolled.clusters:
        return
    for selector, where in ((rule.selector, ""), *((one, "except: ") for one in rule.excluded)):
        yield from (f"{where}{message}" for message in _of_selector(selector, enrolled.clusters))


def _of_selector(selector: Selector, clusters: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for pattern in selector.clusters:
        if not any(matches(name, pattern) for name in clusters):
            yield f"no enrolled cluster is called {pattern} (enrolled: {', '.join(sorted(clusters))})"
    for key, patterns in selector.labels:
        if not any(key in labels and matches_any(labels[key], patterns) for labels in clusters.values()):
            yield f"no enrolled cluster has the label {key}={','.join(patterns)}"


def _of_levels(policy: Policy, enrolled: Enrolled) -> Iterator[Finding]:
    needed = {rule.needs for rule in policy.rules} | set(policy.commands.values())
    for level in policy.all_levels:
        about = f"level {level.name}"
        if level.name not in needed:
            yield _general(policy, NOTE, "unused", about, "no rule needs it")
        for provider, levels in sorted(enrolled.proven.items()):
            if level.name in needed and level.name not in levels:
                message = f"nothing proves it at {provider}: commands that need it are refused there"
                yield _general(policy, WARNING, "no-evidence", about, message)


def _of_clusters(policy: Policy) -> Iterator[Finding]:
    """Say of each cluster what it publishes that cannot be used, or that lets nobody through."""
    for cluster, found in policy.by_cluster.items():
        if cluster is None:
            continue
        file = f"{cluster} (published)"
        if found.problem is not None:
            yield _whole(file, WARNING, "not-usable", f"cluster {cluster}", found.problem)
        yield from _windows(found.levels, file=file, by=cluster)
    yield from _windows(policy.levels, file=_first(policy.files), by=None)


def _windows(levels: Sequence[Level], *, file: str, by: str | None) -> Iterator[Finding]:
    for level in levels:
        window = level.server_window_s
        if window is not None and window < SHORTEST_WINDOW_S and level.window_by == by:
            message = f"its serverWindow of {window}s lets no token through; {SHORTEST_WINDOW_S}s is the least"
            yield _whole(file, WARNING, "window-too-short", f"level {level.name}", message)


def _of_commands(policy: Policy) -> Iterator[Finding]:
    for word in policy.commands:
        if any(path.split(" ")[0] == word for path in COMMANDS):
            message = "is kubectl's own command: rules decide about it, and this never counts"
            yield _general(policy, WARNING, "own-command", f"command {word}", message)


def _general(policy: Policy, severity: str, code: str, about: str, message: str) -> Finding:
    return _whole(_first(policy.files), severity, code, about, message)


def _whole(file: str, severity: str, code: str, about: str, message: str) -> Finding:
    return Finding(severity=severity, code=code, file=file, line=0, about=about, message=message)


def _first(files: Sequence[str]) -> str:
    return files[0] if files else ""
