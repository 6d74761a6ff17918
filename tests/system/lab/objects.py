"""What is in the lab's cluster: a team, its rights, the gate before deletes, and something to delete."""

from __future__ import annotations

from typing import Any

import requests

from kubectl_stepup.enforce.plan import TargetCluster
from kubectl_stepup.enforce.targets import admission
from kubectl_stepup.enforce.targets.admission import Gate
from kubectl_stepup.policy.load import load
from tests.system.lab.home import POLICY
from tests.system.parts.kube_api import KubeAPI
from tests.system.parts.processes import wait_until

NAMESPACE = "prod"
RBAC = "rbac.authorization.k8s.io"
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
GATE = "kubectl-stepup-deletes"
PODS = ("web-0", "web-1", "db-0")


def gates(acr: str, text: str = POLICY) -> tuple[dict[str, Any], ...]:
    """Return the objects that a policy is compiled to; `acr` is what proves the level at the provider."""
    policy = load(None, ("policy.yaml", text.encode()))
    cluster = TargetCluster(name="prod", labels={"env": "prod"})
    return admission.objects(Gate(policy=policy, cluster=cluster, acr_values={"mfa": (acr,)}, annotations={}))


def furnish(api: KubeAPI, *, acr: str) -> None:
    """Make the namespace, the team's rights, the gate and the things."""
    api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    for role in _roles():
        api.create(f"/apis/{RBAC}/v1/clusterroles", role)
    for binding in (_binding("developers", "developer", "dev"), _binding("secrets", "secret-reader", "stepup:mfa:dev")):
        api.create(f"/apis/{RBAC}/v1/namespaces/{NAMESPACE}/rolebindings", binding)
    plurals = {"Policy": "validatingadmissionpolicies", "PolicyBinding": "validatingadmissionpolicybindings"}
    for gate in gates(acr):
        api.create(f"{ADMISSION}/{plurals[gate['kind'].removeprefix('ValidatingAdmission')]}", gate)
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
