"""Objects of the cluster stand-in in memory, with resource versions and a record of changes to watch."""

from __future__ import annotations

import copy
import datetime
import threading
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubectl_stepup.demo.catalogue import ResourceKind, find_kind
from kubectl_stepup.demo.statuses import already_exists, conflict, expired, not_found

Document = dict[str, Any]
_REMEMBERED = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change; `old` is None for a new object, `new` is the last state of a deleted one."""

    revision: int
    type: str
    kind: ResourceKind
    new: Document
    old: Document | None


class ObjectStore:
    """Every object, by kind, namespace and name; what is given out is a copy."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._objects: dict[tuple[str, str], dict[tuple[str, str], Document]] = {}
        self._changes: deque[Change] = deque(maxlen=_REMEMBERED)
        self._revision = 1000
        self._changed = threading.Condition()
        self.closed = False

    @property
    def revision(self) -> int:
        """Return the revision of the last change."""
        return self._revision

    def close(self) -> None:
        """End every watch."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def get(self, kind: ResourceKind, namespace: str, name: str) -> Document:
        """Return one object. Raises `StatusError` (404)."""
        with self._changed:
            found = self._table(kind).get((namespace, name))
        if found is None:
            raise not_found(kind.group, kind.resource, name)
        return copy.deepcopy(found)

    def list_all(self, kind: ResourceKind, namespace: str) -> tuple[int, list[Document]]:
        """Return the revision and the objects, in one namespace or, for an empty name, in all."""
        with self._changed:
            keys = sorted(key for key in self._table(kind) if not namespace or key[0] == namespace)
            return self._revision, [copy.deepcopy(self._table(kind)[key]) for key in keys]

    def create(self, kind: ResourceKind, document: Document) -> Document:
        """Take in a new object. Raises `StatusError` (404 for its namespace, 409)."""
        metadata = document["metadata"]
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        with self._changed:
            self._require_namespace(kind, namespace)
            if (namespace, name) in self._table(kind):
                raise already_exists(kind.group, kind.resource, name)
            metadata["creationTimestamp"] = metadata.get("creationTimestamp") or timestamp(self._clock())
            metadata["uid"] = str(uuid.uuid4())
            if "spec" in document:
                metadata["generation"] = 1
            return self._keep("ADDED", kind, document, None)

    def update(self, kind: ResourceKind, document: Document) -> Document:
        """Replace an object. Raises `StatusError` (404, 409 where `resourceVersion` is given and is not the last)."""
        metadata = document["metadata"]
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        with self._changed:
            old = self.get(kind, namespace, name)
            given = metadata.get("resourceVersion")
            if given and given != old["metadata"]["resourceVersion"]:
                why = "the object has been modified; please apply your changes to the latest version and try again"
                raise conflict(kind.group, kind.resource, name, why)
            for fixed in ("uid", "creationTimestamp"):
                metadata[fixed] = old["metadata"][fixed]
            if "generation" in old["metadata"]:
                changed = document.get("spec") != old.get("spec")
                metadata["generation"] = old["metadata"]["generation"] + (1 if changed else 0)
            metadata["resourceVersion"] = old["metadata"]["resourceVersion"]
            if document == old:
                return old
            return self._keep("MODIFIED", kind, document, old)

    def delete(self, kind: ResourceKind, namespace: str, name: str, uid: str | None = None) -> Document:
        """Take an object out, a namespace with all that is in it. Raises `StatusError` (404, 409)."""
        with self._changed:
            old = self.get(kind, namespace, name)
            if uid and uid != old["metadata"]["uid"]:
                why = f"the UID in the precondition ({uid}) does not match the UID in record ({old['metadata']['uid']})"
                raise conflict(kind.group, kind.resource, name, why)
            if kind.resource == "namespaces":
                self._empty(name)
            del self._table(kind)[(namespace, name)]
            return self._record("DELETED", kind, copy.deepcopy(old), old)

    def wait(self, kind: ResourceKind, after: int, timeout_s: float) -> tuple[int, list[Change]]:
        """Return the revision reached and the changes of a kind after a revision; wait a while where there are none.

        Raises `StatusError` (410) when changes after that revision are forgotten.
        """
        with self._changed:
            oldest = self._changes[0].revision if self._changes else self._revision
            if len(self._changes) == _REMEMBERED and after < oldest - 1:
                raise expired(oldest)
            if self._revision <= after and not self.closed:
                self._changed.wait(timeout_s)
            return self._revision, [c for c in self._changes if c.revision > after and c.kind is kind]

    def _table(self, kind: ResourceKind) -> dict[tuple[str, str], Document]:
        return self._objects.setdefault((kind.group, kind.resource), {})

    def _require_namespace(self, kind: ResourceKind, namespace: str) -> None:
        namespaces = find_kind("", "namespaces")
        if kind.namespaced and namespaces and ("", namespace) not in self._table(namespaces):
            raise not_found("", "namespaces", namespace)

    def _empty(self, namespace: str) -> None:
        for group, resource in list(self._objects):
            kind = find_kind(group, resource)
            if kind is not None and kind.namespaced:
                for key in [key for key in self._table(kind) if key[0] == namespace]:
                    self.delete(kind, *key)

    def _keep(self, type_: str, kind: ResourceKind, document: Document, old: Document | None) -> Document:
        metadata = document["metadata"]
        kept = copy.deepcopy(document)
        if "observedGeneration" in kept.get("status", {}):
            # The stand-in's controllers are never behind.
            kept["status"]["observedGeneration"] = metadata.get("generation", 1)
        self._table(kind)[(metadata.get("namespace", ""), metadata["name"])] = kept
        return self._record(type_, kind, kept, old)

    def _record(self, type_: str, kind: ResourceKind, document: Document, old: Document | None) -> Document:
        self._revision += 1
        document["metadata"]["resourceVersion"] = str(self._revision)
        self._changes.append(
            Change(revision=self._revision, type=type_, kind=kind, new=copy.deepcopy(document), old=copy.deepcopy(old))
        )
        self._changed.notify_all()
        return copy.deepcopy(document)


def timestamp(at: float) -> str:
    """Return seconds since the epoch as the API writes them."""
    return datetime.datetime.fromtimestamp(at, tz=datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
