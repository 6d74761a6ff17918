"""The lines of `policy explain`: what a command would do, what policy says, by which rule, and why."""

from __future__ import annotations

from kubectl_stepup.globs import matches
from kubectl_stepup.kubectl.proxied import ANSWERED
from kubectl_stepup.policy.decision import describe
from kubectl_stepup.policy.folding import also_published, folded
from kubectl_stepup.policy.summary import summary_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_stepup.kubectl.command import KubectlCommand
    from kubectl_stepup.policy.decision import Decision, MatchedRule
    from kubectl_stepup.policy.model import Policy, Target
    from kubectl_stepup.policy.quoted_text import QuotedText

SHOWN = 10
"""So many requests are shown; a command can name thousands of objects."""


def explain(
    policy: Policy, command: KubectlCommand, decision: Decision, target: Target, *, context: str | None = None
) -> tuple[tuple[str, str], ...]:
    """Return the lines as label and text: REQUEST, SUMMARY, DECISION, and RULE with WHY for each rule that matched.

    The summary is what the prompt would begin with. A rule that a cluster publishes as it stands on this machine is
    told once.
    """
    policy = policy.on(target)
    lines = [("REQUEST", text) for text in _requests(command, decision, context)]
    if decision.rules:
        lines.append(("SUMMARY", summary_of(decision)))
    answered = f"; {ANSWERED}" if decision.effect == "stepup" and command.read_path is not None else ""
    lines.append(("DECISION", _decision(policy, decision) + answered))
    found = (*decision.rules, *decision.warned, *decision.audited)
    publishers = folded([match.rule for match in found])
    for match in sorted(found, key=lambda match: match.rule.needs != decision.level):
        rule = match.rule
        if rule not in publishers:
            continue
        mode = "" if rule.mode == "enforce" else f"  ({rule.mode})"
        also = also_published(publishers[rule])
        lines.append(("RULE", f"{rule.name}   {rule.file}:{rule.line}{mode}{f'  ({also})' if also else ''}"))
        lines.append(("WHY", "; ".join(_reasons(match, target))))
    if not found or decision.effect == "refuse":
        lines.append(("WHY", decision.why))
    return tuple(lines)


def _requests(command: KubectlCommand, decision: Decision, context: str | None) -> Iterator[str]:
    if not decision.requests:
        yield "nothing is sent" if command.known else "not known"
        return
    matched = [entry for found in (*decision.rules, *decision.warned, *decision.audited) for entry in found.requests]
    where = f", context {context}" if context else ""
    entries = tuple(dict.fromkeys(matched)) or decision.requests
    for entry in entries[:SHOWN]:
        yield f"{entry.describe()}{where}"
    if len(entries) > SHOWN:
        yield f"and {len(entries) - SHOWN} more"


def _decision(policy: Policy, decision: Decision) -> str:
    if decision.effect == "allow":
        return "allowed, runs as it is"
    if decision.effect == "refuse":
        return "refused"
    level = policy.level_for(decision, decision.level or "")
    extra = ", with a reason" if decision.reason_required and not decision.tickets else ""
    extra += "".join(f", with a reason that names a ticket {_like(ticket)}" for ticket in decision.tickets)
    extra += f", ended after {duration(level.max_duration_s)}" if level.max_duration_s is not None else ""
    return f"step-up to {level.name}, sign-in at most {duration(level.signed_in_within_s)} old{extra}"


def _like(ticket: QuotedText) -> str:
    return f"like {ticket.text}" if ticket.cluster is None else f"as cluster {ticket.cluster} wants it"


def duration(seconds: int) -> str:
    """Write seconds as a policy does: `1h30m`, `15m`, `0s`."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "m"), (rest, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"


def _reasons(match: MatchedRule, target: Target) -> Iterator[str]:
    rule, entry = match.rule, match.requests[0]
    if match.actions:
        yield f"{describe(match)} is {' and '.join(match.actions)}"
    else:
        yield f"verb {entry.verb} in [{' '.join(sorted(rule.verbs))}]"
        if rule.resources:
            yield f"{entry.resource.name} in [{' '.join(rule.resources)}]"
    selector = rule.selector
    yield from _selected("cluster", target.cluster, selector.clusters)
    for key, patterns in selector.labels:
        yield from _selected(f"label {key}", None if target.labels is None else target.labels.get(key), patterns)
    yield from _selected("namespace", entry.namespace, selector.namespaces)
    yield from _selected("name", entry.name, selector.names)


def _selected(what: str, value: str | None, patterns: Sequence[str]) -> Iterator[str]:
    if not patterns:
        return
    if value is None:
        yield f"no one {what} is known, so every rule about {what}s counts"
        return
    pattern = next((pattern for pattern in patterns if matches(value, pattern)), None)
    yield f"{what} {value} matches {pattern}" if pattern else f"{what} {value} is not all that it is about"
