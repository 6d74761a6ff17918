"""What the cluster holds, compared with what the policy becomes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from kubectl_stepup.enforce.verify import read_back
from kubectl_stepup.enforce.verify.results import ENFORCED, GAP
from kubectl_stepup.yaml_edit import yaml_file
from tests.unit.enforce.policies import policy
from tests.unit.enforce.test_bundle import GRANTS, compiled

MADE = compiled(policy("name: deletes, do: [delete], needs: mfa", more=GRANTS))
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
RULE = "kubectl-stepup-deletes"
Objects = dict[tuple[str, str, str], Any]


def on_server() -> Objects:
    """Return the objects as a server gives them back: with its defaults and its own fields."""
    found = read_back.by_key(copy.deepcopy([dict(one) for one in MADE.objects]))
    for one in found.values():
        whole: Any = one
        whole["metadata"]["uid"] = "1"
        if whole["kind"] == POLICY:
            constraints = whole["spec"]["matchConstraints"]
            constraints.update(matchPolicy="Equivalent", namespaceSelector={}, objectSelector={})
            for rule in constraints["resourceRules"]:
                rule["scope"] = "*"
            whole["status"] = {"typeChecking": {}}
        if whole["kind"].endswith("RoleBinding"):
            whole["roleRef"]["apiGroup"] = "rbac.authorization.k8s.io"
    return dict(found)


def admission_rows(found: Objects) -> dict[str, tuple[str, str]]:
    rows = read_back.admission_policies(MADE.objects, found, digest=MADE.digest, fix="apply")
    return {one.subject: (one.state, one.detail) for one in rows}


def test_the_servers_own_additions_are_no_difference() -> None:
    assert admission_rows(on_server()) == {"own-objects": (ENFORCED, ""), "deletes": (ENFORCED, "")}


def changed(kind: str, change: Callable[[Any], object]) -> Callable[[Objects], object]:
    return lambda found: change(found[kind, "", RULE])


GAPS: dict[str, tuple[Callable[[Objects], object], str]] = {
    "no binding": (lambda found: found.pop((BINDING, "", RULE)), "the binding is not there: kubectl-stepup-deletes"),
    "no policy": (lambda found: found.pop((POLICY, "", RULE)), "the policy is not there: kubectl-stepup-deletes"),
    "an old digest": (
        changed(
            POLICY, lambda one: one["metadata"]["annotations"].update({"kubectl-stepup.github.io/policy-digest": "x"})
        ),
        "the policy was compiled from another policy (x, in force sha256:",
    ),
    "no digest": (
        changed(BINDING, lambda one: one["metadata"].pop("annotations")),
        "the binding was compiled from another policy (no digest",
    ),
    "Ignore": (
        changed(POLICY, lambda one: one["spec"].update(failurePolicy="Ignore")),
        "the policy: spec.failurePolicy is Ignore",
    ),
    "for machines": (
        changed(POLICY, lambda one: one["spec"]["matchConditions"][0].update(expression="false")),
        "the policy: spec.matchConditions[0].expression is false",
    ),
    "one condition more": (
        changed(POLICY, lambda one: one["spec"]["matchConditions"].append({"name": "x", "expression": "false"})),
        "the policy: spec.matchConditions differs",
    ),
    "some namespaces": (
        changed(
            POLICY, lambda one: one["spec"]["matchConstraints"].update(namespaceSelector={"matchLabels": {"a": "b"}})
        ),
        "the policy: spec.matchConstraints.namespaceSelector was added",
    ),
    "excluded": (
        changed(POLICY, lambda one: one["spec"]["matchConstraints"].update(excludeResourceRules=[{}])),
        "the policy: spec.matchConstraints.excludeResourceRules was added",
    ),
    "cluster scope": (
        changed(POLICY, lambda one: one["spec"]["matchConstraints"]["resourceRules"][0].update(scope="Cluster")),
        "resourceRules[0].scope is Cluster",
    ),
    "exact": (
        changed(POLICY, lambda one: one["spec"]["matchConstraints"].update(matchPolicy="Exact")),
        "the policy: spec.matchConstraints.matchPolicy is Exact",
    ),
    "narrowed": (
        changed(BINDING, lambda one: one["spec"].update(matchResources={"namespaceSelector": {}})),
        "the binding: spec.matchResources was added",
    ),
    "audited": (
        changed(BINDING, lambda one: one["spec"].update(validationActions=["Audit"])),
        "the binding: spec.validationActions[0] is Audit",
    ),
    "of another policy": (
        changed(BINDING, lambda one: one["spec"].update(policyName="other")),
        "the binding: spec.policyName is other",
    ),
    "no validations": (
        changed(POLICY, lambda one: one["spec"].pop("validations")),
        "the policy: spec.validations is gone",
    ),
    "going": (
        changed(BINDING, lambda one: one["metadata"].update(deletionTimestamp="now")),
        "the binding is being deleted",
    ),
}


@pytest.mark.parametrize(("plant", "said"), GAPS.values(), ids=GAPS)
def test_a_hole_is_found_and_named(plant: Callable[[Objects], object], said: str) -> None:
    found = on_server()
    plant(found)
    rows = admission_rows(found)

    assert rows["deletes"][0] == GAP
    assert said in rows["deletes"][1]
    assert rows["own-objects"] == (ENFORCED, "")


def test_what_is_left_over_is_drift_with_the_command_that_ends_it() -> None:
    found = on_server()
    old = copy.deepcopy(found[POLICY, "", RULE])
    old["metadata"].update(name="kubectl-stepup-old", annotations={"kubectl-stepup.github.io/rule": "old"})
    found[POLICY, "", "kubectl-stepup-old"] = old
    (row,) = (
        one
        for one in read_back.admission_policies(MADE.objects, found, digest=MADE.digest, fix="apply")
        if one.subject == "old"
    )
    assert (row.state, row.what, row.detail) == (GAP, "policy left over", "rule old is not in the policy")
    assert row.fix == "kubectl delete validatingadmissionpolicy kubectl-stepup-old"


def test_type_warnings_are_told() -> None:
    found = on_server()
    found[POLICY, "", RULE]["status"]["typeChecking"]["expressionWarnings"] = [{"warning": "no such field\nmore"}]

    assert admission_rows(found)["deletes"] == (ENFORCED, "the server warns of its types: no such field")


def grants(found: Objects) -> list[tuple[str, str, str]]:
    return [(one.what, one.state, one.detail) for one in read_back.grants(MADE.objects, found, fix="apply")]


def test_grants_are_as_compiled() -> None:
    rows = grants(on_server())

    assert len(rows) == 4
    assert {state for _, state, _ in rows} == {ENFORCED}


def test_grants_that_were_changed_added_or_taken_away() -> None:
    found = on_server()
    key = next(one for one in found if one[0] == "ClusterRoleBinding")
    found[key]["subjects"] = [{"kind": "Group", "name": "everybody"}]
    added = copy.deepcopy(found[key])
    added["metadata"]["name"] = "mine"
    found["ClusterRoleBinding", "", "mine"] = added
    found.pop(next(one for one in found if one[0] == "RoleBinding" and "grant" in one[2]))
    gaps = {(what, detail) for what, state, detail in grants(found) if state == GAP}

    assert len(gaps) == 3
    assert any("subjects[0].name is everybody" in detail for _, detail in gaps)
    assert any(detail.endswith("is not there") for _, detail in gaps)
    assert ("ClusterRoleBinding left over", "nothing in the policy becomes it") in gaps


def published(found: Any, why_not: str = "") -> tuple[str, str]:
    text = read_back.published_text(found)
    document = None if text is None else parse(text)
    row = read_back.published_policy(found, document, digest=MADE.digest, fix="apply", why_not=why_not)
    return row.state, row.detail


def parse(text: str) -> object:
    return yaml_file.plain(text.encode(), "policy")


def test_the_published_policy_is_known_by_its_content() -> None:
    found = on_server()["ConfigMap", "kube-public", "kubectl-stepup-policy"]

    assert published(found) == (ENFORCED, "")
    # Another writer's YAML of the same content.
    found["data"]["policy.yaml"] = yaml.safe_dump(yaml.safe_load(found["data"]["policy.yaml"]), default_flow_style=True)
    assert published(found) == (ENFORCED, "")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"policy.yaml": "kind: Policy\nrules: []"}, "what is in it is not the policy in force"),
        ({"policy.yaml": "just a text"}, "no policy is in it"),
        ({}, "no policy is in it"),
        (None, "no policy is in it"),
    ],
)
def test_another_policy_is_published(data: dict[str, str] | None, said: str) -> None:
    found = on_server()["ConfigMap", "kube-public", "kubectl-stepup-policy"]
    found["data"] = data

    assert published(found) == (GAP, said)


def test_a_policy_that_nobody_can_fetch() -> None:
    assert published(None, "configmaps is forbidden") == (
        GAP,
        "an everyday login cannot read it: configmaps is forbidden",
    )
