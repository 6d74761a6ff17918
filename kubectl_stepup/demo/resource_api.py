"""Get, list, watch and change objects: the part of the cluster stand-in behind authorization."""

from __future__ import annotations

import time
from collections.abc import Callable

from kubectl_stepup.demo.admission import Attempt, Guard
from kubectl_stepup.demo.api_request import APIRequest
from kubectl_stepup.demo.authentication import User
from kubectl_stepup.demo.bodies import object_body, read_body
from kubectl_stepup.demo.catalogue import Kind
from kubectl_stepup.demo.defaults import completed
from kubectl_stepup.demo.https_server import Request, Response, json_response
from kubectl_stepup.demo.patches import patched
from kubectl_stepup.demo.selectors import selector
from kubectl_stepup.demo.statuses import (
    StatusError,
    bad_request,
    invalid,
    no_such_resource,
    not_allowed,
)
from kubectl_stepup.demo.store import Document, ObjectStore
from kubectl_stepup.demo.tables import table
from kubectl_stepup.demo.watch import WatchRequest, events

_LONGEST_WATCH_S = 3600.0
_APPLY = "application/apply-patch+yaml"


class ResourceAPI:
    """Serve objects of `store`; writes pass the guards. `clock` gives seconds since the epoch."""

    def __init__(self, store: ObjectStore, guards: tuple[Guard, ...], clock: Callable[[], float]) -> None:
        self._store = store
        self._guards = guards
        self._clock = clock

    def answer(self, user: User, kind: Kind, asked: APIRequest, request: Request) -> Response:
        """Answer an authorized request. Raises `StatusError`."""
        if asked.subresource:
            return self._subresource(user, kind, asked, request)
        verbs: dict[str, Callable[[User, Kind, APIRequest, Request], Response]] = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }
        handler = verbs.get(asked.verb)
        if handler is None or (asked.verb == "create" and asked.name):
            raise not_allowed()
        return handler(user, kind, asked, request)

    def _get(self, user: User, kind: Kind, asked: APIRequest, request: Request) -> Response:
        document = self._store.get(kind, self._namespace(kind, asked), asked.name)
        return json_response(self._shown(kind, request)(document, self._store.revision))

    def _list(self, user: User, kind: Kind, asked: APIRequest, request: Request) -> Response:
        test = selector(request.parameter("labelSelector"), request.parameter("fieldSelector"))
        revision, documents = self._store.list_all(kind, self._namespace(kind, asked))
        documents = [document for document in documents if test(document)]
        if _wants_table(request):
            return json_response(self._table(kind, documents, revision, request))
        return json_response(
            {
                "kind": f"{kind.name}List",
                "apiVersion": kind.api_version,
                "metadata": {"resourceVersion": str(revision)},
                "items": documents,
            }
        )

    def _watch(self, user: User, kind: Kind, asked: APIRequest, request: Request) -> Response:
        fields = request.parameter("fieldSelector") or ""
        if asked.name:
            fields = ",".join(part for part in (fields, f"metadata.name={asked.name}") if part)
        after = request.parameter("resourceVersion") or "0"
        initial = request.parameter("sendInitialEvents") == "true"
        timeout = request.parameter("timeoutSeconds") or ""
        if not _is_number(after):
            raise bad_request(f"invalid resource version: {after}")
        watch = WatchRequest(
            kind=kind,
            namespace=self._namespace(kind, asked),
            test=selector(request.parameter("labelSelector"), fields),
            after=None if initial or after == "0" else int(after),
            bookmark=initial,
            timeout_s=min(float(timeout), _LONGEST_WATCH_S) if _is_number(timeout) else _LONGEST_WATCH_S,
        )
        stream = events(self._store, watch, show=self._shown(kind, request), monotonic=time.monotonic)
        return Response(headers=(("Content-Type", "application/json"),), stream=stream)

    def _create(self, user: User, kind: Kind, asked: APIRequest, request: Request) -> Response:
        document = completed(kind, object_body(request), namespace=self._namespace(kind, asked), now=self._clock())
        self._admit(user, Attempt(request=asked, new=document))
        if not _dry_run(request):
            document = self._store.create(kind, document)
        return json_response(self._shown(kind, request)(document, self._store.revision), 201)

    def _update(self, user: User, kind: Kind, asked: APIRequest, request: Request) -> Response:
        body = object_body(request)
        if body.get("metadata", {}).get("name") != asked.name:
            raise bad_request("the name of the object does not match the name on the URL")
        return self._replace(user, kind, asked, request, body)

    def _patch(self, user: User, kind: Kind, asked: APIRequest, request: Request) -> Response:
        content_type = request.headers.get_content_type()
        try:
            old = self._store.get(kind, self._namespace(kind, asked), asked.name)
        except StatusError:
            if content_type != _APPLY:
                raise
            # Server-side apply creates what is not there.
            return self._create(user, kind, asked, request)
        return self._replace(user, kind, asked, request, patched(old, read_body(request), content_type))

    def _replace(self, user: User, kind: Kind, asked: APIRequest, request: Request, new: Document) -> Response:
        namespace = self._namespace(kind, asked)
        old = self._store.get(kind, namespace, asked.name)
        if "status" in old:
            # The status belongs to the controllers: a write of the object does not change it.
            new["status"] = old["status"]
        if new.get("metadata", {}).get("name") != asked.name:
            raise invalid(kind.name, asked.name, "metadata.name", "Invalid value: field is immutable")
        new = completed(kind, new, namespace=namespace, now=self._clock())
        self._admit(user, Attempt(request=asked, old=old, new=new))
        if not _dry_run(request):
            new = self._store.update(kind, new)
        return json_response(self._shown(kind, request)(new, self._store.revision))

    def _delete(self, user: User, kind: Kind, asked: APIRequest, request: Request) -> Response:
        namespace = self._namespace(kind, asked)
        old = self._store.get(kind, namespace, asked.name)
        self._admit(user, Attempt(request=asked, old=old))
        options = read_body(request) if request.body else {}
        preconditions = options.get("preconditions") or {} if isinstance(options, dict) else {}
        if not _dry_run(request):
            self._store.delete(kind, namespace, asked.name, preconditions.get("uid"))
        details = {"name": asked.name, "kind": kind.resource, "uid": old["metadata"]["uid"]}
        if kind.group:
            details["group"] = kind.group
        return json_response(_success(details))

    def _delete_collection(self, user: User, kind: Kind, asked: APIRequest, request: Request) -> Response:
        test = selector(request.parameter("labelSelector"), request.parameter("fieldSelector"))
        self._admit(user, Attempt(request=asked))
        _, documents = self._store.list_all(kind, self._namespace(kind, asked))
        for document in documents:
            if test(document) and not _dry_run(request):
                self._store.delete(kind, document["metadata"].get("namespace", ""), document["metadata"]["name"])
        return json_response(_success({"kind": kind.resource}))

    def _subresource(self, user: User, kind: Kind, asked: APIRequest, request: Request) -> Response:
        if not kind.has_subresource(asked.subresource):
            raise no_such_resource()
        document = self._store.get(kind, asked.namespace, asked.name)
        if asked.subresource == "scale":
            return self._scale(user, kind, asked, request, document)
        if asked.subresource == "log":
            return Response(body=_log(document), headers=(("Content-Type", "text/plain"),))
        self._admit(user, Attempt(request=asked, old=document))
        if asked.subresource == "eviction":
            if not _dry_run(request):
                self._store.delete(kind, asked.namespace, asked.name)
            return json_response(_success({}), 201)
        raise StatusError(501, "NotImplemented", f"the demo cluster runs no containers: no {asked.subresource} here")

    def _scale(self, user: User, kind: Kind, asked: APIRequest, request: Request, document: Document) -> Response:
        if asked.verb == "get":
            return json_response(_scale_of(document))
        if asked.verb == "update":
            scale = object_body(request)
        elif asked.verb == "patch":
            scale = patched(_scale_of(document), read_body(request), request.headers.get_content_type())
        else:
            raise not_allowed()
        new = document | {"spec": document["spec"] | {"replicas": (scale.get("spec") or {}).get("replicas", 0)}}
        self._replace(user, kind, asked, request, new)
        return json_response(_scale_of(new))

    def _admit(self, user: User, attempt: Attempt) -> None:
        for guard in self._guards:
            guard.check(user, attempt)

    def _shown(self, kind: Kind, request: Request) -> Callable[[Document, int], Document]:
        if not _wants_table(request):
            return lambda document, revision: document
        return lambda document, revision: self._table(kind, [document], revision, request)

    def _table(self, kind: Kind, documents: list[Document], revision: int, request: Request) -> Document:
        include = request.parameter("includeObject") or "Metadata"
        return table(kind, documents, revision=revision, now=self._clock(), include=include)

    def _namespace(self, kind: Kind, asked: APIRequest) -> str:
        return asked.namespace if kind.namespaced else ""


def _wants_table(request: Request) -> bool:
    # The first kind that we speak, in the client's order of preference (RFC 9110 section 12.5.1, without weights).
    for wish in request.headers.get("Accept", "").replace(" ", "").split(","):
        if "as=Table" in wish and "v=v1;" in f"{wish};" and wish.startswith("application/json"):
            return True
        if wish == "application/json":
            return False
    return False


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _dry_run(request: Request) -> bool:
    if request.parameter("dryRun") == "All":
        return True
    options = read_body(request) if request.body and request.method == "DELETE" else {}
    return isinstance(options, dict) and options.get("dryRun") == ["All"]


def _success(details: dict[str, str]) -> Document:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _log(document: Document) -> bytes:
    name = document["metadata"]["name"]
    lines = (f"{name}: started", f"{name}: listening on :8080", f"{name}: GET /healthz 200")
    return "".join(f"{line}\n" for line in lines).encode()


def _scale_of(document: Document) -> Document:
    metadata = {
        key: document["metadata"][key]
        for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        if key in document["metadata"]
    }
    replicas = document["spec"].get("replicas", 0)
    labels = document["spec"].get("selector", {}).get("matchLabels", {})
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": {"replicas": replicas},
        "status": {"replicas": replicas, "selector": ",".join(f"{k}={v}" for k, v in sorted(labels.items()))},
    }
