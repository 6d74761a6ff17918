"""The screens of `policy show` and `policy lint`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.durations import duration
from kubectl_stepup.policy.folding import also_published, folded
from kubectl_stepup.sanitise import safe
from kubectl_stepup.ui.tables import NONE, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kubectl_stepup.policy.expansion import Expansion
    from kubectl_stepup.policy.lint import Finding
    from kubectl_stepup.policy.model import Level, Policy, Rule, Selector, Where


def policy_screen(policy: Policy) -> str:
    """Draw levels, rules and `commands`."""
    parts = [
        table(("LEVEL", "SIGNED IN WITHIN", "ASK AGAIN AFTER", "REASON"), [_level(level) for level in policy.levels]),
        *_on_clusters(policy),
        table(
            ("RULE", "NEEDS", "WHAT", "WHERE", "MODE", "FROM"),
            [_rule(rule, also) for rule, also in folded(policy.rules).items()],
        ),
    ]
    if policy.commands:
        parts.append(table(("COMMAND", "NEEDS"), sorted(policy.commands.items())))
    return "\n\n".join(parts)


def expansion_screen(expansions: Mapping[str, Sequence[Expansion]]) -> str:
    """Draw the requests of each action, a row for each kind."""
    rows = [
        (action, _list(one.verbs), one.enforced_by, one.only or NONE, " ".join(one.resources))
        for action, expanded in expansions.items()
        for one in expanded
    ]
    return table(("ACTION", "VERBS", "ENFORCED BY", "ONLY", "RESOURCES"), rows)


def lint_lines(findings: Sequence[Finding]) -> list[str]:
    """Return a line for each finding, as compilers do, and the totals."""
    lines = []
    for one in findings:
        place = f"{one.file}:{one.line}" if one.line else one.file
        lines.append(safe(f"{place}: {one.severity}: {one.about}: {one.message} [{one.code}]", 2000))
    warnings = sum(one.severity == "warning" for one in findings)
    return [*lines, f"{_counted(warnings, 'warning')}, {_counted(len(findings) - warnings, 'note')}"]


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _level(level: Level) -> tuple[str, ...]:
    again = duration(level.ask_again_after_s) if level.ask_again_after_s else "each command"
    return level.name, duration(level.signed_in_within_s), again, "required" if level.reason_required else NONE


def _on_clusters(policy: Policy) -> list[str]:
    """Draw the levels that a cluster's published policy changes, and published policies that cannot be used."""
    own = [_level(level) for level in policy.levels]
    rows: list[tuple[str, ...]] = []
    problems = []
    for cluster, found in policy.by_cluster.items():
        if cluster is None:
            continue
        if found.problem is not None:
            problems.append(f"what cluster {cluster} published cannot be used: {safe(found.problem, 500)}")
        rows += [(cluster, *_level(level)) for level in found.levels if _level(level) not in own]
    header = ("ON CLUSTER", "LEVEL", "SIGNED IN WITHIN", "ASK AGAIN AFTER", "REASON")
    return [*([table(header, rows)] if rows else []), *problems]


def _rule(rule: Rule, also: Sequence[str]) -> tuple[str, ...]:
    what = f"do {','.join(sorted(rule.actions))}" if rule.actions else _by_name(rule)
    published = also_published(also)
    source = f"{rule.file}:{rule.line}{f' ({published})' if published else ''}"
    return rule.name, rule.needs, what, _where(rule), rule.mode, source


def _by_name(rule: Rule) -> str:
    groups = f" in {_list(group or '(core)' for group in rule.api_groups)}" if rule.api_groups else ""
    resources = f" {_list(rule.resources)}" if rule.resources else ""
    return f"{','.join(sorted(rule.verbs))}{resources}{groups}"


def _where(rule: Rule) -> str:
    parts = [*_selected(rule.selector), *_conditions(rule.where)]
    parts += [f"not ({' '.join(_selected(one))})" for one in rule.excluded]
    return " ".join(parts) or "everywhere"


def _selected(selector: Selector) -> list[str]:
    named = (("clusters", selector.clusters), ("namespaces", selector.namespaces), ("names", selector.names))
    labels = [f"{key}={_list(patterns)}" for key, patterns in selector.labels]
    return [*(f"{name}={_list(patterns)}" for name, patterns in named if patterns), *labels]


def _conditions(where: Where) -> list[str]:
    conditions = (
        ("all", where.all),
        ("objects", where.objects),
        ("force", where.force),
        ("dryRun", _list(where.dry_run)),
    )
    return [f"{name}={str(value).lower()}" for name, value in conditions if value is not None and value != ""]


def _list(texts: Iterable[str]) -> str:
    return ",".join(texts)
