"""An API server on loopback TLS that answers as a test says, and a plain server that somebody else owns.

Every request is recorded with its headers: what a test looks for is a token where none belongs.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme

Script = Callable[[BaseHTTPRequestHandler], None]
"""Answers one request; its path and headers are the handler's."""


@dataclass(slots=True, kw_only=True)
class Scripted:
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


@contextmanager
def scripted(
    script: Script, *, tls: bool = True, names: tuple[str, ...] = ("127.0.0.1", "localhost")
) -> Iterator[Scripted]:
    """Serve for the time of the block; without `tls` in clear text, as a thief would."""
    authority = trustme.CA()

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
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names).configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    scheme = "https" if tls else "http"
    running = Scripted(url=f"{scheme}://127.0.0.1:{server.server_port}", ca_pem=authority.cert_pem.bytes().decode())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def thief() -> Iterator[Scripted]:
    """Serve a host of somebody else's, who is glad of any token."""
    with scripted(lambda handler: reply(handler, 200, b"thanks\n"), tls=False) as running:
        yield running
