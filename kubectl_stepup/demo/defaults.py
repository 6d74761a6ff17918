"""Fill in and check new objects, and act as their controllers, at once."""

from __future__ import annotations

import base64
import re
import secrets
from typing import Any

from kubectl_stepup.demo.catalogue import ResourceKind
from kubectl_stepup.demo.statuses import bad_request, invalid
from kubectl_stepup.demo.store import Document, timestamp

NODE = "node-1"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"


def completed(kind: ResourceKind, document: Document, *, namespace: str, now: float) -> Document:
    """Return a new or changed object as the cluster keeps it. Raises `StatusError` (400, 422)."""
    metadata = document.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        raise bad_request("metadata is not an object")
    if document.setdefault("kind", kind.name) != kind.name:
        raise bad_request(f"the kind in the data ({document['kind']}) does not match the expected one ({kind.name})")
    document.setdefault("apiVersion", kind.api_version)
    if kind.namespaced and metadata.setdefault("namespace", namespace) != namespace:
        raise bad_request(
            f"the namespace of the provided object does not match the namespace sent on the request "
            f"({metadata['namespace']} != {namespace})"
        )
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"] + "".join(secrets.choice(_SUFFIX) for _ in range(5))
    _check_name(kind, str(metadata.get("name") or ""))
    {"Pod": _pod, "Deployment": _deployment, "Secret": _secret, "Namespace": _namespace, "Service": _service}.get(
        kind.name, _nothing
    )(document, now)
    return document


def _check_name(kind: ResourceKind, name: str) -> None:
    if not name:
        raise invalid(kind.name, "", "metadata.name", "Required value: name or generateName is required")
    if len(name) > 253 or not _NAME.fullmatch(name):
        rule = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
            "and must start and end with an alphanumeric character"
        )
        raise invalid(kind.name, name, "metadata.name", f'Invalid value: "{name}": {rule}')


def _nothing(document: Document, now: float) -> None:
    """Leave other kinds alone."""


def _required(document: Document, kind: str, path: str) -> Any:
    value: Any = document
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if not value:
        raise invalid(kind, document["metadata"]["name"], path, "Required value", "FieldValueRequired")
    return value


def _pod(document: Document, now: float) -> None:
    containers = _required(document, "Pod", "spec.containers")
    spec = document["spec"]
    for name, value in (("nodeName", NODE), ("restartPolicy", "Always"), ("serviceAccountName", "default")):
        spec.setdefault(name, value)
    since = document["metadata"].get("creationTimestamp") or timestamp(now)
    conditions = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    if document.get("status"):
        return
    document["status"] = {
        "phase": "Running",
        "qosClass": "BestEffort",
        "hostIP": "10.0.0.2",
        "podIP": "10.0.0.7",
        "podIPs": [{"ip": "10.0.0.7"}],
        "startTime": since,
        "conditions": [{"type": name, "status": "True", "lastTransitionTime": since} for name in conditions],
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container.get("image", ""),
                "imageID": "",
                "ready": True,
                "started": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": since}},
                "lastState": {},
            }
            for container in containers
        ],
    }


def _deployment(document: Document, now: float) -> None:
    _required(document, "Deployment", "spec.selector")
    _required(document, "Deployment", "spec.template.spec.containers")
    spec = document["spec"]
    replicas = spec.setdefault("replicas", 1)
    if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 0:
        why = f"Invalid value: {replicas}: must be greater than or equal to 0"
        raise invalid("Deployment", document["metadata"]["name"], "spec.replicas", why)
    spec.setdefault(
        "strategy", {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
    )
    since = timestamp(now)
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    before = document.get("status", {})
    document["status"] = {
        **({} if replicas == 0 else dict.fromkeys(counts, replicas)),
        "observedGeneration": 0,
        "conditions": before.get("conditions")
        or [
            {
                "type": name,
                "status": "True",
                "reason": reason,
                "message": "",
                "lastUpdateTime": since,
                "lastTransitionTime": since,
            }
            for name, reason in (("Available", "MinimumReplicasAvailable"), ("Progressing", "NewReplicaSetAvailable"))
        ],
    }


def _secret(document: Document, now: float) -> None:
    document.setdefault("type", "Opaque")
    plain = document.pop("stringData", None) or {}
    if plain:
        encoded = {name: base64.b64encode(str(value).encode()).decode() for name, value in plain.items()}
        document["data"] = {**(document.get("data") or {}), **encoded}


def _namespace(document: Document, now: float) -> None:
    document["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = document["metadata"]["name"]
    document.setdefault("spec", {"finalizers": ["kubernetes"]})
    document.setdefault("status", {"phase": "Active"})


def _service(document: Document, now: float) -> None:
    spec = document.setdefault("spec", {})
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("clusterIP", "10.96.0.20")
