"""The objects that a command meets: the snapshot's, with what this command itself took away, made or changed."""

from __future__ import annotations

import copy
from typing import Any

import yaml

from tests.system.differential.request_info import RequestInfo
from tests.system.differential.selectors import has_fields, has_labels
from tests.system.differential.snapshot import Object, Snapshot

_Key = tuple[str, str, str, str]


class State:
    """What is there, until the next command."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._changed: dict[_Key, Object | None] = {}

    def forget(self) -> None:
        """Be as the snapshot is again."""
        self._changed.clear()

    def is_served(self, info: RequestInfo) -> bool:
        """Whether the API has the resource as a collection."""
        return info.collection in self._snapshot.objects

    def chosen(self, info: RequestInfo) -> list[Object]:
        """Return the objects of a collection, by the request's selectors."""
        there = {_key(info, thing): thing for thing in self._snapshot.objects.get(info.collection, [])}
        found = [self._changed.get(key, thing) for key, thing in there.items()]
        found += [
            thing for key, thing in self._changed.items() if key[:2] == (info.group, info.resource) and key not in there
        ]
        return [thing for thing in found if thing is not None and _is_chosen(info, thing)]

    def one(self, info: RequestInfo) -> Object | None:
        """Return the object that the request names."""
        key = (info.group, info.resource, _namespace(info), info.name)
        if key in self._changed:
            return self._changed[key]
        things = self._snapshot.objects.get(info.collection, [])
        return next((thing for thing in things if _key(info, thing) == key), None)

    def remove(self, info: RequestInfo) -> None:
        """Take the named object away."""
        self._changed[info.group, info.resource, _namespace(info), info.name] = None

    def put(self, info: RequestInfo, thing: Object) -> Object:
        """Keep the object as it is now; a new one gets what the server fills in, and a new pod runs at once."""
        metadata = thing.setdefault("metadata", {})
        if "uid" not in metadata:
            metadata.setdefault("name", info.name or f"{metadata.get('generateName', 'made-')}x")
            if _namespace(info):
                metadata["namespace"] = info.namespace
            metadata |= {"uid": "made", "resourceVersion": "9", "creationTimestamp": "2026-01-01T00:00:00Z"}
            if (info.group, info.resource) == ("", "pods"):
                thing["status"] = _running(thing.get("spec") or {})
        self._changed[_key(info, thing)] = thing
        return thing

    def patched(self, info: RequestInfo, thing: Object, body: bytes, kind: str) -> Object:
        """Return a copy with a patch in it, as well as a merge does that."""
        changed = copy.deepcopy(thing)
        content = yaml.safe_load(body)
        if isinstance(content, dict) and "json-patch" not in kind:
            _merge(changed, content)
        if info.subresource == "ephemeralcontainers":
            changed["status"] = _running(changed.get("spec") or {})
        return changed


def _key(info: RequestInfo, thing: Object) -> _Key:
    metadata = thing["metadata"]
    return info.group, info.resource, metadata.get("namespace", ""), metadata["name"]


def _namespace(info: RequestInfo) -> str:
    """Return the namespace that an object is in: a Namespace is in none."""
    return "" if (info.group, info.resource) == ("", "namespaces") else info.namespace


def _is_chosen(info: RequestInfo, thing: Object) -> bool:
    within = _namespace(info)
    return (
        (not within or thing["metadata"].get("namespace") == within)
        and has_labels(info.option("labelSelector"), thing)
        and has_fields(info.option("fieldSelector"), thing)
    )


def _merge(thing: dict[str, Any], patch: dict[str, Any]) -> None:
    for key, value in patch.items():
        if value is None:
            thing.pop(key, None)
        elif isinstance(value, dict) and isinstance(thing.get(key), dict):
            _merge(thing[key], value)
        else:
            thing[key] = value


def _running(spec: dict[str, Any]) -> dict[str, Any]:
    def statuses(field: str) -> list[dict[str, Any]]:
        return [
            {"name": one.get("name"), "ready": True, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}
            for one in spec.get(field) or []
        ]

    return {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": statuses("containers"),
        "ephemeralContainerStatuses": statuses("ephemeralContainers"),
    }
