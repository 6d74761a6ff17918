"""Get, list, watch and change objects: the part of the cluster stand-in behind authorization."""

from __future__ import annotations

import time
from collections.abc import Callable

from kubectl_stepup.demo.admission import AdmissionPolicy, Attempt
from kubectl_stepup.demo.api_request import APIRequest, object_body, read_body
from kubectl_stepup.demo.authentication import User
from kubectl_stepup.demo.catalogue import ResourceKind
from kubectl_stepup.demo.defaults import completed
from kubectl_stepup.demo.https_server import HTTPRequest, HTTPResponse, json_response
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
    """Serve objects of `store`; admission policies check writes. `clock` returns seconds since the epoch."""

    def __init__(self, store: ObjectStore, policies: tuple[AdmissionPolicy, ...], clock: Callable[[], float]) -> None:
        self._store = store
        self._policies = policies
        self._clock = clock

    def answer(self, user: User, kind: ResourceKind, info: APIRequest, request: HTTPRequest) -> HTTPResponse:
        """Answer an authorized request. Raises `StatusError`."""
        if info.subresource:
            return self._subresource(user, kind, info, request)
        verbs: dict[str, Callable[[User, ResourceKind, APIRequest, HTTPRequest], HTTPResponse]] = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }
        handler = verbs.get(info.verb)
        if handler is None or (info.verb == "create" and info.name):
            raise not_allowed()
        return handler(user, kind, info, request)

    def _get(self, user: User, kind: ResourceKind, info: APIRequest, request: HTTPRequest) -> HTTPResponse:
        document = self._store.get(kind, self._namespace(kind, info), info.name)
        return json_response(self._shown(kind, request)(document, self._store.revision))

    def _list(self, user: User, kind: ResourceKind, info: APIRequest, request: HTTPRequest) -> HTTPResponse:
        test = selector(request.parameter("labelSelector"), request.parameter("fieldSelector"))
        revision, documents = self._store.list_all(kind, self._namespace(kind, info))
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

    def _watch(self, user: User, kind: ResourceKind, info: APIRequest, request: HTTPRequest) -> HTTPResponse:
        fields = request.parameter("fieldSelector") or ""
        if info.name:
            fields = ",".join(part for part in (fields, f"metadata.name={info.name}") if part)
        after = request.parameter("resourceVersion") or "0"
        initial = request.parameter("sendInitialEvents") == "true"
        timeout = request.parameter("timeoutSeconds") or ""
        if not _is_number(after):
            raise bad_request(f"invalid resource version: {after}")
        watch = WatchRequest(
            kind=kind,
            namespace=self._namespace(kind, info),
            test=selector(request.parameter("labelSelector"), fields),
            after=None if initial or after == "0" else int(after),
            bookmark=initial,
            timeout_s=min(float(timeout), _LONGEST_WATCH_S) if _is_number(timeout) else _LONGEST_WATCH_S,
        )
        stream = events(self._store, watch, show=self._shown(kind, request), monotonic=time.monotonic)
        return HTTPResponse(headers=(("Content-Type", "application/json"),), stream=stream)

    def _create(self, user: User, kind: ResourceKind, info: APIRequest, request: HTTPRequest) -> HTTPResponse:
        document = completed(kind, object_body(request), namespace=self._namespace(kind, info), now=self._clock())
        self._admit(user, Attempt(request=info, new=document))
        if not _dry_run(request):
            document = self._store.create(kind, document)
        return json_response(self._shown(kind, request)(document, self._store.revision), 201)

    def _update(self, user: User, kind: ResourceKind, info: APIRequest, request: HTTPRequest) -> HTTPResponse:
        body = object_body(request)
        if body.get("metadata", {}).get("name") != info.name:
            raise bad_request("the name of the object does not match the name on the URL")
        return self._replace(user, kind, info, request, body)

    def _patch(self, user: User, kind: ResourceKind, info: APIRequest, request: HTTPRequest) -> HTTPResponse:
        content_type = request.headers.get_content_type()
        try:
            old = self._store.get(kind, self._namespace(kind, info), info.name)
        except StatusError:
            if content_type != _APPLY:
                raise
            # Server-side apply creates what is not there.
            return self._create(user, kind, info, request)
        return self._replace(user, kind, info, request, patched(old, read_body(request), content_type))

    def _replace(
        self, user: User, kind: ResourceKind, info: APIRequest, request: HTTPRequest, new: Document
    ) -> HTTPResponse:
        namespace = self._namespace(kind, info)
        old = self._store.get(kind, namespace, info.name)
        if "status" in old:
            # The status belongs to the controllers: a write of the object does not change it.
            new["status"] = old["status"]
        if new.get("metadata", {}).get("name") != info.name:
            raise invalid(kind.name, info.name, "metadata.name", "Invalid value: field is immutable")
        new = completed(kind, new, namespace=namespace, now=self._clock())
        self._admit(user, Attempt(request=info, old=old, new=new))
        if not _dry_run(request):
            new = self._store.update(kind, new)
        return json_response(self._shown(kind, request)(new, self._store.revision))

    def _delete(self, user: User, kind: ResourceKind, info: APIRequest, request: HTTPRequest) -> HTTPResponse:
        namespace = self._namespace(kind, info)
        old = self._store.get(kind, namespace, info.name)
        self._admit(user, Attempt(request=info, old=old))
        options = read_body(request) if request.body else {}
        preconditions = options.get("preconditions") or {} if isinstance(options, dict) else {}
        if not _dry_run(request):
            self._store.delete(kind, namespace, info.name, preconditions.get("uid"))
        details = {"name": info.name, "kind": kind.resource, "uid": old["metadata"]["uid"]}
        if kind.group:
            details["group"] = kind.group
        return json_response(_success(details))

    def _delete_collection(
        self, user: User, kind: ResourceKind, info: APIRequest, request: HTTPRequest
    ) -> HTTPResponse:
        test = selector(request.parameter("labelSelector"), request.parameter("fieldSelector"))
        self._admit(user, Attempt(request=info))
        _, documents = self._store.list_all(kind, self._namespace(kind, info))
        for document in documents:
            if test(document) and not _dry_run(request):
                self._store.delete(kind, document["metadata"].get("namespace", ""), document["metadata"]["name"])
        return json_response(_success({"kind": kind.resource}))

    def _subresource(self, user: User, kind: ResourceKind, info: APIRequest, request: HTTPRequest) -> HTTPResponse:
        if not kind.has_subresource(info.subresource):
            raise no_such_resource()
        document = self._store.get(kind, info.namespace, info.name)
        if info.subresource == "scale":
            return self._scale(user, kind, info, request, document)
        if info.subresource == "log":
            return HTTPResponse(body=_log(document), headers=(("Content-Type", "text/plain"),))
        self._admit(user, Attempt(request=info, old=document))
        if info.subresource == "eviction":
            if not _dry_run(request):
                self._store.delete(kind, info.namespace, info.name)
            return json_response(_success({}), 201)
        raise StatusError(501, "NotImplemented", f"the demo cluster runs no containers: no {info.subresource} here")

    def _scale(
        self, user: User, kind: ResourceKind, info: APIRequest, request: HTTPRequest, document: Document
    ) -> HTTPResponse:
        if info.verb == "get":
            return json_response(_scale_of(document))
        if info.verb == "update":
            scale = object_body(request)
        elif info.verb == "patch":
            scale = patched(_scale_of(document), read_body(request), request.headers.get_content_type())
        else:
            raise not_allowed()
        new = document | {"spec": document["spec"] | {"replicas": (scale.get("spec") or {}).get("replicas", 0)}}
        self._replace(user, kind, info, request, new)
        return json_response(_scale_of(new))

    def _admit(self, user: User, attempt: Attempt) -> None:
        for policy in self._policies:
            policy.check(user, attempt)

    def _shown(self, kind: ResourceKind, request: HTTPRequest) -> Callable[[Document, int], Document]:
        if not _wants_table(request):
            return lambda document, revision: document
        return lambda document, revision: self._table(kind, [document], revision, request)

    def _table(self, kind: ResourceKind, documents: list[Document], revision: int, request: HTTPRequest) -> Document:
        include = request.parameter("includeObject") or "Metadata"
        return table(kind, documents, revision=revision, now=self._clock(), include=include)

    def _namespace(self, kind: ResourceKind, info: APIRequest) -> str:
        return info.namespace if kind.namespaced else ""


def _wants_table(request: HTTPRequest) -> bool:
    # The first format that we support, in the client's order of preference (RFC 9110 section 12.5.1, without weights).
    for accepted in request.headers.get("Accept", "").replace(" ", "").split(","):
        if "as=Table" in accepted and "v=v1;" in f"{accepted};" and accepted.startswith("application/json"):
            return True
        if accepted == "application/json":
            return False
    return False


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _dry_run(request: HTTPRequest) -> bool:
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
