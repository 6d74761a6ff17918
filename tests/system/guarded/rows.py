"""Requests under `policies.RULES`: the rule that refuses an everyday login each, and kubectl's command for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.system.recorder.fixture import POD_SPEC, SELECTOR, TEMPLATE

MERGE = "application/merge-patch+json"
SHOP, PROD, SANDBOX = (f"/api/v1/namespaces/{name}" for name in ("shop", "prod", "sandbox"))
APPS = "/apis/apps/v1/namespaces/shop"
WIDGETS = "/apis/example.com/v1/namespaces/shop/widgets"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A request, and the rule that refuses it, None for what passes; `command` is kubectl's for it."""

    method: str
    path: str
    rule: str | None
    command: str = ""
    body: Any = None
    content_type: str = MERGE

    @property
    def name(self) -> str:
        """What tells it from the others."""
        return f"{self.method} {self.path} {self.command}"


def rows() -> Iterator[Row]:
    """Return them all."""
    yield from _deletions()
    yield from _evictions()
    yield from _stops()
    yield from _shells()
    yield from _nodes()
    yield from _run_as()
    yield from _by_name()


def things() -> Iterator[tuple[str, dict[str, Any]]]:
    """Return path and object of what they need beside the recorder's fixture."""
    for namespace, names in {
        "shop": ("web-10", "db-a", "db-c", "api-x", "api-1"),
        "prod": ("tmp-1",),
        "sandbox": ("web-0",),
    }.items():
        for name in names:
            yield f"/api/v1/namespaces/{namespace}/pods", {"metadata": {"name": name}, "spec": POD_SPEC}
    for name in ("tmp-1", "tmp-2"):
        yield f"{PROD}/configmaps", {"metadata": {"name": name, "labels": {"only": "tmp"}}}
    disk = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}}
    yield "/api/v1/persistentvolumes", {"metadata": {"name": "tmp-1"}, "spec": disk}
    yield "/api/v1/namespaces", {"metadata": {"name": "production"}}
    yield "/api/v1/nodes", {"metadata": {"name": "other-1"}, "spec": {"unschedulable": True}}
    for kind, spec in (("deployments", {}), ("statefulsets", {"serviceName": "web"}), ("replicasets", {})):
        for name, replicas in (("busy", 1), ("idle", 0)):
            thing = {"spec": {"selector": SELECTOR, "template": TEMPLATE, "replicas": replicas, **spec}}
            yield f"{APPS}/{kind}", {"metadata": {"name": name}, **thing}
    thing = {"spec": {"selector": {"app": "rc"}, "replicas": 1}}
    thing["spec"]["template"] = {"metadata": {"labels": {"app": "rc"}}, "spec": POD_SPEC}
    yield f"{SHOP}/replicationcontrollers", {"metadata": {"name": "busy"}, **thing}
    yield (
        f"{APPS}/deployments",
        {
            "metadata": {"name": "run-as"},
            "spec": {
                "selector": SELECTOR,
                "replicas": 0,
                "template": {**TEMPLATE, "spec": {**POD_SPEC, "serviceAccountName": "builder"}},
            },
        },
    )


def _deletions() -> Iterator[Row]:
    for path, rule, command in (
        (f"{PROD}/pods/web-0", "keep", "delete pod web-0 -n prod"),
        (f"{PROD}/pods/tmp-1", None, "delete pod tmp-1 -n prod"),
        (f"{SHOP}/pods/web-0", "team", "delete pod web-0 -n shop"),
        (f"{SHOP}/pods/web-10", None, "delete pod web-10 -n shop"),
        (f"{SHOP}/pods/db-a", "team", "delete pod db-a -n shop"),
        (f"{SHOP}/pods/db-c", None, "delete pod db-c -n shop"),
        (f"{SHOP}/pods/api-x", "team", "delete pod api-x -n shop"),
        (f"{SHOP}/pods/api-1", None, "delete pod api-1 -n shop"),
        (f"{SHOP}/configmaps/settings", None, "delete configmap settings -n shop"),
        (f"{SANDBOX}/pods/web-0", None, "delete pod web-0 -n sandbox"),
        # A Namespace is in itself.
        ("/api/v1/namespaces/production", "keep", "delete namespace production"),
        ("/api/v1/namespaces/sandbox", None, "delete namespace sandbox"),
        # What is in no namespace may be in any.
        ("/api/v1/persistentvolumes/disk-1", "keep", "delete pv disk-1"),
        ("/api/v1/persistentvolumes/tmp-1", None, "delete pv tmp-1"),
        ("/apis/storage.k8s.io/v1/storageclasses/fast", "keep", "delete storageclass fast"),
        # Of a collection each object is asked about.
        (f"{PROD}/configmaps?labelSelector=only%3Dtmp", None, ""),
        (f"{PROD}/configmaps", "keep", "delete configmaps --all -n prod"),
        (f"{SHOP}/pods", "team", "delete pods --all -n shop"),
        (f"{SANDBOX}/pods", None, "delete pods --all -n sandbox"),
    ):
        yield Row(method="DELETE", path=path, rule=rule, command=command)


def _evictions() -> Iterator[Row]:
    for namespace, name, rule in (
        ("prod", "web-0", "keep"),
        ("prod", "tmp-1", None),
        ("shop", "web-0", "team"),
        ("shop", "web-10", None),
        ("sandbox", "web-0", None),
    ):
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
        path = f"/api/v1/namespaces/{namespace}/pods/{name}/eviction"
        yield Row(method="POST", path=path, rule=rule, body=eviction, content_type="application/json")


def _stops() -> Iterator[Row]:
    for kind in ("deployments", "statefulsets", "replicasets"):
        for name, replicas, rule in (
            ("busy", 0, "stops"),
            ("busy", 2, None),
            # It has stopped already, or is to begin.
            ("idle", 0, None),
            ("idle", 2, None),
        ):
            body = {"spec": {"replicas": replicas}}
            scale = f"scale {kind} {name} -n shop --replicas={replicas}" if (name, rule) != ("idle", None) else ""
            path = f"{APPS}/{kind}/{name}"
            yield Row(method="PATCH", path=f"{path}/scale", rule=rule, body=body, command=scale)
            yield Row(method="PATCH", path=path, rule=rule, body=body)
    rc = f"{SHOP}/replicationcontrollers/busy"
    yield Row(method="PATCH", path=f"{rc}/scale", rule="stops", body={"spec": {"replicas": 0}})
    yield Row(method="PATCH", path=rc, rule="stops", body={"spec": {"replicas": 0}})
    web = f"{APPS}/deployments/busy"
    pause = "rollout pause deployment busy -n shop"
    yield Row(method="PATCH", path=web, rule="stops", body={"spec": {"paused": True}}, command=pause)
    yield Row(method="PATCH", path=web, rule=None, body={"spec": {"paused": False}})
    yield Row(method="PATCH", path=web, rule=None, body={"metadata": {"labels": {"a": "b"}}})


def _shells() -> Iterator[Row]:
    debugger = {"spec": {"ephemeralContainers": [{"name": "debugger", "image": "busybox"}]}}
    strategic = "application/strategic-merge-patch+json"
    for namespace, rule in (("shop", "shells"), ("prod", "shells"), ("sandbox", None)):
        pod = f"/api/v1/namespaces/{namespace}/pods/web-0"
        yield Row(
            method="PATCH",
            path=f"{pod}/ephemeralcontainers",
            rule=rule,
            body=debugger,
            content_type=strategic,
            command=f"debug web-0 --image=busybox -n {namespace}",
        )
        exec_ = f"exec web-0 -n {namespace} -- ls"
        yield Row(method="GET", path=f"{pod}/exec?command=ls&stdout=true", rule=rule, command=exec_)
        yield Row(method="GET", path=f"{pod}/attach?stdout=true", rule=rule, command=f"attach web-0 -n {namespace}")
        forward = f"port-forward web-0 1:2 -n {namespace}"
        yield Row(method="GET", path=f"{pod}/portforward?ports=2", rule=rule, command=forward)
        yield Row(method="GET", path=f"{pod}/proxy/", rule=rule)
    yield Row(method="GET", path=f"{SHOP}/services/web/proxy/", rule="shells")
    # A node is in no namespace, so in no exception.
    yield Row(method="GET", path="/api/v1/nodes/worker-1/proxy/metrics", rule="shells")


def _nodes() -> Iterator[Row]:
    worker, other = "/api/v1/nodes/worker-1", "/api/v1/nodes/other-1"
    for path, body, rule, command in (
        (worker, {"metadata": {"labels": {"a": "b"}}}, "nodes", "label node worker-1 a=b"),
        (other, {"metadata": {"labels": {"a": "b"}}}, None, "label node other-1 a=b"),
        (
            worker,
            {"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}},
            "nodes",
            "taint node worker-1 a:NoSchedule",
        ),
        (worker, {"spec": {"unschedulable": True}}, "stops", "cordon worker-1"),
        (other, {"spec": {"unschedulable": True}}, None, ""),
        (other, {"spec": {"unschedulable": None}}, None, "uncordon other-1"),
    ):
        yield Row(method="PATCH", path=path, body=body, rule=rule, command=command)


def _run_as() -> Iterator[Row]:
    """An update is gated where the account or the power of the host changes."""
    deployment, image = f"{APPS}/deployments/run-as", [{"name": "web", "image": "web:9"}]
    for path, spec, rule in (
        (deployment, {"containers": image}, None),
        (deployment, {"serviceAccountName": "default", "serviceAccount": "default"}, None),
        (deployment, {"serviceAccountName": "other", "serviceAccount": "other"}, "run-as"),
        (deployment, {"hostIPC": True}, "run-as"),
        (f"{APPS}/deployments/busy", {"containers": image}, None),
        (f"{APPS}/deployments/busy", {"serviceAccountName": "builder"}, "run-as"),
    ):
        body = {"spec": {"template": {"spec": spec}}}
        yield Row(method="PATCH", path=path, rule=rule, body=body)
    for namespace, rule in (("shop", "run-as"), ("prod", None)):
        pod = {"metadata": {"name": "new"}, "spec": {**POD_SPEC, "hostNetwork": True}}
        path = f"/api/v1/namespaces/{namespace}/pods"
        yield Row(method="POST", path=path, rule=rule, body=pod, content_type="application/json")


def _by_name() -> Iterator[Row]:
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "new"}}
    yield Row(method="POST", path=WIDGETS, rule=None, body=widget, content_type="application/json")
    yield Row(method="PATCH", path=f"{WIDGETS}/w1", rule="named", body={"spec": {"a": 1}})
    yield Row(method="PATCH", path=f"{WIDGETS}/w1/status", rule="named", body={"status": {"a": 1}})
    yield Row(method="DELETE", path=f"{WIDGETS}/w1", rule="named")
    maps = f"{SHOP}/configmaps"
    for name, rule in (("settings-new", "settings"), ("other", None)):
        command = f"create configmap {name} -n shop"
        body = {"metadata": {"name": name}}
        yield Row(method="POST", path=maps, rule=rule, body=body, content_type="application/json", command=command)
        applied = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
        path = f"{maps}/{name}?fieldManager=x"
        yield Row(method="PATCH", path=path, rule=rule, body=applied, content_type="application/apply-patch+yaml")
    generated = {"metadata": {"generateName": "settings-"}}
    yield Row(method="POST", path=maps, rule="settings", body=generated, content_type="application/json")
    patch = """patch configmap settings -n shop -p {"data":{"a":"c"}}"""
    yield Row(method="PATCH", path=f"{maps}/settings", rule="settings", body={"data": {"a": "c"}}, command=patch)
    labelled = {"metadata": {"labels": {"a": "b"}}}
    for path, rule, command in (
        (f"{RBAC}/namespaces/shop/roles/reader", None, "label role reader -n shop a=b"),
        (f"{RBAC}/clusterroles/ops", "bound", "label clusterrole ops a=b"),
    ):
        yield Row(method="PATCH", path=path, rule=rule, body=labelled, command=command)
