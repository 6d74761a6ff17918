"""What is in the lab's cluster: a team, its rights, the gate before deletes, and something to delete."""

from __future__ import annotations

from typing import Any

import requests

from tests.system.lab.authentication import OURS
from tests.system.parts.kube_api import KubeAPI
from tests.system.parts.processes import wait_until

NAMESPACE = "prod"
RBAC = "rbac.authorization.k8s.io"
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
GATE = "deletes-need-stepup"
PODS = ("web-0", "web-1", "db-0")

GATES: list[dict[str, Any]] = [
    {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": GATE},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["DELETE"], "resources": ["*"]},
                    {"apiGroups": [""], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["pods/eviction"]},
                ]
            },
            "matchConditions": [
                {"name": "people", "expression": f"request.userInfo.?extra[?'{OURS}/issuer'].hasValue()"}
            ],
            "validations": [
                {
                    "expression": "'stepup:mfa' in request.userInfo.groups",
                    "reason": "Forbidden",
                    "message": "step-up to mfa needed; error=insufficient_user_authentication acr_values=mfa "
                    "max_age=900; run: kubectl stepup exec -- ...",
                }
            ],
        },
    },
    {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": GATE},
        "spec": {"policyName": GATE, "validationActions": ["Deny"]},
    },
]
"""The gate that docs/how-to/set-up-a-cluster.md shows."""


def furnish(api: KubeAPI) -> None:
    """Make the namespace, the team's rights, the gate and the things."""
    api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    for role in _roles():
        api.create(f"/apis/{RBAC}/v1/clusterroles", role)
    for binding in (_binding("developers", "developer", "dev"), _binding("secrets", "secret-reader", "stepup:mfa:dev")):
        api.create(f"/apis/{RBAC}/v1/namespaces/{NAMESPACE}/rolebindings", binding)
    for gate, plural in zip(GATES, ("validatingadmissionpolicies", "validatingadmissionpolicybindings"), strict=True):
        api.create(f"{ADMISSION}/{plural}", gate)
    secret = {"metadata": {"name": "database"}, "stringData": {"password": "tulip"}}
    api.create(f"/api/v1/namespaces/{NAMESPACE}/secrets", secret)
    api.create(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments", _deployment())
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"
    wait_until(lambda: api.request("GET", path).ok, "default service account in prod")
    set_pods(api)


def set_pods(api: KubeAPI) -> None:
    """Make those pods that are not there."""
    for name in PODS:
        api.create(f"/api/v1/namespaces/{NAMESPACE}/pods", {"metadata": {"name": name}, "spec": _pod_spec()})


def wait_for_gate(everyday: KubeAPI) -> None:
    """Wait for the gate to close, which takes the server some seconds after it was made; nothing is deleted."""
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{PODS[0]}?dryRun=All"
    wait_until(lambda: is_gated(everyday.request("DELETE", path)), "closed gate", within_s=60, every_s=0.25)


def is_gated(answer: requests.Response) -> bool:
    """Tell the gate's refusal from RBAC's own."""
    return answer.status_code == 403 and GATE in answer.text


def _roles() -> list[dict[str, Any]]:
    everything = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
    return [
        {
            "metadata": {"name": "developer"},
            "rules": [
                {"apiGroups": [""], "resources": ["pods", "pods/log", "configmaps", "services"], "verbs": everything},
                {"apiGroups": [""], "resources": ["pods/eviction", "pods/exec"], "verbs": ["create", "get"]},
                {"apiGroups": ["apps"], "resources": ["deployments", "deployments/scale"], "verbs": everything},
            ],
        },
        {
            "metadata": {"name": "secret-reader"},
            "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch"]}],
        },
    ]


def _binding(name: str, role: str, group: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": group}],
    }


def _pod_spec() -> dict[str, Any]:
    # Nothing schedules it: it stays Pending, and is gone as soon as it is deleted.
    return {"containers": [{"name": "web", "image": "registry.example.com/web:1"}]}


def _deployment() -> dict[str, Any]:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": _pod_spec()}
    return {
        "metadata": {"name": "web"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }
