"""What stands in the recorder's cluster before each command: one of everything that the commands name."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.system.parts.kube_api import KubeAPI
from tests.system.parts.processes import wait_until

_KEY = ec.generate_private_key(ec.SECP256R1())
SHOP, PROD = "shop", "prod"
LABELS = {"app": "web"}
POD_SPEC = {"containers": [{"name": "web", "image": "web:1"}]}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": POD_SPEC}
SELECTOR = {"matchLabels": LABELS}
RBAC, ADMISSION = "apis/rbac.authorization.k8s.io/v1", "apis/admissionregistration.k8s.io/v1"
RULE = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}


def set_up(api: KubeAPI) -> None:
    """Make everything for the first time."""
    for namespace in (SHOP, PROD, "sandbox"):
        api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
        wait_until(lambda path=path: api.request("GET", path).ok, f"service account in {namespace}")  # type: ignore[misc]
    restore(api)


def restore(api: KubeAPI) -> None:
    """Make what a command took away; what it changed or added stays, and does not matter to the others."""
    for path, thing in things():
        api.create(f"/{path}", thing)
    api.create("/api/v1/namespaces", {"metadata": {"name": "sandbox"}})
    wait_until(lambda: _has_widget(api), "a widget")
    for namespace in (SHOP, PROD):
        # Nothing runs them, and kubectl forwards ports to what runs alone.
        status = {"status": {"phase": "Running"}}
        path = f"/api/v1/namespaces/{namespace}/pods/web-0/status"
        api.request("PATCH", path, status, "application/merge-patch+json")
    web = f"/apis/apps/v1/namespaces/{SHOP}/deployments/web"
    if api.get(web)["metadata"]["generation"] == 1:
        # A second revision, to have something to undo.
        template = {"spec": {"containers": [{"name": "web", "image": "web:2"}]}}
        changed = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": template}}
        api.request("PATCH", f"{web}?fieldManager=recorder&force=true", changed, "application/apply-patch+yaml")


def _has_widget(api: KubeAPI) -> bool:
    """Make widgets known and a widget, which takes a while, and longer where they are just being taken away."""
    api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", _widgets())
    widgets = f"/apis/example.com/v1/namespaces/{SHOP}/widgets"
    return api.request("POST", widgets, _widget()).status_code in {201, 409}


def things() -> Iterator[tuple[str, dict[str, Any]]]:
    """Return path and object of all that is built in."""
    for namespace in (SHOP, PROD):
        core = f"api/v1/namespaces/{namespace}"
        for name in ("web-0", "web-1"):
            yield f"{core}/pods", {"metadata": {"name": name, "labels": LABELS}, "spec": POD_SPEC}
        yield f"{core}/secrets", {"metadata": {"name": "database"}, "stringData": {"password": "tulip"}}
    yield from _core()
    yield from _apps()
    yield from _cluster()


def _core() -> Iterator[tuple[str, dict[str, Any]]]:
    core = f"api/v1/namespaces/{SHOP}"
    bound = {**POD_SPEC, "nodeName": "worker-1"}
    yield "api/v1/nodes", {"metadata": {"name": "worker-1", "labels": {"role": "worker"}}}
    yield f"{core}/pods", {"metadata": {"name": "on-node"}, "spec": bound}
    yield f"{core}/services", {"metadata": {"name": "web"}, "spec": {"selector": LABELS, "ports": [{"port": 80}]}}
    yield f"{core}/configmaps", {"metadata": {"name": "settings"}, "data": {"a": "b"}}
    yield f"{core}/serviceaccounts", {"metadata": {"name": "builder"}}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    yield f"{core}/persistentvolumeclaims", {"metadata": {"name": "data"}, "spec": claim}
    disk = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}}
    yield "api/v1/persistentvolumes", {"metadata": {"name": "disk-1"}, "spec": disk}


def _apps() -> Iterator[tuple[str, dict[str, Any]]]:
    apps, batch = f"apis/apps/v1/namespaces/{SHOP}", f"apis/batch/v1/namespaces/{SHOP}"
    once = {"template": {"spec": {**POD_SPEC, "restartPolicy": "Never"}}}
    spec = {"selector": SELECTOR, "template": TEMPLATE}
    yield f"{apps}/deployments", {"metadata": {"name": "web", "labels": LABELS}, "spec": {**spec, "replicas": 1}}
    yield f"{apps}/statefulsets", {"metadata": {"name": "db"}, "spec": {**spec, "serviceName": "web", "replicas": 1}}
    yield f"{apps}/daemonsets", {"metadata": {"name": "agent"}, "spec": spec}
    yield f"{batch}/jobs", {"metadata": {"name": "backup"}, "spec": once}
    nightly = {"schedule": "0 3 * * *", "suspend": True, "jobTemplate": {"spec": once}}
    yield f"{batch}/cronjobs", {"metadata": {"name": "nightly"}, "spec": nightly}
    target = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "maxReplicas": 3}
    scaler = f"apis/autoscaling/v2/namespaces/{SHOP}/horizontalpodautoscalers"
    yield scaler, {"metadata": {"name": "web"}, "spec": target}
    budget = f"apis/policy/v1/namespaces/{SHOP}/poddisruptionbudgets"
    yield budget, {"metadata": {"name": "web"}, "spec": {"selector": SELECTOR, "minAvailable": 0}}
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    ingress = f"apis/networking.k8s.io/v1/namespaces/{SHOP}/ingresses"
    yield ingress, {"metadata": {"name": "web"}, "spec": {"defaultBackend": backend}}


def _cluster() -> Iterator[tuple[str, dict[str, Any]]]:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    everywhere = {**role, "kind": "ClusterRole", "name": "ops"}
    yield f"{RBAC}/namespaces/{SHOP}/roles", {"metadata": {"name": "reader"}, "rules": [RULE]}
    yield f"{RBAC}/namespaces/{SHOP}/rolebindings", {"metadata": {"name": "readers"}, "roleRef": role, "subjects": []}
    yield f"{RBAC}/clusterroles", {"metadata": {"name": "ops"}, "rules": [RULE]}
    yield f"{RBAC}/clusterrolebindings", {"metadata": {"name": "ops"}, "roleRef": everywhere, "subjects": []}
    fast = {
        "metadata": {"name": "fast"},
        "provisioner": "example.com/fast",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    yield "apis/storage.k8s.io/v1/storageclasses", fast
    yield "apis/scheduling.k8s.io/v1/priorityclasses", {"metadata": {"name": "urgent"}, "value": 1000}
    watched = [{"apiGroups": ["example.com"], "apiVersions": ["v1"], "operations": ["DELETE"], "resources": ["none"]}]
    guard = {"matchConstraints": {"resourceRules": watched}, "validations": [{"expression": "true"}]}
    yield f"{ADMISSION}/validatingadmissionpolicies", {"metadata": {"name": "guard"}, "spec": guard}
    bound = {"policyName": "guard", "validationActions": ["Deny"]}
    yield f"{ADMISSION}/validatingadmissionpolicybindings", {"metadata": {"name": "guard"}, "spec": bound}
    yield "apis/certificates.k8s.io/v1/certificatesigningrequests", _request()


def _request() -> dict[str, Any]:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
    asked = x509.CertificateSigningRequestBuilder().subject_name(name).sign(_KEY, hashes.SHA256())
    pem = base64.b64encode(asked.public_bytes(serialization.Encoding.PEM)).decode()
    spec = {"request": pem, "signerName": "example.com/signer", "usages": ["client auth"]}
    return {"metadata": {"name": "request-1"}, "spec": spec}


def _widgets() -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema, "subresources": {"status": {}}}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wd"]}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    return {"metadata": {"name": "widgets.example.com"}, "spec": spec}


def _widget() -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w1"}, "spec": {}}
