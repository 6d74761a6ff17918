"""Which part of a rule is enforced by what, and on which clusters it counts."""

from __future__ import annotations

import pytest

from kubectl_stepup.enforce.plan import TargetCluster, points, rules_on
from tests.unit.enforce.policies import PROD, policy


def by(*rules: str, cluster: TargetCluster = PROD) -> list[tuple[str, str]]:
    return [(point.what, point.by) for point in points(policy(*rules), cluster)]


@pytest.mark.parametrize(
    ("rule", "counts"),
    [
        ("clusters: ['prod-*']", True),
        ("clusters: ['dev-*']", False),
        ("labels: {env: [prod, staging]}", True),
        ("labels: {env: staging}", False),
        ("labels: {team: a}", False),
        ("except: {clusters: [prod-eu]}", False),
        ("except: {clusters: [dev]}", True),
        ("except: {clusters: [prod-eu], namespaces: [sandbox]}", True),
        ("except: [{labels: {env: prod}}, {namespaces: [sandbox]}]", False),
    ],
)
def test_a_rule_counts_where_its_clusters_say(rule: str, counts: bool) -> None:
    made = policy(f"name: a, do: [delete], needs: mfa, {rule}")

    assert bool(rules_on(made, PROD)) is counts


OWN = "admissionregistration.k8s.io"


def test_the_actions_say_what_enforces_them() -> None:
    assert by("name: a, do: [delete, read-secrets], needs: mfa") == [
        ("delete", "admission"),
        ("delete", "admission"),
        ("read-secrets", "rbac"),
    ]


@pytest.mark.parametrize("mode", ["warn", "audit"])
def test_what_only_rbac_could_enforce_has_no_softer_mode(mode: str) -> None:
    assert by(f"name: a, do: [read-secrets], needs: mfa, mode: {mode}") == [("read-secrets", "client")]


def test_what_a_command_line_says_no_server_sees() -> None:
    assert by("name: a, do: [delete], where: {all: true}, needs: mfa") == [("delete", "client")]


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("verbs: [update], apiGroups: [example.com], resources: [widgets/status]", [("named verbs", "admission")]),
        ("verbs: [get, delete], resources: [configmaps]", [("named verbs", "admission"), ("named verbs", "rbac")]),
        ("verbs: [get], resources: [pods/exec]", [("connections", "admission"), ("named verbs", "rbac")]),
        ("verbs: [impersonate], resources: [users]", [("named verbs", "rbac")]),
        (f"verbs: [delete], apiGroups: [{OWN}]", [("named verbs", "admission"), ("named verbs", "rbac")]),
        (f"verbs: [delete], apiGroups: [{OWN}], resources: [validatingadmissionpolicies]", [("named verbs", "rbac")]),
        (
            f"verbs: [delete], apiGroups: [{OWN}], resources: [mutatingwebhookconfigurations]",
            [("named verbs", "admission")],
        ),
        ("verbs: [delete], apiGroups: ['*.k8s.io']", [("named verbs", "admission"), ("named verbs", "rbac")]),
    ],
)
def test_rules_by_name(rule: str, found: list[tuple[str, str]]) -> None:
    assert by(f"name: a, {rule}, needs: mfa") == found
