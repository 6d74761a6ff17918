"""A policy as the document that it could be read from: what `policy show` prints."""

from __future__ import annotations

from kubectl_stepup.names import API_VERSION
from kubectl_stepup.policy.document import KIND
from kubectl_stepup.policy.explain import duration
from kubectl_stepup.policy.model import Level, Rule, Selector, Where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kubectl_stepup.policy.model import Grant, Policy

REQUIRED = "required"


def document_of(policy: Policy) -> dict[str, Any]:
    """Return the document, without what is as it would be if it were left out.

    It has every level that a rule needs: those that only a cluster has stand above this machine's.
    """
    return _filled(
        {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "who": policy.who,
            "levels": [level_document(level) for level in policy.all_levels],
            "rules": [rule_document(rule) for rule in policy.rules],
            "commands": dict(policy.commands),
            "grants": [_grant(grant) for grant in policy.grants],
            "minClientVersion": policy.min_client_version,
        }
    )


def level_document(level: Level) -> dict[str, Any]:
    """Return one level; `askAgainAfter: 0s` is always said."""
    return _filled(
        {
            "name": level.name,
            "signedInWithin": duration(level.signed_in_within_s),
            "askAgainAfter": duration(level.ask_again_after_s),
            "reason": REQUIRED if level.reason_required else None,
            "serverWindow": _duration(level.server_window_s),
            "maxDuration": _duration(level.max_duration_s),
            "help": None if level.help is None else level.help.text,
            "runbook": level.runbook,
        }
    )


def rule_document(rule: Rule) -> dict[str, Any]:
    """Return one rule."""
    return _filled(
        {
            "name": rule.name,
            "do": sorted(rule.actions),
            "verbs": sorted(rule.verbs),
            "apiGroups": list(rule.api_groups),
            "resources": list(rule.resources),
            **selector_document(rule.selector),
            "except": [selector_document(one) for one in rule.excluded],
            "where": where_document(rule.where),
            "needs": rule.needs,
            "mode": None if rule.mode == "enforce" else rule.mode,
            "reason": REQUIRED if rule.reason_required else None,
            "ticket": rule.ticket,
            "message": None if rule.message is None else rule.message.text,
        }
    )


def selector_document(selector: Selector) -> dict[str, Any]:
    """Return the fields of a selector that select."""
    return _filled(
        {
            "clusters": list(selector.clusters),
            "labels": {key: list(patterns) for key, patterns in selector.labels},
            "namespaces": list(selector.namespaces),
            "names": list(selector.names),
        }
    )


def where_document(where: Where) -> dict[str, Any]:
    """Return what a rule asks of the command itself."""
    return _filled(
        {"all": where.all, "objects": where.objects, "force": where.force, "dryRun": list(where.dry_run)},
    )


def _grant(grant: Grant) -> dict[str, Any]:
    return _filled(
        {"level": grant.level, "group": grant.group, "role": grant.role, "namespaces": list(grant.namespaces)}
    )


def _duration(seconds: int | None) -> str | None:
    return None if seconds is None else duration(seconds)


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is not there: None, and empty lists and mappings; false and 0 are there."""
    return {name: value for name, value in fields.items() if value is not None and value not in ([], {})}
