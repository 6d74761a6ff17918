"""Findings as SARIF 2.1.0, for code scanning.

Spec: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

from kubectl_stepup.rbac.catalogue import CATALOGUE
from kubectl_stepup.rbac.finding import CRITICAL, HIGH, LOW, MEDIUM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from kubectl_stepup.rbac.finding import RbacFinding
    from kubectl_stepup.rbac.model import FileLocation

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
INFORMATION = "https://kubectl-stepup.github.io"
_LEVELS: Mapping[str, str] = {CRITICAL: "error", HIGH: "error", MEDIUM: "warning", LOW: "note"}
_SCORES: Mapping[str, str] = {CRITICAL: "9.5", HIGH: "8.0", MEDIUM: "5.0", LOW: "2.0"}
"""What code scanning reads as `security-severity` (a CVSS score)."""


def sarif(findings: Sequence[RbacFinding], *, version: str) -> dict[str, Any]:
    """Return a SARIF log with one run; every kind of finding is a rule of it, found or not."""
    positions = {code: at for at, code in enumerate(CATALOGUE)}
    driver = {
        "name": "kubectl-stepup",
        "version": version,
        "informationUri": INFORMATION,
        "rules": [_rule(code) for code in CATALOGUE],
    }
    results = [_result(one, positions[one.code]) for one in findings]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _rule(code: str) -> dict[str, Any]:
    entry = CATALOGUE[code]
    return {
        "id": code,
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": entry.why},
        "help": {"text": entry.fix},
        "properties": {"tags": ["security", "kubernetes", "rbac"]},
    }


def _result(finding: RbacFinding, position: int) -> dict[str, Any]:
    entry = CATALOGUE[finding.code]
    binding = finding.binding
    logical = {"fullyQualifiedName": f"{finding.scope}/{binding}", "kind": "resource"}
    note = f" {finding.note}." if finding.note else ""
    path = " -> ".join(finding.path)
    return {
        "ruleId": finding.code,
        "ruleIndex": position,
        "level": _LEVELS[finding.severity],
        "message": {
            "text": f"{finding.subject} ({finding.scope}): {entry.title}. {path}.{note} To fix it: {entry.fix}"
        },
        "locations": [{"logicalLocations": [logical], **_physical(finding.location)}],
        "partialFingerprints": {"kubectlStepup/v1": sha256(finding.identity.encode()).hexdigest()[:32]},
        "properties": {"severity": finding.severity, "security-severity": _SCORES[finding.severity]},
    }


def _physical(location: FileLocation | None) -> dict[str, Any]:
    """Return the location in a file; none for what came from a cluster or from standard input."""
    if location is None or not location.file or location.file == "-":
        return {}
    region = {} if location.line is None else {"region": {"startLine": location.line}}
    path = location.file.replace("\\", "/")
    drive = path[1:3] == ":/"
    uri = quote(path, safe="/:" if drive else "/")
    if drive or path.startswith("/"):
        uri = f"file://{'/' if drive else ''}{uri}"
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, **region}}
