"""A small threaded HTTPS server: one function from `HTTPRequest` to `HTTPResponse`, nothing on the screen."""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

MAX_BODY_BYTES = 4 << 20
_MAX_LINE = 256
_MAX_TRAILERS = 32
_MAX_DIGITS = 16

# NOTE: int() also takes a sign, blanks, underscores and digits of other scripts.
_LENGTH = re.compile(r"[0-9]+")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")
_IDLE_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPRequest:
    """One HTTP request; `path` is still percent-encoded, `query` and `form()` give every value of a name."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Message
    body: bytes
    client: str

    def parameter(self, name: str) -> str | None:
        """Return the first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else None

    def form(self) -> dict[str, list[str]]:
        """Read the body as `application/x-www-form-urlencoded`."""
        if self.headers.get_content_type() != "application/x-www-form-urlencoded":
            return {}
        return parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPResponse:
    """One HTTP answer; with `stream` the body is sent in chunks as it comes."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    stream: Iterable[bytes] | None = field(default=None, repr=False)


def json_response(document: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> HTTPResponse:
    """Answer with JSON."""
    body = json.dumps(document, separators=(",", ":")).encode()
    return HTTPResponse(status=status, body=body, headers=(("Content-Type", "application/json"), *headers))


class HTTPSServer:
    """Serve `answer` on a free port of 127.0.0.1 until `close()`; also a context manager."""

    def __init__(self, context: ssl.SSLContext, answer: Callable[[HTTPRequest], HTTPResponse]) -> None:
        self._server = _Server(("127.0.0.1", 0), context, answer)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Return the base URL, without a slash at the end."""
        return f"https://127.0.0.1:{self._server.server_address[1]}"

    @property
    def faults(self) -> tuple[Exception, ...]:
        """Return the errors of our own that requests ran into."""
        return tuple(self._server.faults)

    def close(self) -> None:
        """Stop listening and end every open connection."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> HTTPSServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Refused(Exception):
    """A request whose body is too large, or does not say where it ends."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], context: ssl.SSLContext, answer: Callable[[HTTPRequest], HTTPResponse]
    ) -> None:
        self.answer = answer
        self.faults: list[Exception] = []
        self._context = context
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # NOTE: HTTPServer.server_bind asks the resolver for the host's name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = self.socket.accept()
        connection.settimeout(_IDLE_S)
        # The handshake happens in the connection's own thread: a silent peer must not stop the others.
        wrapped = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open.add(wrapped)
        return wrapped, address

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: a peer that hangs up, or does not trust the CA, is no error of the demo."""

    def server_close(self) -> None:
        super().server_close()
        with self._lock:
            remaining = list(self._open)
        for connection in remaining:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "kubectl-stepup-demo"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        self.request.do_handshake()
        super().setup()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: the screen belongs to the story."""

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        try:
            body = self._body()
        except _Refused as refused:
            self.close_connection = True
            self.send_error(refused.status)
            return
        split = urlsplit(self.path)
        request = HTTPRequest(
            method=self.command,
            path=split.path,
            query=parse_qs(split.query, keep_blank_values=True),
            headers=self.headers,
            body=body,
            client=str(self.client_address[0]),
        )
        self._send(self._answered(request))

    def _answered(self, request: HTTPRequest) -> HTTPResponse:
        try:
            return self.server.answer(request)
        except Exception as fault:  # noqa: BLE001 - our own fault must not look like a broken network
            self.server.faults.append(fault)
            return json_response({"error": "server_error"}, 500)

    def _body(self) -> bytes:
        """Read the body, whose end both sides must see at the same place.

        Spec: RFC 9112 sections 6.3 (either header, once) and 7.1 (chunks).
        """
        lengths = self.headers.get_all("Content-Length", [])
        encodings = self.headers.get_all("Transfer-Encoding", [])
        if encodings:
            if lengths or [encoding.strip().lower() for encoding in encodings] != ["chunked"]:
                raise _Refused(400)
            return _dechunk(self.rfile)
        if not lengths:
            return b""
        if len(lengths) > 1 or _LENGTH.fullmatch(lengths[0]) is None:
            raise _Refused(400)
        if len(lengths[0]) > _MAX_DIGITS or int(lengths[0]) > MAX_BODY_BYTES:
            raise _Refused(413)
        return _exactly(self.rfile, int(lengths[0]))

    def _send(self, response: HTTPResponse) -> None:
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        if response.stream is None:
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        for chunk in response.stream:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


def _dechunk(stream: Any) -> bytes:
    parts: list[bytes] = []
    left = MAX_BODY_BYTES
    while size := _chunk_size(stream):
        if size > left:
            raise _Refused(413)
        left -= size
        parts.append(_exactly(stream, size))
        if stream.readline(2) != b"\r\n":
            raise _Refused(400)
    for _ in range(_MAX_TRAILERS):
        line = stream.readline(_MAX_LINE)
        if line == b"\r\n":
            return b"".join(parts)
        if not line.endswith(b"\n"):
            break
    raise _Refused(400)


def _chunk_size(stream: Any) -> int:
    found = _CHUNK.fullmatch(stream.readline(_MAX_LINE))
    if found is None:
        raise _Refused(400)
    return int(found[1], 16)


def _exactly(stream: Any, size: int) -> bytes:
    data: bytes = stream.read(size)
    if len(data) != size:
        raise _Refused(400)
    return data
