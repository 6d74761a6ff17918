"""What `--fix` proposes: no more rights than before, no wildcard, and nothing left to find that RBAC can close."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.policy.model import Policy, Target
from kubectl_stepup.rbac.finding import RbacFinding
from kubectl_stepup.rbac.findings import audit
from kubectl_stepup.rbac.fix import FROM, Piece, fixes
from kubectl_stepup.rbac.model import FileLocation, RbacObjects, RbacRule
from kubectl_stepup.rbac.reading import Manifest, objects_of
from tests.rbac.weaknesses import STOCK, WEAKNESSES

from .conftest import allow, bound, read, read_text

RBAC = "rbac.authorization.k8s.io"
KEPT = {"workload-create", "published-policy-write", "stop"}
MACHINES = {"powerful-service-account", "powerful-default-service-account", "system-masters"}


def fixed(objects: RbacObjects, policy: Policy) -> tuple[Piece, ...]:
    return fixes(audit(objects, policy, Target()), objects, policy, Target())


def applied(objects: RbacObjects, pieces: tuple[Piece, ...]) -> RbacObjects:
    """Return the cluster after `kubectl apply`."""
    made = objects_of(
        Manifest(content=one.manifest, location=FileLocation(file="fix.yaml"))
        for one in pieces
        if one.manifest is not None
    )
    bindings = {(one.kind, one.namespace, one.name): one for one in (*objects.bindings, *made.bindings)}
    return RbacObjects(
        roles={**objects.roles, **made.roles},
        bindings=tuple(bindings.values()),
        service_accounts=objects.service_accounts,
    )


def manifests_of(pieces: tuple[Piece, ...]) -> dict[tuple[str, str], Any]:
    return {
        (one.manifest["kind"], one.manifest["metadata"]["name"]): one.manifest
        for one in pieces
        if one.manifest is not None
    }


@pytest.mark.parametrize("stock", STOCK, ids=lambda path: path.stem)
def test_after_it_only_what_rbac_cannot_close_is_left(stock: Any, default: Policy) -> None:
    objects = read(stock, WEAKNESSES)
    after = applied(objects, fixed(objects, default))
    left = audit(after, default, Target())
    assert {one.code for one in left} <= KEPT | MACHINES


def test_applied_twice_it_changes_nothing_more(default: Policy) -> None:
    objects = read(STOCK[0], WEAKNESSES)
    after = applied(objects, fixed(objects, default))
    again = [one for one in fixed(after, default) if one.manifest is not None]
    assert again == []


def test_it_has_no_wildcard_and_never_changes_a_role_that_is_there(default: Policy) -> None:
    objects = read(STOCK[0], WEAKNESSES)
    pieces = fixed(objects, default)
    roles = [one for one in manifests_of(pieces).values() if "rules" in one]
    assert len(roles) > 30
    words = {word for role in roles for rule in role["rules"] for words in rule.values() for word in words}
    assert not [word for word in words if "*" in word]
    assert not {(one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]) for one in roles} & set(
        objects.roles
    )


def test_the_new_roles_come_before_their_bindings_and_the_old_bindings_last(default: Policy) -> None:
    pieces = fixed(read(STOCK[0], WEAKNESSES), default)
    kinds = [
        ("role" if "rules" in one.manifest else "new" if FROM in str(one.manifest["metadata"]) else "old")
        for one in pieces
        if one.manifest is not None
    ]
    order = ["role", "new", "old"]
    assert kinds == sorted(kinds, key=order.index)
    assert set(kinds) == set(order)


def grants(rules: tuple[RbacRule, ...], verb: str, group: str, resource: str) -> bool:
    """The RBAC authorizer's own test, written anew."""
    return any(
        ({verb, "*"} & set(rule.verbs))
        and ({group, "*"} & set(rule.api_groups))
        and ({resource, "*"} & set(rule.resources) or f"*/{resource.partition('/')[2]}" in rule.resources)
        for rule in rules
    )


def test_nobody_gets_a_right_that_the_old_role_did_not_give(default: Policy) -> None:
    objects = read(STOCK[0], WEAKNESSES)
    checked = 0
    for made in manifests_of(fixed(objects, default)).values():
        if "rules" not in made:
            continue
        kind, name = made["metadata"]["annotations"][FROM].split("/")
        namespace = made["metadata"].get("namespace", "") if kind == "Role" else ""
        old = objects.roles[(kind, namespace, name)]
        rules = old.rules + tuple(
            rule for one in objects.roles.values() if old.selectors and one.labels for rule in one.rules
        )
        for rule in made["rules"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for verb in rule["verbs"]:
                        assert grants(rules, verb, group, resource), (name, verb, group, resource)
                        checked += 1
    assert checked > 500


def test_a_group_keeps_its_everyday_rights_and_gets_the_rest_by_derived_groups(default: Policy) -> None:
    text = bound(f"{allow('get, list', 'pods, secrets')}, {allow('delete', 'nodes')}")
    found = manifests_of(fixed(read_text(text), default))
    assert found[("ClusterRole", "one-everyday")]["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
    ]
    assert found[("ClusterRole", "one-stepup-mfa")]["rules"] == [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}
    ]
    assert found[("ClusterRoleBinding", "one-stepup-critical")]["subjects"] == [
        {"apiGroup": RBAC, "kind": "Group", "name": "stepup:critical:dev"}
    ]
    assert found[("ClusterRoleBinding", "one-everyday")]["subjects"] == [
        {"apiGroup": RBAC, "kind": "Group", "name": "dev"}
    ]
    old = found[("ClusterRoleBinding", "one")]
    assert (old["subjects"], old["roleRef"]["name"]) == ([], "one")


def test_others_stay_in_the_old_binding(default: Policy) -> None:
    text = bound(
        allow("get", "secrets"),
        subject="{kind: Group, name: dev}, {kind: ServiceAccount, name: ci, namespace: dev},"
        " {kind: Group, name: 'stepup:mfa:dev'}",
    )
    pieces = fixed(read_text(text), default)
    assert [one["name"] for one in manifests_of(pieces)[("ClusterRoleBinding", "one")]["subjects"]] == [
        "ci",
        "stepup:mfa:dev",
    ]
    assert any("machines do not step up" in line for one in pieces for line in one.comments)


def test_a_user_has_no_derived_group_and_a_comment_says_so(default: Policy) -> None:
    pieces = fixed(read_text(bound(allow("get", "secrets"), subject="{kind: User, name: bob}")), default)
    found = manifests_of(pieces)
    assert ("ClusterRole", "one-stepup-mfa") in found
    assert ("ClusterRoleBinding", "one-stepup-mfa") not in found
    assert any("put it into a group" in line for one in pieces for line in one.comments)


def test_a_derived_group_of_a_weaker_level_moves_up(default: Policy) -> None:
    rules = f"{allow('get', 'secrets')}, {allow('patch', 'nodes')}"
    found = manifests_of(fixed(read_text(bound(rules, subject="{kind: Group, name: 'stepup:mfa:dev'}")), default))
    assert [one["resources"] for one in found[("ClusterRole", "one-at-mfa")]["rules"]] == [["secrets"]]
    assert found[("ClusterRoleBinding", "one-stepup-critical")]["subjects"][0]["name"] == "stepup:critical:dev"


def test_a_name_that_is_taken_is_left_alone(default: Policy) -> None:
    taken = f"---\napiVersion: {RBAC}/v1\nkind: ClusterRole\nmetadata: {{name: one-everyday}}\nrules: []\n"
    text = bound(f"{allow('get', 'secrets')}, {allow('get', 'pods')}") + taken
    assert ("ClusterRole", "one-everyday-2") in manifests_of(fixed(read_text(text), default))


def test_in_a_namespace_it_is_a_role_without_what_is_the_clusters(default: Policy) -> None:
    rule = '{verbs: [get, delete], apiGroups: ["*"], resources: ["*"]}'
    found = manifests_of(fixed(read_text(bound(rule, namespace="dev")), default))
    everyday = found[("Role", "one-everyday")]
    resources = {name for one in everyday["rules"] for name in one["resources"]}
    assert {"pods", "deployments", "pods/log"} <= resources
    assert not resources & {"nodes", "clusterroles", "secrets", "pods/exec"}
    assert everyday["metadata"]["namespace"] == "dev"


def test_a_wildcard_of_groups_means_the_groups_that_have_the_resource(default: Policy) -> None:
    rules = '{verbs: [get, delete], apiGroups: ["*"], resources: [ingresses, widgets]}'
    found = manifests_of(fixed(read_text(bound(rules)), default))
    assert found[("ClusterRole", "one-everyday")]["rules"] == [
        {"apiGroups": [group], "resources": ["ingresses"], "verbs": ["get"]}
        for group in ("networking.k8s.io", "extensions")
    ]


def test_what_an_admission_policy_gates_stays_everyday(default: Policy) -> None:
    objects = read_text(bound(f"{allow('delete', 'pods')}, {allow('get', 'secrets')}"))
    gated = RbacObjects(roles=objects.roles, bindings=objects.bindings, gated=frozenset({"deletes"}))
    found = manifests_of(fixed(gated, default))
    assert [one["verbs"] for one in found[("ClusterRole", "one-everyday")]["rules"]] == [["delete"]]


def test_findings_that_were_filtered_out_are_not_touched(default: Policy) -> None:
    objects = read(WEAKNESSES)
    found: list[RbacFinding] = [one for one in audit(objects, default, Target()) if one.subject.name == "carol"]
    assert {name for _, name in manifests_of(fixes(found, objects, default, Target()))} == {"w15", "w15-stepup-mfa"}
