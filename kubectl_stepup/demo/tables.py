"""Print columns as a kube-apiserver does. Spec: meta.k8s.io/v1 Table."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from kubectl_stepup.demo.catalogue import ResourceKind
from kubectl_stepup.demo.store import Document

Cell = str | int
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; `wide` ones are shown with `-o wide` only."""

    name: str
    cell: Callable[[Document, float], Cell]
    wide: bool = False
    type: str = "string"


def table(kind: ResourceKind, documents: list[Document], *, revision: int, now: float, include: str) -> Document:
    """Return a Table; `include` is `Metadata`, `Object` or `None`."""
    columns = _COLUMNS.get(kind.resource, _DEFAULT)
    rows = [
        {"cells": [column.cell(document, now) for column in columns], "object": _row_object(document, include)}
        for document in documents
    ]
    definitions = [
        {
            "name": column.name,
            "type": column.type,
            "format": "name" if column.name == "Name" else "",
            "description": "",
            "priority": 1 if column.wide else 0,
        }
        for column in columns
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": str(revision)},
        "columnDefinitions": definitions,
        "rows": rows,
    }


def age(document: Document, now: float, at: str | None = None) -> str:
    """Return how long ago an object was made, in kubectl's short form."""
    text = at or document["metadata"].get("creationTimestamp")
    if not text:
        return "<unknown>"
    then = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.UTC).timestamp()
    return short_duration(int(now - then))


def short_duration(seconds: int) -> str:
    """Return `45s`, `3m20s`, `17m`, `5h3m`, `30h`, `6d2h`, `40d`."""
    if seconds < 2 * _MINUTE:
        return f"{max(seconds, 0)}s"
    if seconds < 3 * _HOUR:
        return _two(seconds, _MINUTE, "m", 1, "s", fine=seconds < 10 * _MINUTE)
    if seconds < 2 * _DAY:
        return _two(seconds, _HOUR, "h", _MINUTE, "m", fine=seconds < 8 * _HOUR)
    return _two(seconds, _DAY, "d", _HOUR, "h", fine=seconds < 8 * _DAY)


def _two(seconds: int, big: int, big_letter: str, small: int, small_letter: str, *, fine: bool) -> str:
    rest = seconds % big // small
    return f"{seconds // big}{big_letter}" + (f"{rest}{small_letter}" if fine and rest else "")


def _row_object(document: Document, include: str) -> Document | None:
    if include == "None":
        return None
    if include == "Object":
        return document
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": document["metadata"],
    }


def _at(*path: str, otherwise: Cell = "<none>") -> Callable[[Document, float], Cell]:
    def cell(document: Document, now: float) -> Cell:
        value: object = document
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return value if isinstance(value, (str, int)) else otherwise

    return cell


def _count(*fields: str) -> Callable[[Document, float], Cell]:
    return lambda document, now: sum(len(document.get(field) or {}) for field in fields)


def _pod_statuses(document: Document) -> list[Document]:
    statuses: list[Document] = document.get("status", {}).get("containerStatuses") or []
    return statuses


def _ready(document: Document, now: float) -> Cell:
    statuses = _pod_statuses(document)
    total = len(document.get("spec", {}).get("containers") or [])
    return f"{sum(1 for status in statuses if status.get('ready'))}/{total}"


def _restarts(document: Document, now: float) -> Cell:
    return sum(int(status.get("restartCount", 0)) for status in _pod_statuses(document))


def _replicas(document: Document, now: float) -> Cell:
    return f"{document.get('status', {}).get('readyReplicas', 0)}/{document.get('spec', {}).get('replicas', 0)}"


def _ports(document: Document, now: float) -> Cell:
    ports = document.get("spec", {}).get("ports") or []
    return ",".join(f"{port['port']}/{port.get('protocol', 'TCP')}" for port in ports) or "<none>"


def _selector(*path: str) -> Callable[[Document, float], Cell]:
    def cell(document: Document, now: float) -> Cell:
        value: object = document
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return ",".join(f"{k}={v}" for k, v in sorted(value.items())) if isinstance(value, dict) else "<none>"

    return cell


def _containers(field: str) -> Callable[[Document, float], Cell]:
    def cell(document: Document, now: float) -> Cell:
        template = document.get("spec", {}).get("template", {}).get("spec", {})
        return ",".join(str(container.get(field, "")) for container in template.get("containers") or [])

    return cell


def _node_status(document: Document, now: float) -> Cell:
    conditions = document.get("status", {}).get("conditions") or []
    ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)
    state = "Ready" if ready else "NotReady"
    return f"{state},SchedulingDisabled" if document.get("spec", {}).get("unschedulable") else state


def _involved(document: Document, now: float) -> Cell:
    involved = document.get("involvedObject") or {}
    return f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}"


_NAME = Column(name="Name", cell=_at("metadata", "name"))
_AGE = Column(name="Age", cell=age)
_DEFAULT = (_NAME, Column(name="Created At", cell=_at("metadata", "creationTimestamp"), type="date"))
_COLUMNS: dict[str, tuple[Column, ...]] = {
    "pods": (
        _NAME,
        Column(name="Ready", cell=_ready),
        Column(name="Status", cell=_at("status", "phase", otherwise="Unknown")),
        Column(name="Restarts", cell=_restarts),
        _AGE,
        Column(name="IP", cell=_at("status", "podIP"), wide=True),
        Column(name="Node", cell=_at("spec", "nodeName"), wide=True),
    ),
    "namespaces": (_NAME, Column(name="Status", cell=_at("status", "phase", otherwise="Active")), _AGE),
    "nodes": (
        _NAME,
        Column(name="Status", cell=_node_status),
        Column(name="Roles", cell=lambda document, now: "<none>"),
        _AGE,
        Column(name="Version", cell=_at("status", "nodeInfo", "kubeletVersion")),
    ),
    "configmaps": (_NAME, Column(name="Data", cell=_count("data", "binaryData")), _AGE),
    "secrets": (
        _NAME,
        Column(name="Type", cell=_at("type", otherwise="Opaque")),
        Column(name="Data", cell=_count("data")),
        _AGE,
    ),
    "serviceaccounts": (_NAME, Column(name="Secrets", cell=_count("secrets")), _AGE),
    "services": (
        _NAME,
        Column(name="Type", cell=_at("spec", "type", otherwise="ClusterIP")),
        Column(name="Cluster-IP", cell=_at("spec", "clusterIP")),
        Column(name="External-IP", cell=lambda document, now: "<none>"),
        Column(name="Port(s)", cell=_ports),
        _AGE,
        Column(name="Selector", cell=_selector("spec", "selector"), wide=True),
    ),
    "events": (
        Column(name="Last Seen", cell=lambda document, now: age(document, now, document.get("lastTimestamp"))),
        Column(name="Type", cell=_at("type")),
        Column(name="Reason", cell=_at("reason")),
        Column(name="Object", cell=_involved),
        Column(name="Message", cell=_at("message")),
    ),
    "deployments": (
        _NAME,
        Column(name="Ready", cell=_replicas),
        Column(name="Up-to-date", cell=_at("status", "updatedReplicas", otherwise=0)),
        Column(name="Available", cell=_at("status", "availableReplicas", otherwise=0)),
        _AGE,
        Column(name="Containers", cell=_containers("name"), wide=True),
        Column(name="Images", cell=_containers("image"), wide=True),
        Column(name="Selector", cell=_selector("spec", "selector", "matchLabels"), wide=True),
    ),
    "replicasets": (
        _NAME,
        Column(name="Desired", cell=_at("spec", "replicas", otherwise=0)),
        Column(name="Current", cell=_at("status", "replicas", otherwise=0)),
        Column(name="Ready", cell=_at("status", "readyReplicas", otherwise=0)),
        _AGE,
    ),
}
