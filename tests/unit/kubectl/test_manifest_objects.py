"""Objects in kubectl's JSON output."""

from __future__ import annotations

import json

import pytest

from kubectl_stepup.kubectl.manifest_objects import objects_in
from kubectl_stepup.kubectl.request import MINTS, RUNS_AS, SCALES_TO_ZERO


def document(api: str, kind: str, name: str = "x", **more: object) -> dict[str, object]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **more}


def found(*documents: object) -> list[tuple[str, str, str | None, str | None]]:
    output = "\n".join(json.dumps(one) for one in documents)
    return [
        (one.resource.group, one.resource.name, one.namespace, one.name) for one in objects_in(output, namespace=None)
    ]


def test_several_documents_and_lists() -> None:
    items = [document("v1", "Secret", "s"), document("apps/v1", "Deployment", "d")]
    assert found(document("v1", "Pod", "p"), {"apiVersion": "v1", "kind": "List", "items": items}) == [
        ("", "pods", None, "p"),
        ("", "secrets", None, "s"),
        ("apps", "deployments", None, "d"),
    ]


def test_custom_kinds_and_namespaces() -> None:
    widget = {"apiVersion": "example.com/v1", "kind": "Policy", "metadata": {"namespace": "n", "generateName": "g-"}}
    assert found(widget) == [("example.com", "policies", "n", None)]


@pytest.mark.parametrize(
    ("content", "marks"),
    [
        (document("apps/v1", "Deployment", spec={"replicas": 0}), {SCALES_TO_ZERO}),
        (document("apps/v1", "Deployment", spec={"replicas": 1}), set()),
        (document("v1", "Pod", spec={"volumes": [{"hostPath": {"path": "/"}}]}), {RUNS_AS}),
        (document("v1", "Pod", spec={"containers": [{"securityContext": {"privileged": True}}]}), {RUNS_AS}),
        (document("v1", "Pod", spec={"containers": [{"securityContext": {"privileged": False}}]}), set()),
        (document("v1", "Pod", spec={"containers": [{"capabilities": {"drop": ["ALL"]}}]}), set()),
        (document("v1", "Pod", spec={"serviceAccountName": "admin"}), {RUNS_AS}),
        (document("networking.k8s.io/v1", "Ingress", spec={"tls": [{"secretName": "s"}]}), set()),
        (document("v1", "Secret", type="kubernetes.io/service-account-token"), {MINTS}),
        (document("v1", "Secret", type="Opaque"), set()),
    ],
)
def test_what_the_content_shows(content: dict[str, object], marks: set[str]) -> None:
    assert objects_in(json.dumps(content), namespace=None)[0].marks == marks


@pytest.mark.parametrize(
    "output", ["{", "[]", "1", '{"kind": "Pod"}', '{"apiVersion": 1, "kind": "x", "metadata": {}}']
)
def test_anything_else_is_an_error(output: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        objects_in(output, namespace=None)
