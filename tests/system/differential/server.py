"""An API server that believes everything and does nothing: it answers as a real one would, and records what came.

Discovery, schemas and objects are the snapshot's. A write is answered as if it had been done, and a command sees what
it did itself (it waits for what it deleted to be gone); the next one starts from the snapshot again. A stream is
refused: that it was asked for is what counts.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.system.differential.bodies import MAGIC, content
from tests.system.differential.request_info import RequestInfo, request_info
from tests.system.differential.snapshot import Answer, Object, Snapshot
from tests.system.differential.state import State

STREAMS = {"exec", "attach", "portforward"}
JSON = {"Content-Type": "application/json"}
PROTOBUF = {"Content-Type": "application/vnd.kubernetes.protobuf"}
ALIVE = {"/healthz", "/livez", "/readyz"}
REVIEWED: dict[str, dict[str, Any]] = {
    "selfsubjectaccessreviews": {"allowed": True},
    "selfsubjectrulesreviews": {"resourceRules": [], "nonResourceRules": [], "incomplete": False},
    "selfsubjectreviews": {"userInfo": {"username": "admin"}},
    "subjectaccessreviews": {"allowed": True},
}
Request = tuple[str, str, str, str, str, str]
"""Verb, API group, resource, subresource, namespace and name, as tests/system/recorder records them."""


@dataclass(slots=True, kw_only=True)
class RecordingAPI:
    """A running server."""

    url: str
    state: State
    snapshot: Snapshot
    requests: list[Request] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    """What this server itself failed at: there must be none."""

    def begin(self) -> None:
        """Forget everything, for the next command."""
        self.requests = []
        self.state.forget()


@contextmanager
def recording_api(snapshot: Snapshot) -> Iterator[RecordingAPI]:
    """Serve on loopback for the time of the block."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.api = RecordingAPI(url=f"http://127.0.0.1:{server.server_port}", state=State(snapshot), snapshot=snapshot)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a killed kubectl may leave a connection open
    api: RecordingAPI

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep what went wrong here, for who runs the command."""
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError):
            self.api.errors.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_one_request(self) -> None:
        """Answer; who has gone away gets none."""
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def do_GET(self) -> None:
        """Read an object, a collection, a log, or what the API is; refuse a stream."""
        self._body()
        fixed = self._fixed()
        if fixed is not None:
            self._fixed_answer(fixed)
            return
        info = self._recorded(b"")
        if info is None:
            self._status(404)
        elif info.subresource in STREAMS:
            self._status(403)
        elif info.subresource == "log":
            self._send(200, b"a line\n", {"Content-Type": "text/plain"})
        elif info.verb == "watch":
            self._watch(info)
        elif info.verb == "list":
            self._list(info)
        else:
            self._one(info)

    def do_POST(self) -> None:
        """Create, ask a question, or evict; refuse a stream."""
        body = self._body()
        info = self._recorded(body)
        if info is None:
            self._status(404)
        elif info.subresource in STREAMS:
            self._status(403)
        elif info.subresource == "eviction":
            self._state.remove(info)
            self._status(201)
        elif info.subresource == "token":
            self._json(
                201, {**content(body), "status": {"token": "a.b.c", "expirationTimestamp": "2027-01-01T00:00:00Z"}}
            )
        elif info.resource in REVIEWED:
            self._json(201, {**content(body), "status": REVIEWED[info.resource]})
        else:
            self._create(info, body)

    def do_PUT(self) -> None:
        """Update."""
        body = self._body()
        info = self._recorded(body)
        there = self._state.one(info) if info is not None else None
        if info is None or there is None:
            self._status(404)
        else:
            self._changed(info, {**there, **content(body)} if not info.subresource else content(body))

    def do_PATCH(self) -> None:
        """Patch, or apply, which may create."""
        body, kind = self._body(), self.headers.get("Content-Type", "")
        info = self._recorded(body)
        there = self._state.one(info) if info is not None else None
        if info is None or (there is None and "apply-patch" not in kind):
            self._status(404)
        elif there is None:
            self._create(info, body)
        elif info.subresource == "scale":
            self._json(200, _scale(there))
        else:
            self._changed(info, self._state.patched(info, there, body, kind))

    def do_DELETE(self) -> None:
        """Delete."""
        body = self._body()
        info = self._recorded(body)
        if info is None or (info.name and self._state.one(info) is None):
            self._status(404)
        elif info.verb == "deletecollection":
            self._list(info)
        else:
            if not info.option("dryRun") and not content(body).get("dryRun"):
                self._state.remove(info)
            self._status(200)

    def _create(self, info: RequestInfo, body: bytes) -> None:
        thing = content(body)
        named = replace(info, name=(thing.get("metadata") or {}).get("name", ""))
        if info.verb == "create" and named.name and self._state.one(named) is not None:
            self._status(409)
        else:
            made = thing if info.option("dryRun") else self._state.put(named, thing)
            self._json(201, made) if not body.startswith(MAGIC) else self._send(201, body, PROTOBUF)

    def _changed(self, info: RequestInfo, thing: Object) -> None:
        if not info.option("dryRun") and (not info.subresource or info.subresource == "ephemeralcontainers"):
            self._state.put(info, thing)
        self._json(200, thing)

    def _one(self, info: RequestInfo) -> None:
        there = self._state.one(info)
        if there is None:
            self._status(404)
        else:
            self._json(200, _scale(there) if info.subresource == "scale" else there)

    def _list(self, info: RequestInfo) -> None:
        if not self._state.is_served(info):
            self._status(404)
            return
        kind, metadata = f"{self._kind(info)}List", {"resourceVersion": "9"}
        items = self._state.chosen(info)
        self._json(200, {"kind": kind, "apiVersion": info.api_version, "metadata": metadata, "items": items})

    def _watch(self, info: RequestInfo) -> None:
        """Say what is there, if that is asked for; otherwise that it goes away, so that nobody waits for long."""
        if info.option("sendInitialEvents") == "true":
            events = [{"type": "ADDED", "object": thing} for thing in self._state.chosen(info)]
            metadata = {"resourceVersion": "9", "annotations": {"k8s.io/initial-events-end": "true"}}
            bookmark = {"kind": self._kind(info), "apiVersion": info.api_version, "metadata": metadata}
            events.append({"type": "BOOKMARK", "object": bookmark})
        else:
            events = [{"type": "DELETED", "object": thing} for thing in self._state.chosen(info)]
        self._send(200, b"".join(json.dumps(event).encode() + b"\n" for event in events))

    def _kind(self, info: RequestInfo) -> str:
        return self.server.api.snapshot.kinds.get(info.collection, "Object")

    def _fixed(self) -> Answer | None:
        path, _, _ = self.path.partition("?")
        if path in ALIVE:
            return Answer(headers={"Content-Type": "text/plain"}, body=b"ok")
        answers = self.server.api.snapshot.answers
        wants_json = "protobuf" not in self.headers.get("Accept", "")
        return (answers.get(f"{path} json") if wants_json else None) or answers.get(path)

    def _fixed_answer(self, answer: Answer) -> None:
        if self.headers.get("If-None-Match") == answer.headers.get("ETag", "-"):
            self._send(304, b"", answer.headers)
        else:
            self._send(200, answer.body, answer.headers)

    @property
    def _state(self) -> State:
        return self.server.api.state

    def _recorded(self, body: bytes) -> RequestInfo | None:
        info = request_info(self.command, self.path)
        if info is not None:
            name, namespace = info.name, info.namespace
            if body and not info.name:
                # The audit log takes from the object what the URL does not say.
                metadata = content(body).get("metadata") or {}
                name, namespace = metadata.get("name", ""), namespace or metadata.get("namespace", "")
            row = (info.verb, info.group, info.resource, info.subresource, namespace, name)
            self.server.api.requests.append(row)
        return info

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _status(self, code: int) -> None:
        reason = {404: "NotFound", 409: "AlreadyExists", 403: "Forbidden"}.get(code, "")
        how = {"status": "Failure" if code >= 400 else "Success", "reason": reason, "message": reason, "code": code}
        self._json(code, {"kind": "Status", "apiVersion": "v1", "metadata": {}, **how})

    def _json(self, code: int, body: object) -> None:
        self._send(code, json.dumps(body).encode())

    def _send(self, code: int, body: bytes, headers: dict[str, str] = JSON) -> None:
        if "Upgrade" in self.headers:
            self.close_connection = True
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        if code != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


def _scale(thing: Object) -> Object:
    replicas = (thing.get("spec") or {}).get("replicas", 1)
    spec = {"replicas": replicas}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": thing["metadata"],
        "spec": spec,
        "status": spec,
    }
