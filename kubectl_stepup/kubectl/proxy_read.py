"""Read from the API server for an elevated command, in kubectl's place (network, signals, a thread).

kubectl follows redirects, and sends the token after each. This sends one GET to the server that it was given and
follows nothing. It asks for no compression and decodes none, so that the bytes are those that were sent.

Spec: RFC 9110; the exit codes are those of `kubectl get --raw`, and 128+n where signal n ends it.
"""

from __future__ import annotations

import contextlib
import signal
import ssl
import threading
from dataclasses import dataclass, field
from http.client import HTTPException
from queue import SimpleQueue
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

import urllib3

from kubectl_stepup.kubectl.api_error import LONGEST_BODY, error_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kubectl_stepup.kubectl.time_limit import TimeLimit
    from kubectl_stepup.secret import Secret

CONNECT_TIMEOUT_S = 30.0
"""As client-go's; how long the answer may take is the caller's limit, as a log may be followed for hours."""

_CHUNK = 64 << 10
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
_BROKEN_PIPE = 128 + 13
"""What a program ends with whose reader has gone: that of SIGPIPE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """An API server: its URL, whom TLS trusts, the name in its certificate where that is another, and the proxy."""

    url: str
    trust: ssl.SSLContext = field(repr=False)
    tls_server_name: str | None = None
    proxy_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a read ended: the exit code, and what went wrong, for standard error."""

    exit_code: int
    problem: str | None = None


class ProxyRead:
    """One GET. What ends a child ends it too: `send_signal`, `terminate`, `kill`."""

    def __init__(
        self, server: Server, path: str, *, token: Secret, user_agent: str, write: Callable[[bytes], None]
    ) -> None:
        """Take where `path` is read with `token`, and what writes each piece of the answer."""
        self._server = server
        self._path = path
        self._token = token
        self._user_agent = user_agent
        self._write = write
        # What a signal's handler may put something into, whatever it interrupts; locks and events are not.
        self._outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self._is_over = False

    def run(self, limit: TimeLimit | None = None) -> Outcome:
        """Send it and write the answer until it ends, a signal arrives or the time is up.

        Must be called from the main thread.
        """
        # A thread of its own: Ctrl-C ends the wait at once, wherever the network is slow.
        thread = threading.Thread(target=self._work, daemon=True, name="elevated read")
        with self._ended_by_signals(), contextlib.nullcontext() if limit is None else limit.over(self):
            thread.start()
            outcome = self._outcomes.get()  # the first end counts
            self._is_over = True
        return outcome

    def send_signal(self, number: int) -> None:
        """End, with the exit code of a program that this signal ended."""
        if number != getattr(signal, "SIGCONT", None):
            self._outcomes.put(Outcome(exit_code=128 + number))

    def terminate(self) -> None:
        """End, as SIGTERM would."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End, as SIGKILL would."""
        self.send_signal(9)

    @contextlib.contextmanager
    def _ended_by_signals(self) -> Iterator[None]:
        previous = {}
        for name in _ENDING:
            number = getattr(signal, name, None)
            # What was ignored when we started (nohup, a background job) stays so.
            if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                previous[number] = signal.signal(number, lambda arrived, _frame: self.send_signal(arrived))
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _work(self) -> None:
        self._outcomes.put(self._ended())

    def _ended(self) -> Outcome:
        """Send the request and return how that ended."""
        try:
            return self._exchange()
        except BrokenPipeError:
            return Outcome(exit_code=_BROKEN_PIPE)
        except _Unwritable as exc:
            return Outcome(exit_code=1, problem=f"error: standard output cannot be written: {exc}")
        except (urllib3.exceptions.HTTPError, HTTPException, OSError) as exc:
            return Outcome(exit_code=1, problem=f"Unable to connect to the server: {_reason(exc)}")
        except Exception as exc:  # noqa: BLE001 - nobody else would hear of it
            # Its text may hold a header, and a thread that raises leaves the caller waiting.
            return Outcome(exit_code=1, problem=f"error: the request could not be sent: {type(exc).__name__}")

    def _exchange(self) -> Outcome:
        url = urlsplit(self._server.url)
        if self._server.trust.verify_mode == ssl.CERT_NONE:  # as enrolled, which doctor says
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        with self._manager() as manager:
            pool = manager.connection_from_host(url.hostname, url.port or 443, "https")
            answer = pool.urlopen(
                "GET",
                url.path.rstrip("/") + self._path,
                headers={
                    "Authorization": f"Bearer {self._token.reveal()}",
                    "Accept": "application/json, */*",
                    "Accept-Encoding": "identity",
                    "User-Agent": self._user_agent,
                },
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
                timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=None),
            )
            with contextlib.closing(answer):
                return self._answered(answer)

    def _manager(self) -> urllib3.PoolManager:
        name, trust = self._server.tls_server_name, self._server.trust
        if self._server.proxy_url is None:
            return urllib3.PoolManager(ssl_context=trust, server_hostname=name)
        url = urlsplit(self._server.proxy_url)
        user = f"{unquote(url.username)}:{unquote(url.password or '')}" if url.username else None
        return urllib3.ProxyManager(
            url._replace(netloc=url.netloc.rpartition("@")[2]).geturl(),
            proxy_headers=urllib3.make_headers(proxy_basic_auth=user) if user else None,
            proxy_ssl_context=trust,
            ssl_context=trust,
            server_hostname=name,
        )

    def _answered(self, answer: urllib3.BaseHTTPResponse) -> Outcome:
        status = answer.status
        if 300 <= status < 400 or status < 200:
            return Outcome(exit_code=1, problem=_not_followed(self._server.url, self._path, answer))
        if status >= 400:
            body = answer.read(LONGEST_BODY, decode_content=False)
            return Outcome(exit_code=1, problem=error_line(status, answer.headers.get("Content-Type", ""), body))
        try:
            while piece := answer.read1(_CHUNK, decode_content=False):
                if self._is_over:
                    break
                self._written(piece)
        except (urllib3.exceptions.HTTPError, HTTPException) as exc:
            return Outcome(exit_code=1, problem=f"error: the answer broke off: {_reason(exc)}")
        return Outcome(exit_code=0)

    def _written(self, piece: bytes) -> None:
        try:
            self._write(piece)
        except BrokenPipeError:
            raise
        except OSError as exc:
            raise _Unwritable((exc.strerror or str(exc)).lower()) from exc


class _Unwritable(Exception):
    """Standard output cannot be written."""


def _not_followed(server: str, path: str, answer: urllib3.BaseHTTPResponse) -> str:
    """Say the status, and of the address no more than its host: the rest may hold a secret."""
    location = answer.headers.get("Location")
    where = "" if location is None else f", a redirect to {_host(server + path, location)}"
    return f"error: the server answered {answer.status}{where}: an elevated request follows no redirect"


def _host(base: str, location: str) -> str:
    try:
        parts = urlsplit(urljoin(base, location))
    except ValueError:
        return "what is no address"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _reason(exc: BaseException) -> str:
    """Return what lies deepest: urllib3 wraps the error of the connection, its own text holds the address."""
    seen: list[BaseException] = []
    cause: object = exc
    while isinstance(cause, BaseException) and cause not in seen:
        seen.append(cause)
        nested = [item for item in (getattr(cause, "reason", None), *cause.args) if isinstance(item, BaseException)]
        cause = nested[0] if nested else cause.__cause__
    deepest = seen[-1]
    text = getattr(deepest, "verify_message", None) or getattr(deepest, "strerror", None)
    return str(text or str(deepest).rpartition(": ")[2] or type(deepest).__name__)
