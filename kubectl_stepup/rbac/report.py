"""Findings as an object for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.names import API_VERSION
from kubectl_stepup.rbac.catalogue import CATALOGUE
from kubectl_stepup.rbac.finding import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from kubectl_stepup.rbac.aggregation import EffectiveRule
    from kubectl_stepup.rbac.finding import RbacFinding
    from kubectl_stepup.rbac.model import Subject

BLIND_SPOTS = (
    "members of system:masters come from client certificates: RBAC does not show who they are, and no rule binds them",
    "RBAC does not show who is in a group, nor what other authorizers allow (Node, webhooks, the cloud's own)",
)
"""What this audit cannot see; every report says it."""


def counts(findings: Iterable[RbacFinding]) -> dict[str, int]:
    """Count findings by severity, the worst first."""
    found = dict.fromkeys(reversed(SEVERITIES), 0)
    for one in findings:
        found[one.severity] += 1
    return found


def document(findings: Sequence[RbacFinding], *, cluster: str | None, notes: Sequence[str]) -> dict[str, Any]:
    """Return the object of `-o json` and `-o yaml`; programs rely on these fields."""
    return {
        "apiVersion": API_VERSION,
        "kind": "RbacFindingList",
        "cluster": cluster,
        "counts": counts(findings),
        "notes": list(notes),
        "kinds": {code: _kind(code) for code in dict.fromkeys(one.code for one in findings)},
        "items": [_item(one) for one in findings],
    }


def _kind(code: str) -> dict[str, str]:
    entry = CATALOGUE[code]
    return {"title": entry.title, "why": entry.why, "fix": entry.fix}


def _item(finding: RbacFinding) -> dict[str, Any]:
    location, binding = finding.location, finding.binding
    return {
        "id": finding.code,
        "severity": finding.severity,
        "subject": _subject(finding.subject),
        "scope": finding.scope,
        "actions": list(finding.actions),
        "reaches": list(finding.reaches),
        "needs": finding.level,
        "askedBy": list(finding.asked_by),
        "binding": _named(binding.kind, binding.namespace, binding.name),
        "path": list(finding.path),
        "rules": [_rule(one) for one in finding.rules],
        **({"note": finding.note} if finding.note else {}),
        **({"file": location.file, "line": location.line} if location else {}),
    }


def _subject(subject: Subject) -> dict[str, str]:
    return _named(subject.kind, subject.namespace, subject.name)


def _named(kind: str, namespace: str, name: str) -> dict[str, str]:
    return {"kind": kind, **({"namespace": namespace} if namespace else {}), "name": name}


def _rule(effective: EffectiveRule) -> dict[str, Any]:
    rule = effective.rule
    fields = {
        "verbs": rule.verbs,
        "apiGroups": rule.api_groups,
        "resources": rule.resources,
        "resourceNames": rule.resource_names,
        "nonResourceURLs": rule.urls,
    }
    through = [_named(role.kind, role.namespace, role.name) for role in effective.through]
    return {
        "through": through,
        "index": effective.index,
        **{key: list(value) for key, value in fields.items() if value},
    }
