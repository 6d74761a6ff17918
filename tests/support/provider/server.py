"""The provider on a socket: https on 127.0.0.1, a port of its own, a CA of its own."""

from __future__ import annotations

import email.utils
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from kubectl_stepup.clock import SystemClock
from tests.support.certificates import Authority
from tests.support.provider.grants import Device, Grants, Reply
from tests.support.provider.model import Answer, Raw, Recorded, Want

if TYPE_CHECKING:
    from kubectl_stepup.clock import Clock

_ENDPOINTS = {
    "/.well-known/openid-configuration": "discovery",
    "/jwks": "jwks",
    "/device_authorization": "device",
    "/token": "token",
    "/revoke": "revocation",
}


class Provider:
    """A running provider. As a context manager it checks at its end that every request was as wanted."""

    def __init__(
        self,
        directory: Path,
        *,
        want: Want | None = None,
        answer: Answer | None = None,
        clock: Clock | None = None,
        address: str = "127.0.0.1",
        name: str | None = None,
    ) -> None:
        """Start on a loopback address; `directory` takes the CA file, `clock` has `now()` and `monotonic()`.

        With a `name` that is the host of the issuer, in place of the address: for who goes through a proxy.
        """
        self.want, self.answer = want or Want(), answer or Answer()
        self.clock = clock or SystemClock()
        self.date_ahead_s = 0.0
        """How far the Date header (and nothing else) is ahead of the clock."""

        self.requests: list[Recorded] = []
        self.stopping = threading.Event()
        authority = Authority()
        self.ca_file = authority.write(directory / "provider-ca.pem")
        self._server = (_ServerV6 if ":" in address else _Server)((address, 0), _Handler)
        self._server.provider = self
        self._server.context = authority.server_context(address, name or "localhost")
        host = name or (f"[{address}]" if ":" in address else address)
        self.issuer = f"https://{host}:{self._server.server_port}"
        self.grants = Grants(self.issuer, self.want, self.answer, self.clock)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        """Return host:port."""
        return self.issuer.removeprefix("https://")

    @property
    def devices(self) -> list[Device]:
        """Return the device authorizations made so far."""
        return self.grants.devices

    @property
    def failures(self) -> list[str]:
        """Return what clients did wrong; a test that wants something wrong clears it."""
        return self.grants.failures

    def count(self, endpoint: str) -> int:
        """Count the requests to `endpoint` (discovery, jwks, device, token, revocation)."""
        return len(self.forms(endpoint))

    def forms(self, endpoint: str) -> list[dict[str, str]]:
        """Return the forms posted to `endpoint`, in order."""
        return [request.form for request in self.requests if request.endpoint == endpoint]

    def approve(self, user_code: str | None = None) -> None:
        """Approve the device authorization with `user_code`, else the latest."""
        self._device(user_code).approved = True

    def deny(self, user_code: str | None = None) -> None:
        """Deny it."""
        self._device(user_code).denied = True

    def close(self) -> None:
        """Stop; answers that never end are ended."""
        self.stopping.set()
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()

    def __enter__(self) -> Provider:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
        if exc_info[0] is None:
            assert not self.failures, self.failures

    def _device(self, user_code: str | None) -> Device:
        return next(item for item in reversed(self.devices) if user_code in {None, item.user_code})


class _Server(ThreadingHTTPServer):
    provider: Provider
    context: ssl.SSLContext
    daemon_threads = True
    block_on_close = False

    def finish_request(self, request: object, client_address: object) -> None:
        # The handshake in the connection's own thread: a client that never finishes it stops nobody else.
        try:
            with self.context.wrap_socket(request, server_side=True) as wrapped:  # type: ignore[arg-type]
                wrapped.settimeout(10)
                _Handler(wrapped, client_address, self)
        except OSError:
            return  # a client that does not trust the CA, or that went away

    def handle_error(self, request: object, client_address: object) -> None:
        return


class _ServerV6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    # Head and body in one packet: else each answer waits 40 ms for an acknowledgement that the client delays.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._handle({})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length).decode()
        self._handle(dict(parse_qsl(body, keep_blank_values=True)))

    def date_time_string(self, timestamp: float | None = None) -> str:
        provider = self.server.provider
        return email.utils.formatdate(timestamp or provider.clock.now() + provider.date_ahead_s, usegmt=True)

    def log_message(self, format: str, *args: object) -> None:
        return

    def _handle(self, form: dict[str, str]) -> None:
        provider = self.server.provider
        endpoint = _ENDPOINTS.get(self.path.partition("?")[0], self.path)
        provider.requests.append(
            Recorded(
                endpoint=endpoint,
                method=self.command,
                form=form,
                headers={name.lower(): value for name, value in self.headers.items()},
                at=provider.clock.monotonic(),
            )
        )
        faults = provider.answer.faults.get(endpoint)
        if faults:
            fault = faults.pop(0)
            self._send(fault if isinstance(fault, Raw) else fault(form))
        else:
            status, document = self._reply(endpoint, form)
            self._send(Raw.of(document, status))

    def _reply(self, endpoint: str, form: dict[str, str]) -> Reply:
        grants = self.server.provider.grants
        match endpoint:
            case "discovery":
                return 200, grants.discovery()
            case "jwks":
                return 200, grants.jwks()
            case "device":
                return grants.device_authorization(form)
            case "token":
                return grants.token(form)
            case "revocation":
                return grants.revocation(form)
            case _:
                return 404, {"error": "not_found"}

    def _send(self, raw: Raw) -> None:
        if raw.reset:
            self.close_connection = True
            return
        if raw.trickle_headers:
            self._trickle(b"HTTP/1.1 200 OK\r\nX-Padding: ")
            return
        self.send_response(raw.status)
        self.send_header("Content-Type", raw.content_type)
        for name, value in raw.headers.items():
            self.send_header(name, value)
        if raw.trickle:
            self.send_header("Connection", "close")
            self.end_headers()
            self._trickle(b'{"padding": "')
            return
        self.send_header("Content-Length", str(len(raw.body) + raw.missing))
        self.end_headers()
        self.wfile.write(raw.body)
        self.close_connection = self.close_connection or bool(raw.missing)

    def _trickle(self, start: bytes) -> None:
        self.close_connection = True
        self.wfile.write(start)
        while not self.server.provider.stopping.wait(0.01):
            self.wfile.write(b"x")
            self.wfile.flush()
