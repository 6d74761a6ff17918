"""Ways from an elevation that ends by itself to power that stays, each as the request that would do it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.system.recorder.fixture import POD_SPEC, things

MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
SHOP = "/api/v1/namespaces/shop"
APPS, BATCH = "/apis/apps/v1/namespaces/shop", "/apis/batch/v1/namespaces/shop"
CERTIFICATES = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
PUBLISHED = "/api/v1/namespaces/kube-public/configmaps"
TEN_YEARS_S = 315_360_000

OURS, BY_RBAC = "our objects", "RBAC"


@dataclass(frozen=True, kw_only=True)
class Escape:
    """A request; `stopped_by` says who refuses it below the highest level."""

    name: str
    method: str
    path: str
    body: Any = None
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    stopped_by: str = OURS
    open_at_the_top: bool = True
    """Whether the highest level may do it; where not, nobody was given the right."""


def escapes() -> Iterator[Escape]:
    """Return them all."""
    yield from _tokens()
    yield from _roles()
    yield from _pods()
    yield from _guards()
    yield from _others()


def _tokens() -> Iterator[Escape]:
    token = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    spec = {"audiences": ["https://kubernetes.default.svc"], "expirationSeconds": TEN_YEARS_S}
    path = f"{SHOP}/serviceaccounts/builder/token"
    yield Escape(name="a token for ten years", method="POST", path=path, body={**token, "spec": spec})
    yield Escape(name="a token for an hour", method="POST", path=path, body=token)
    legacy = {
        "metadata": {"name": "forever", "annotations": {"kubernetes.io/service-account.name": "builder"}},
        "type": "kubernetes.io/service-account-token",
    }
    yield Escape(name="a legacy token", method="POST", path=f"{SHOP}/secrets", body=legacy)
    applied = {"apiVersion": "v1", "kind": "Secret", **legacy}
    path = f"{SHOP}/secrets/forever?fieldManager=x"
    yield Escape(name="an applied legacy token", method="PATCH", path=path, body=applied, content_type=APPLY)
    asked = next(thing for path, thing in things() if path.endswith("certificatesigningrequests"))
    asked = {"metadata": {"name": "mine"}, "spec": {**asked["spec"], "signerName": "example.com/signer"}}
    yield Escape(name="asking for a certificate", method="POST", path=CERTIFICATES, body=asked)
    approval = {"status": {"conditions": [{"type": "Approved", "status": "True", "reason": "x", "message": "x"}]}}
    approve = f"{CERTIFICATES}/request-1/approval"
    yield Escape(name="approving a certificate", method="PATCH", path=approve, body=approval, content_type=MERGE)
    signed = {"status": {"certificate": ""}}
    sign = f"{CERTIFICATES}/request-1/status"
    yield Escape(name="signing a certificate", method="PATCH", path=sign, body=signed, content_type=MERGE)


def _roles() -> Iterator[Escape]:
    alice: Any = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "alice"}]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    bound: dict[str, Any] = {"metadata": {"name": "mine"}, "roleRef": role, "subjects": alice}
    yield Escape(name="binding oneself", method="POST", path=f"{RBAC}/clusterrolebindings", body=bound)
    path = f"{RBAC}/namespaces/shop/rolebindings"
    yield Escape(name="binding oneself in a namespace", method="POST", path=path, body=bound)
    path = f"{RBAC}/clusterrolebindings/ops"
    yield Escape(name="joining a binding", method="PATCH", path=path, body={"subjects": alice}, content_type=MERGE)
    path = f"{RBAC}/namespaces/shop/rolebindings/readers"
    yield Escape(
        name="joining a binding in a namespace", method="PATCH", path=path, body={"subjects": alice}, content_type=MERGE
    )
    whole: Any = {**bound, "metadata": {"name": "ops"}, "roleRef": {**role, "name": "ops"}}
    yield Escape(name="replacing a binding", method="PUT", path=f"{RBAC}/clusterrolebindings/ops", body=whole)
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    patch = [{"op": "add", "path": "/rules/-", "value": everything}]
    path = f"{RBAC}/clusterroles/view"
    yield Escape(name="a wider role", method="PATCH", path=path, body=patch, content_type=JSON_PATCH)
    labels = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    aggregated = {"metadata": {"name": "more", "labels": labels}, "rules": [everything]}
    yield Escape(name="a role that is aggregated", method="POST", path=f"{RBAC}/clusterroles", body=aggregated)
    path = f"{RBAC}/clusterroles/ops"
    labelled = {"metadata": {"labels": labels}}
    yield Escape(name="the label of aggregation", method="PATCH", path=path, body=labelled, content_type=MERGE)


def _pod(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "mine"}, "spec": {**POD_SPEC, **spec}}


def _container(**more: Any) -> dict[str, Any]:
    return {**POD_SPEC["containers"][0], **more}


def _pods() -> Iterator[Escape]:
    host = {"name": "host", "hostPath": {"path": "/"}}
    secret = {"name": "secret", "secret": {"secretName": "database"}}
    projected = {"name": "secret", "projected": {"sources": [{"secret": {"name": "database"}}]}}
    reference = {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "database", "key": "password"}}}
    pods = {
        "a privileged pod": _pod(containers=[_container(securityContext={"privileged": True})]),
        "a privileged init container": _pod(
            initContainers=[_container(name="a", securityContext={"privileged": True})]
        ),
        "a pod with the host's files": _pod(volumes=[host]),
        "a pod with the host's processes": _pod(hostPID=True),
        "a pod with the host's network": _pod(hostNetwork=True),
        "a pod with a capability": _pod(
            containers=[_container(securityContext={"capabilities": {"add": ["SYS_ADMIN"]}})]
        ),
        "a pod with another's account": _pod(serviceAccountName="builder"),
        "a pod with a secret": _pod(volumes=[secret]),
        "a pod with a projected secret": _pod(volumes=[projected]),
        "a pod with a secret in a variable": _pod(containers=[_container(env=[reference])]),
        "a pod with all of a secret": _pod(containers=[_container(envFrom=[{"secretRef": {"name": "database"}}])]),
        "a pod on a node with its files": _pod(nodeName="worker-1", volumes=[host]),
    }
    for name, pod in pods.items():
        yield Escape(name=name, method="POST", path=f"{SHOP}/pods", body=pod)
    template = {"spec": {"template": {"spec": {"volumes": [secret]}}}}
    for kind, name in (("deployments", "web"), ("statefulsets", "db"), ("daemonsets", "agent")):
        path = f"{APPS}/{kind}/{name}"
        yield Escape(name=f"a secret in {kind}", method="PATCH", path=path, body=template, content_type=MERGE)
    nightly = {"spec": {"jobTemplate": {"spec": {"template": {"spec": {"serviceAccountName": "builder"}}}}}}
    path = f"{BATCH}/cronjobs/nightly"
    yield Escape(name="an account in a cron job", method="PATCH", path=path, body=nightly, content_type=MERGE)
    once = _pod(hostPID=True, restartPolicy="Never")["spec"]
    job = {"metadata": {"name": "mine"}, "spec": {"template": {"spec": once}}}
    yield Escape(name="a job in the host's processes", method="POST", path=f"{BATCH}/jobs", body=job)
    debugger = {"name": "debugger", "image": "busybox", "env": [reference]}
    yield Escape(
        name="a debugger with a secret",
        method="PATCH",
        path=f"{SHOP}/pods/web-0/ephemeralcontainers",
        body={"spec": {"ephemeralContainers": [debugger]}},
        content_type="application/strategic-merge-patch+json",
    )


def _guards() -> Iterator[Escape]:
    policies, bindings = (f"{ADMISSION}/validatingadmissionpolic{end}" for end in ("ies", "ybindings"))
    # Admission control is not asked about its own policies: RBAC gives them to the highest level alone.
    for name, method, path, body in (
        ("deleting a guard's binding", "DELETE", f"{bindings}/kubectl-stepup-power", None),
        ("deleting a guard", "DELETE", f"{policies}/kubectl-stepup-power", None),
        (
            "a guard that only warns",
            "PATCH",
            f"{bindings}/kubectl-stepup-power",
            {"spec": {"validationActions": ["Warn"]}},
        ),
        (
            "a guard that asks nobody",
            "PATCH",
            f"{policies}/kubectl-stepup-power",
            {"spec": {"failurePolicy": "Ignore"}},
        ),
    ):
        yield Escape(name=name, method=method, path=path, body=body, content_type=MERGE, stopped_by=BY_RBAC)
    for kind in ("mutating", "validating"):
        path = f"{ADMISSION}/{kind}webhookconfigurations"
        yield Escape(name=f"a {kind} webhook", method="POST", path=path, body={"metadata": {"name": "mine"}})
    changed = {"data": {"policy.yaml": ""}}
    path = f"{PUBLISHED}/kubectl-stepup-policy"
    yield Escape(name="editing the published policy", method="PATCH", path=path, body=changed, content_type=MERGE)
    yield Escape(name="deleting the published policy", method="DELETE", path=path)
    yield Escape(name="deleting all that is published", method="DELETE", path=PUBLISHED)
    reader = f"{RBAC}/namespaces/kube-public/rolebindings/kubectl-stepup-policy-reader"
    yield Escape(name="hiding the published policy", method="DELETE", path=reader)


def _others() -> Iterator[Escape]:
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    yield Escape(name="a definition of resources", method="POST", path=crds, body=_definition())
    spec = {
        "group": "aggregated.example",
        "version": "v1",
        "groupPriorityMinimum": 1,
        "versionPriority": 1,
        "service": {"namespace": "shop", "name": "web"},
        "insecureSkipTLSVerify": True,
    }
    service = {"metadata": {"name": "v1.aggregated.example"}, "spec": spec}
    path = "/apis/apiregistration.k8s.io/v1/apiservices"
    yield Escape(name="an API server of one's own", method="POST", path=path, body=service)
    node = "/api/v1/nodes/worker-1"
    labels = {"metadata": {"labels": {"node-role.kubernetes.io/control-plane": ""}}}
    yield Escape(name="another kind of node", method="PATCH", path=node, body=labels, content_type=MERGE)
    yield Escape(name="a node of one's own", method="POST", path="/api/v1/nodes", body={"metadata": {"name": "mine"}})
    yield Escape(name="a shell on every pod of a node", method="GET", path=f"{node}/proxy/pods")
    yield Escape(name="running on every pod of a node", method="POST", path=f"{node}/proxy/run/shop/web-0/web")
    # Groups of levels come from our mapping alone; who may impersonate them is RBAC's.
    for group in ("stepup:critical", "stepup:critical:ops", "system:masters"):
        yield Escape(
            name=f"acting as one of {group}",
            method="DELETE",
            path=f"{PUBLISHED}/kubectl-stepup-policy",
            headers={"Impersonate-User": "alice", "Impersonate-Group": group},
            stopped_by=BY_RBAC,
            open_at_the_top=False,
        )


def _definition() -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"}
    spec = {"group": "example.org", "scope": "Namespaced", "names": names, "versions": [version]}
    return {"metadata": {"name": "gadgets.example.org"}, "spec": spec}
