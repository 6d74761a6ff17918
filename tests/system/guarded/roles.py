"""What people may do by RBAC in the tests: almost everything, as administrators often may."""

from __future__ import annotations

from typing import Any

from tests.system.parts.kube_api import KubeAPI

RBAC = "/apis/rbac.authorization.k8s.io/v1"
GROUP = "rbac.authorization.k8s.io"
EVERY_VERB = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
ADMISSION = "admissionregistration.k8s.io"
WEBHOOKS = ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"]
OPERATED = [
    *("", "apps", "batch", "policy", "autoscaling", "networking.k8s.io", "storage.k8s.io", "example.com"),
    *(GROUP, "certificates.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io"),
]
OPERATORS = [
    {"apiGroups": OPERATED, "resources": ["*"], "verbs": EVERY_VERB},
    {"apiGroups": [GROUP], "resources": ["*"], "verbs": ["bind", "escalate"]},
    {"apiGroups": [ADMISSION], "resources": WEBHOOKS, "verbs": EVERY_VERB},
    {"apiGroups": ["certificates.k8s.io"], "resources": ["signers"], "verbs": ["approve", "sign"]},
]
"""All but the policies of admission control, and acting as others."""

GUARDS = [{"apiGroups": [ADMISSION], "resources": ["*"], "verbs": EVERY_VERB}]


def bind(api: KubeAPI, name: str, group: str, rules: list[dict[str, Any]], *, namespace: str | None = None) -> None:
    """Return a group the rights of a new cluster role, everywhere or in one namespace."""
    api.create(f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": rules})
    where = "clusterrolebindings" if namespace is None else f"namespaces/{namespace}/rolebindings"
    role = {"apiGroup": GROUP, "kind": "ClusterRole", "name": name}
    subject = {"apiGroup": GROUP, "kind": "Group", "name": group}
    api.create(f"{RBAC}/{where}", {"metadata": {"name": f"{name}-{namespace}"}, "roleRef": role, "subjects": [subject]})


def allow_everything(api: KubeAPI, group: str) -> None:
    """Let RBAC allow a group everything, so that whatever is refused is refused by our objects."""
    subject = {"apiGroup": GROUP, "kind": "Group", "name": group}
    role = {"apiGroup": GROUP, "kind": "ClusterRole", "name": "cluster-admin"}
    binding = {"metadata": {"name": f"everything-{group}"}, "roleRef": role, "subjects": [subject]}
    api.create(f"{RBAC}/clusterrolebindings", binding)
