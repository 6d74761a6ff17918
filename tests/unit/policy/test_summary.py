"""What a person approves: counts, kinds and namespaces of all objects, the most sensitive first, within bounds."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_stepup.kubectl.command import read, with_objects
from kubectl_stepup.kubectl.request import ObjectRef
from kubectl_stepup.kubectl.resources import resource_of_kind
from kubectl_stepup.policy.decision import Decision
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.model import Target
from kubectl_stepup.policy.summary import LONGEST, summary_of
from tests.unit.policy.test_evaluate import policy

RULES = """\
  - {name: everywhere, do: [delete, change, read-secrets, shell], needs: mfa}
  - {name: production, do: [delete], namespaces: ["prod*"], needs: mfa}
  - {name: power, do: [grant], needs: critical}
"""
GROUPS = {"Deployment": "apps", "ClusterRoleBinding": "rbac.authorization.k8s.io", "Widget": "example.com"}


def objects(kind: str, namespace: str | None, count: int = 1) -> list[ObjectRef]:
    resource = resource_of_kind(GROUPS.get(kind, ""), kind)
    return [ObjectRef(resource=resource, name=f"x{at}", namespace=namespace) for at in range(count)]


def decided(words: str, *found: ObjectRef, rules: str = RULES) -> Decision:
    command = read(words.split())
    target = Target(cluster="c", labels={}, namespace="default")
    return decide(policy(rules), with_objects(command, found) if found else command, target)


def said(words: str, *found: ObjectRef, rules: str = RULES) -> str:
    return summary_of(decided(words, *found, rules=rules))


def test_what_is_in_production_comes_first_and_everything_is_counted() -> None:
    found = [*objects("ConfigMap", "sandbox"), *objects("Deployment", "prod", 40)]
    found += objects("PersistentVolumeClaim", "prod")
    assert said("delete -f x.yaml", *found) == (
        "delete 40 deployments and 1 persistentvolumeclaim in prod, 1 configmap in sandbox"
    )


def test_among_equals_the_many_come_first() -> None:
    found = [
        *objects("ConfigMap", "sandbox"),
        *objects("PersistentVolumeClaim", "prod"),
        *objects("Deployment", "prod", 40),
    ]
    everywhere = "  - {name: everywhere, do: [delete], needs: mfa}\n"
    assert said("delete -f x.yaml", *found, rules=everywhere) == (
        "delete 40 deployments and 1 persistentvolumeclaim in prod, 1 configmap in sandbox"
    )


def test_what_needs_the_level_comes_first() -> None:
    found = [*objects("ConfigMap", "dev", 3), *objects("ClusterRoleBinding", None), *objects("Widget", "dev", 2)]
    assert said("create -f x.yaml", *found) == "create 1 clusterrolebinding, 3 configmaps and 2 widgets in dev"
    only_grants = "  - {name: power, do: [grant], needs: critical}\n"
    assert said("create -f x.yaml", *found, rules=only_grants) == (
        "create 1 clusterrolebinding, 3 configmaps and 2 widgets in dev"
    ), "what no rule is about is done as well"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("delete pod x -n prod", "delete pods in prod"),
        ("delete pod x y -n prod", "delete 2 pods in prod"),
        ("delete pod x x -n prod", "delete pods in prod"),
        ("delete pods --all -n prod", "delete any number of pods in prod"),
        ("delete pods,svc -l app=x -n prod", "delete any number of pods and any number of services in prod"),
        ("delete pod/x svc/y -n prod", "delete 1 pod and 1 service in prod"),
        ("delete node x", "delete nodes"),
        ("delete -f x.yaml", "delete any resource"),
        ("exec x -- ls", "run a command in pods in default"),
        ("get secret a b -n prod", "get 2 secrets in prod"),
        ("get secret,pod -n prod", "list secrets in prod"),
        ("scale deploy a b --replicas=1", "patch 2 deployments/scale in default"),
    ],
)
def test_commands_that_name_their_objects(words: str, expected: str) -> None:
    assert said(words) == expected


def test_an_object_counts_once_whatever_is_sent_for_it() -> None:
    assert said("apply -f x.yaml", *objects("Deployment", "prod", 2)) == "create 2 deployments in prod"


def test_what_does_not_fit_is_counted() -> None:
    found = [one for at in range(60) for one in objects("Deployment", f"namespace-number-{at:02}", 10)]
    text = said("delete -f x.yaml", *found)
    assert len(text) <= LONGEST
    assert text.startswith("delete 10 deployments in namespace-number-00, 10 deployments in namespace-number-01")
    shown = text.count("deployments in")
    assert text.endswith(f", and {600 - 10 * shown} more")


def test_thousands_of_namespaces_take_no_time() -> None:
    found = [one for at in range(5000) for one in objects("Deployment", f"n{at}")]
    began = time.process_time()
    text = said("delete -f x.yaml", *found)
    assert time.process_time() - began < 10
    assert text.startswith("delete 1 deployment in n0, 1 deployment in n1, ")


KINDS = st.sampled_from(["ConfigMap", "Deployment", "Secret", "ClusterRoleBinding", "Widget", "Pod"])
SPACES = st.sampled_from(["prod", "prod-eu", "dev", "a" * 63])


@settings(max_examples=100)
@given(
    st.lists(st.tuples(KINDS, SPACES, st.integers(1, 50)), min_size=1, max_size=30),
    st.sampled_from(["delete", "apply", "create"]),
)
def test_no_object_is_left_out_of_the_count(parts: list[tuple[str, str, int]], verb: str) -> None:
    found = [
        one
        for kind, space, count in parts
        for one in objects(kind, None if kind.startswith("Cluster") else space, count)
    ]
    decision = decided(f"{verb} -f x.yaml", *found)
    text = summary_of(decision)
    distinct = {(one.resource, one.namespace, one.name) for one in found}
    numbers = [int(word) for word in text.replace(",", " ").split() if word.isdecimal()]
    assert len(text) <= LONGEST
    assert decision.to_json()["summary"] == text
    assert sum(numbers) == len(distinct) or (len(distinct) == 1 and numbers == [])
