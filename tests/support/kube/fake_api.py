"""An API server of a few lines on loopback TLS: enough for a real kubectl to list, delete and exec-authenticate.

Every request is recorded with its credentials, which is what the tests look at.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web-0", "namespace": "shop", "uid": "u", "resourceVersion": "1"},
    "spec": {"containers": []},
    "status": {"phase": "Running"},
}
RESOURCES = [
    {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get", "list", "delete"]},
    {"name": "namespaces", "singularName": "namespace", "namespaced": False, "kind": "Namespace", "verbs": ["list"]},
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What kubectl sent."""

    method: str
    path: str
    authorization: str | None
    impersonates: str | None = None


@dataclass(slots=True, kw_only=True)
class FakeAPI:
    """The running server."""

    url: str
    ca_pem: str
    requests: list[Request] = field(default_factory=list)

    def credentials(self, method: str, path: str) -> set[str | None]:
        """Return the Authorization headers that came with the requests to a path, its query left out."""
        return {
            request.authorization
            for request in self.requests
            if request.method == method and request.path.partition("?")[0] == path
        }


@contextmanager
def fake_api() -> Iterator[FakeAPI]:
    """Serve for the time of the block."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    api = FakeAPI(url=f"https://127.0.0.1:{server.server_port}", ca_pem=authority.cert_pem.bytes().decode())
    Handler.apis[server.server_port] = api
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        del Handler.apis[server.server_port]


class Handler(BaseHTTPRequestHandler):
    """Answers in the API server's forms."""

    protocol_version = "HTTP/1.1"
    apis: dict[int, FakeAPI] = {}  # noqa: RUF012 - one for each running server, by its port

    def do_GET(self) -> None:
        """List, or tell what there is."""
        path = self._record()
        if path == "/version":
            self._answer({"major": "1", "minor": "37", "gitVersion": "v1.37.1"})
        elif path == "/api":
            self._answer({"kind": "APIVersions", "versions": ["v1"]})
        elif path == "/apis":
            self._answer({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})
        elif path == "/api/v1":
            self._answer({"kind": "APIResourceList", "groupVersion": "v1", "resources": RESOURCES})
        elif path.endswith("/pods"):
            items = [POD] if path.endswith("/shop/pods") else []
            self._answer({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})
        elif path.endswith("/pods/web-0"):
            self._answer(POD)
        else:
            self._answer({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404}, 404)

    def do_DELETE(self) -> None:
        """Accept the deletion of anything."""
        self._record()
        self._answer({"kind": "Status", "apiVersion": "v1", "status": "Success"})

    def _record(self) -> str:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(
            method=self.command,
            path=self.path,
            authorization=self.headers.get("Authorization"),
            impersonates=self.headers.get("Impersonate-User"),
        )
        self.apis[self.server.server_port].requests.append(request)  # type: ignore[attr-defined]
        return self.path.partition("?")[0]

    def _answer(self, body: object, status: int = 200) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""
