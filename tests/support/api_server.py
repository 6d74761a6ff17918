"""An API server on loopback: enough for a real kubectl to list, delete and sign in, or what a test has it answer.

Every request is recorded with its headers: what a test looks for is a token where none belongs.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.certificates import Authority

Script = Callable[[BaseHTTPRequestHandler], None]
"""Answers one request; its path and headers are the handler's."""


@dataclass(slots=True, kw_only=True)
class APIServer:
    """A running server; `seen` has a line `METHOD PATH` and the headers of each request."""

    url: str
    ca_pem: str
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """What was asked for."""
        return [line for line, _ in self.seen]

    @property
    def tokens(self) -> list[str | None]:
        """The Authorization headers that arrived."""
        return [headers.get("authorization") for _, headers in self.seen]

    def credentials(self, method: str, path: str) -> set[str | None]:
        """Return the Authorization headers that came with the requests to a path, whatever their query."""
        wanted = f"{method} {path}"
        return {headers.get("authorization") for line, headers in self.seen if line.partition("?")[0] == wanted}


def reply(
    handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()
) -> None:
    """Send a whole answer."""
    handler.send_response(status)
    for name, value in headers:
        handler.send_header(name, value)
    if not any(name == "Transfer-Encoding" for name, _ in headers):
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


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
ANSWERS: dict[str, object] = {
    "/version": {"major": "1", "minor": "37", "gitVersion": "v1.37.1"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": RESOURCES},
}


def reply_json(handler: BaseHTTPRequestHandler, document: object, status: int = 200) -> None:
    """Send a whole answer in JSON."""
    reply(handler, status, json.dumps(document).encode(), (("Content-Type", "application/json"),))


def one_pod(handler: BaseHTTPRequestHandler) -> None:
    """Answer as the server of a cluster whose namespace `shop` has one pod, which every deletion leaves there."""
    path = handler.path.partition("?")[0]
    if handler.command == "DELETE":
        reply_json(handler, {"kind": "Status", "apiVersion": "v1", "status": "Success"})
    elif path in ANSWERS:
        reply_json(handler, ANSWERS[path])
    elif path.endswith("/pods"):
        items = [POD] if path.endswith("/shop/pods") else []
        reply_json(handler, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})
    elif path.endswith("/pods/web-0"):
        reply_json(handler, POD)
    else:
        reply_json(handler, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404}, 404)


@contextmanager
def api_server(
    script: Script = one_pod, *, tls: bool = True, names: tuple[str, ...] = ("127.0.0.1", "localhost")
) -> Iterator[APIServer]:
    """Serve for the time of the block; without `tls` in clear text, as a thief would."""
    authority = Authority()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            running.seen.append((f"{self.command} {self.path}", headers))
            self.rfile.read(int(headers.get("content-length") or 0))
            script(self)

        do_POST = do_PUT = do_DELETE = do_PATCH = do_CONNECT = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        context = authority.server_context(*names)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    scheme = "https" if tls else "http"
    running = APIServer(url=f"{scheme}://127.0.0.1:{server.server_port}", ca_pem=authority.pem)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def thief() -> Iterator[APIServer]:
    """Serve a host of somebody else's, who is glad of any token."""
    with api_server(lambda handler: reply(handler, 200, b"thanks\n"), tls=False) as running:
        yield running
