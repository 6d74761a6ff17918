"""What programs get: the JSON object, and SARIF as its schema wants it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_stepup.policy.model import Policy, Target
from kubectl_stepup.rbac.catalogue import CATALOGUE
from kubectl_stepup.rbac.findings import audit
from kubectl_stepup.rbac.model import FileLocation
from kubectl_stepup.rbac.report import document
from kubectl_stepup.rbac.sarif import _physical, sarif
from tests.rbac.weaknesses import WEAKNESSES

from .conftest import Audited, allow, bound, read


@pytest.fixture
def log(default: Policy) -> dict[str, Any]:
    """The log of the planted weaknesses, as a reader gets it."""
    written = json.dumps(sarif(audit(read(WEAKNESSES), default, Target()), version="1.2.3"))
    found: dict[str, Any] = json.loads(written)
    return found


def test_the_object_names_subject_path_and_what_to_do(audited: Audited) -> None:
    found = audited(bound(allow("get", "secrets", names="tls"), namespace="dev"))
    assert document(found, cluster="prod-eu", notes=("a note",)) == {
        "apiVersion": "kubectl-stepup.github.io/v1alpha1",
        "kind": "RbacFindingList",
        "cluster": "prod-eu",
        "counts": {"critical": 0, "high": 0, "medium": 0, "low": 1},
        "notes": ["a note"],
        "kinds": {
            "secrets-read": {
                "title": CATALOGUE["secrets-read"].title,
                "why": CATALOGUE["secrets-read"].why,
                "fix": CATALOGUE["secrets-read"].fix,
            }
        },
        "items": [
            {
                "id": "secrets-read",
                "severity": "low",
                "subject": {"kind": "Group", "name": "dev"},
                "scope": "dev",
                "actions": ["read-secrets"],
                "reaches": [],
                "needs": "mfa",
                "askedBy": ["secrets"],
                "binding": {"kind": "RoleBinding", "namespace": "dev", "name": "one"},
                "path": ["RoleBinding/one", "Role/one", "rule 1: get on secrets named tls"],
                "rules": [
                    {
                        "through": [{"kind": "Role", "namespace": "dev", "name": "one"}],
                        "index": 0,
                        "verbs": ["get"],
                        "apiGroups": [""],
                        "resources": ["secrets"],
                        "resourceNames": ["tls"],
                    }
                ],
                "file": "rbac.yaml",
                "line": 5,
            }
        ],
    }


# SARIF 2.1.0


def test_the_log_has_the_members_that_are_required(log: dict[str, Any]) -> None:
    """Sections 3.13, 3.14, 3.18, 3.19, 3.27: the required properties, and no others than the schema knows."""
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert set(run) == {"tool", "results"}
    driver = run["tool"]["driver"]
    assert set(driver) == {"name", "version", "informationUri", "rules"}
    assert driver["informationUri"].startswith("https://")


def test_every_kind_is_a_rule_and_every_result_points_at_its_own(log: dict[str, Any]) -> None:
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(CATALOGUE)
    for rule in rules:
        assert set(rule) == {"id", "shortDescription", "fullDescription", "help", "properties"}
        assert all(rule[name]["text"] for name in ("shortDescription", "fullDescription", "help"))
    assert {rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"]} == {True}


def test_a_result_has_level_message_place_and_fingerprint(log: dict[str, Any]) -> None:
    (run,) = log["runs"]
    assert len(run["results"]) >= 40
    for one in run["results"]:
        assert one["level"] in {"error", "warning", "note"}
        assert one["message"]["text"]
        (location,) = one["locations"]
        physical = location["physicalLocation"]
        assert physical["artifactLocation"]["uri"] == WEAKNESSES.as_uri()
        assert physical["region"]["startLine"] >= 1
        assert len(one["partialFingerprints"]["kubectlStepup/v1"]) == 32
    prints = [one["partialFingerprints"]["kubectlStepup/v1"] for one in run["results"]]
    assert len(set(prints)) == len(prints)


def test_the_line_is_that_of_the_rule(log: dict[str, Any]) -> None:
    lines = WEAKNESSES.read_text(encoding="utf-8").splitlines()
    (run,) = log["runs"]
    for code, text in [
        ("bind", "verbs: [bind]"),
        ("node-proxy", "nodes/proxy"),
        ("level-grants", "ClusterRoleBinding"),
    ]:
        (result,) = [one for one in run["results"] if one["ruleId"] == code]
        line = result["locations"][0]["physicalLocation"]["region"]["startLine"]
        assert text in "\n".join(lines[line - 1 : line + 1]), code


@pytest.mark.parametrize(
    ("location", "uri"),
    [
        (FileLocation(file="rbac/a b.yaml", line=3), "rbac/a%20b.yaml"),
        (FileLocation(file="/etc/rbac.yaml"), "file:///etc/rbac.yaml"),
        (FileLocation(file="C:\\rbac\\x.yaml"), "file:///C:/rbac/x.yaml"),
    ],
)
def test_a_file_is_an_address(location: FileLocation, uri: str) -> None:
    physical = _physical(location)["physicalLocation"]
    assert physical["artifactLocation"] == {"uri": uri}
    assert physical.get("region") == ({"startLine": location.line} if location.line else None)


@pytest.mark.parametrize("location", [None, FileLocation(file=""), FileLocation(file="-")])
def test_what_is_in_no_file_has_no_address(location: FileLocation | None) -> None:
    assert _physical(location) == {}
