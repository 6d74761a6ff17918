"""Stream changes to a client.

Spec: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from kubectl_stepup.demo.catalogue import ResourceKind
from kubectl_stepup.demo.selectors import Test
from kubectl_stepup.demo.statuses import StatusError
from kubectl_stepup.demo.store import Change, Document, ObjectStore

_MOMENT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRequest:
    """What to watch; `after` None begins with what there is, `bookmark` ends that part with a bookmark."""

    kind: ResourceKind
    namespace: str
    test: Test
    after: int | None
    bookmark: bool
    timeout_s: float


def events(
    store: ObjectStore,
    request: WatchRequest,
    *,
    show: Callable[[Document, int], Document],
    monotonic: Callable[[], float],
) -> Iterator[bytes]:
    """Return one JSON line an event until the time is over; `show` returns an object in the client's format."""
    end = monotonic() + request.timeout_s
    if request.after is None:
        revision, documents = store.list_all(request.kind, request.namespace)
        for document in documents:
            if request.test(document):
                yield _line("ADDED", show(document, revision))
        if request.bookmark:
            yield _line("BOOKMARK", _bookmark(request.kind, revision))
    else:
        revision = request.after
    while not store.closed and (left := end - monotonic()) > 0:
        try:
            revision, changes = store.wait(request.kind, revision, min(left, _MOMENT_S))
        except StatusError as error:
            yield _line("ERROR", error.document())
            return
        for change in changes:
            type_ = _type_for(change, request)
            if type_:
                yield _line(type_, show(change.new, change.revision))


def _type_for(change: Change, request: WatchRequest) -> str:
    """Return the event type as this watcher sees it; empty for a change that it does not match."""
    if request.namespace and change.new["metadata"].get("namespace", "") != request.namespace:
        return ""
    before = change.old is not None and request.test(change.old)
    if change.type == "DELETED":
        return "DELETED" if before else ""
    after = request.test(change.new)
    if before and not after:
        return "DELETED"
    return ("MODIFIED" if before else "ADDED") if after else ""


def _bookmark(kind: ResourceKind, revision: int) -> Document:
    metadata: Any = {"resourceVersion": str(revision), "annotations": {"k8s.io/initial-events-end": "true"}}
    return {"kind": kind.name, "apiVersion": kind.api_version, "metadata": metadata}


def _line(type_: str, document: Document) -> bytes:
    return json.dumps({"type": type_, "object": document}, separators=(",", ":")).encode() + b"\n"
