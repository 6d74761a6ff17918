"""What the cluster stand-in holds at the start."""

from __future__ import annotations

from kubectl_stepup.demo.catalogue import KINDS
from kubectl_stepup.demo.defaults import NODE, completed
from kubectl_stepup.demo.store import Document, ObjectStore, timestamp

NAMESPACES = ("default", "kube-system", "prod", "sandbox")
_KINDS = {kind.name: kind for kind in KINDS}
_DAY = 86400.0


def plant(store: ObjectStore, now: float) -> None:
    """Add the first objects to an empty store, as if they were created some days before `now`."""
    _add(store, now - 40 * _DAY, "Node", NODE, "", status=_node_status())
    for name in NAMESPACES:
        _add(store, now - 40 * _DAY, "Namespace", name, "")
        _add(store, now - 40 * _DAY, "ServiceAccount", "default", name)
    for namespace in ("prod", "sandbox"):
        _add(store, now - 12 * _DAY, "Deployment", "web", namespace, labels={"app": "web"}, spec=_deployment_spec())
        for name in ("web-0", "web-1", "db-0"):
            image = "postgres:17" if name.startswith("db") else "nginx:1.29"
            app = name.partition("-")[0]
            spec = {"containers": [{"name": app, "image": image}]}
            _add(store, now - 5 * _DAY, "Pod", name, namespace, labels={"app": app}, spec=spec)
        ports = {"ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}], "selector": {"app": "web"}}
        _add(store, now - 12 * _DAY, "Service", "web", namespace, spec=ports)
        _add(store, now - 12 * _DAY, "ConfigMap", "web", namespace, data={"greeting": "hello", "colour": "green"})
        _add(store, now - 12 * _DAY, "Secret", "db", namespace, stringData={"user": "web", "password": "made-up"})


def _add(
    store: ObjectStore,
    at: float,
    kind: str,
    name: str,
    namespace: str,
    labels: dict[str, str] | None = None,
    **parts: object,
) -> None:
    metadata: Document = {"name": name, "creationTimestamp": timestamp(at)}
    if labels:
        metadata["labels"] = labels
    document: Document = {"apiVersion": _KINDS[kind].api_version, "kind": kind, "metadata": metadata, **parts}
    store.create(_KINDS[kind], completed(_KINDS[kind], document, namespace=namespace, now=at))


def _deployment_spec() -> Document:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "nginx:1.29"}]}}
    return {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}


def _node_status() -> Document:
    return {
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        "nodeInfo": {"kubeletVersion": "v1.36.2"},
    }
