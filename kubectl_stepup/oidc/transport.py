"""The one way to the provider: https requests in which nothing is followed, unpacked or read without end.

No redirects (they would carry device codes to another origin, and their bodies are not read), no compression (a small
answer could become a huge one), no cookies, no `~/.netrc`, a limit in bytes and one in time for all that is received.

Spec: RFC 9110; RFC 8628 section 3.5 (what a client does when the connection fails); RFC 8259 section 8.1.
"""

from __future__ import annotations

import email.utils
import http.client
import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

import urllib3

from kubectl_stepup import __version__
from kubectl_stepup.errors import ProviderResponse, ProviderUnreachable, StepUpError
from kubectl_stepup.oidc.connection import MAX_HEAD, READ_TIMEOUT_S, Limits, TooLong, limited, pool_manager
from kubectl_stepup.oidc.known_secrets import SECRET_MEMBERS, KnownSecrets
from kubectl_stepup.oidc.proxy import proxy_for
from kubectl_stepup.oidc.response import PORTAL_HINT, Response
from kubectl_stepup.oidc.tls_trust import tls_context
from kubectl_stepup.oidc.trace_lines import failure_line, request_line, response_line
from kubectl_stepup.oidc.transport_errors import unreachable
from kubectl_stepup.oidc.url import host, host_and_port
from kubectl_stepup.sanitise import safe
from kubectl_stepup.strict_json import JSONRefused, json_object

CONNECT_TIMEOUT_S = 5.0
DEADLINE_S = 15.0
MAX_BODY = 1 << 20
_CHUNK = 64 * 1024
_REDIRECTS = range(300, 400)
_AFTERWARDS_S = 0.5
"""So much longer than its caller waits may a request's thread last: the caller then says what happened."""

_GENERIC = frozenset({"", "application/octet-stream", "binary/octet-stream", "text/json", "text/plain"})
"""What object stores and web servers call a JSON file; go-oidc, and so the API server, does not look at it."""

_BOM = b"\xef\xbb\xbf"
_FOR_PERSONS = frozenset({"user_code", "verification_uri", "verification_uri_complete", "verification_url"})


class Transport:
    """Https to one provider. Not for use by two threads at once."""

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        ca_file: str | None = None,
        ca_data: str | None = None,
        deadline_s: float = DEADLINE_S,
        trace: Callable[[str], None] | None = None,
        notice: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Take proxies and CAs from `environ`, the CA from `ca_file` or `ca_data` where given; nothing else of it.

        `trace` is told of every request and answer, in lines that hold no secret; `notice` of a certificate that
        cannot be read beside others.
        """
        self._environ = dict(environ)
        self._deadline_s = deadline_s
        self._trace = trace
        self._context = tls_context(ca_file, environ, ca_data=ca_data, notice=notice)
        self._managers: dict[str | None, urllib3.PoolManager] = {}
        self.secrets = KnownSecrets()
        """What was sent and received as a secret, to be taken out of foreign text."""

    def get(self, url: str) -> Response:
        """GET a document; raises as `post` does. A file server's media type is good enough for one."""
        return self._send("GET", url, None)

    def post(self, url: str, form: Mapping[str, str], *, deadline_s: float | None = None) -> Response:
        """POST `form` to `url`, all within `deadline_s` seconds.

        What was sent as a secret does not come back in the texts of the answer, nor in an error.

        Raises:
            ProviderUnreachable: no answer: name, connection, TLS, time.
            ProviderResponse: a redirect, or an answer that does not end.

        """
        return self._send("POST", url, dict(form), deadline_s)

    def close(self) -> None:
        """Close idle connections."""
        for manager in self._managers.values():
            manager.clear()

    def _send(self, method: str, url: str, form: dict[str, str] | None, deadline_s: float | None = None) -> Response:
        self.secrets.learn(form or {})
        self._tell(request_line(method, url, form))
        began = time.monotonic()
        try:
            response = self._answer(method, url, form, deadline_s)
        except StepUpError as exc:
            self.secrets.hide_in(exc)
            self._tell(failure_line(url, exc.message, time.monotonic() - began))
            raise
        if form is not None and response.document is not None:
            self._hide_in_answer(response.document)
        self._tell(response_line(response, time.monotonic() - began))
        return response

    def _tell(self, line: str) -> None:
        if self._trace is not None:
            self._trace(self.secrets.hidden(line))

    def _hide_in_answer(self, document: dict[str, object]) -> None:
        self.secrets.learn(document)
        for name in document.keys() - SECRET_MEMBERS - _FOR_PERSONS:
            document[name] = self.secrets.without(document[name])

    def _answer(self, method: str, url: str, form: dict[str, str] | None, deadline_s: float | None) -> Response:
        if not url.startswith("https://"):
            raise ProviderResponse(f"{safe(ascii(url), 200)} is not https")
        limit = self._deadline_s if deadline_s is None else deadline_s
        call = _Call(limit)
        # A thread of its own: a name server that does not answer has no time limit, and Ctrl-C must end the wait at
        # once.
        thread = threading.Thread(target=call.run, args=(lambda: self._exchange(method, url, form, call),), daemon=True)
        thread.start()
        if not call.done.wait(limit):
            raise ProviderUnreachable(f"{host(url)} did not answer in full within {limit:g}s")
        return call.result()

    def _exchange(self, method: str, url: str, form: dict[str, str] | None, call: _Call) -> Response:
        name, _, port = host_and_port(url).rpartition(":")
        proxy = proxy_for(name.strip("[]"), int(port), self._environ)
        try:
            with limited(call.limits):
                answer = self._manager(proxy).urlopen(
                    method,
                    url,
                    body=None if form is None else urlencode(form, errors="backslashreplace").encode("ascii"),
                    headers=_HEADERS if form is None else _HEADERS | _FORM,
                    redirect=False,
                    retries=False,
                    timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S),
                    preload_content=False,
                    decode_content=False,
                )
                try:
                    return read_answer(answer, url, is_document=form is None)
                finally:
                    answer.close()  # where it was read to its end, its connection is kept all the same
        except TooLong as exc:
            raise ProviderResponse(f"{url} answered with more than {MAX_HEAD // 1024} KiB of headers") from exc
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as exc:
            raise unreachable(exc, url=url, proxy=proxy) from exc

    def _manager(self, proxy: str | None) -> urllib3.PoolManager:
        if proxy not in self._managers:
            self._managers[proxy] = pool_manager(self._context, proxy)
        return self._managers[proxy]


_HEADERS = {
    "User-Agent": f"kubectl-stepup/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class _Call:
    """What one request's thread and its caller share."""

    def __init__(self, limit_s: float) -> None:
        self.limits = Limits(max_body=MAX_BODY, ends_at=time.monotonic() + limit_s + _AFTERWARDS_S)
        self.done = threading.Event()
        self._outcome: Response | BaseException = RuntimeError("not run")

    def run(self, exchange: Callable[[], Response]) -> None:
        """Keep what comes of the exchange, whatever it raises: its caller raises it."""
        try:
            self._outcome = exchange()
        except BaseException as exc:  # noqa: BLE001 - the caller's to handle
            self._outcome = exc
        finally:
            self.done.set()

    def result(self) -> Response:
        """Return the answer, or raise what the exchange raised."""
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome


def read_answer(answer: urllib3.BaseHTTPResponse, url: str, *, is_document: bool) -> Response:
    """Read what came from `url`; a document may have the media type of a file server.

    Raises:
        ProviderResponse: a redirect; its body is not read.

    """
    if answer.status in _REDIRECTS:
        where = answer.headers.get("Location")
        to = "without saying where" if where is None else f"to {safe(ascii(where), 120)}"
        raise ProviderResponse(f"{url} redirects {to} (HTTP {answer.status}), which is not followed", hint=PORTAL_HINT)
    body = _document(answer, is_document=is_document)
    return Response(
        url=url,
        status=answer.status,
        document=body.document,
        problem=body.problem,
        is_own=body.is_own,
        date=_date(answer.headers.get("Date")),
        retry_after_s=_retry_after(answer.headers.get("Retry-After"), answer.headers.get("Date")),
    )


class _Body(NamedTuple):
    document: dict[str, object] | None
    problem: str | None = None
    is_own: bool = False


def _document(answer: urllib3.BaseHTTPResponse, *, is_document: bool) -> _Body:
    encoding = answer.headers.get("Content-Encoding", "identity")
    if encoding.strip().lower() not in {"", "identity"}:
        return _Body(None, f"answered with Content-Encoding {safe(encoding, 40)}, which was not asked for")
    content_type = answer.headers.get("Content-Type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    is_json = media_type == "application/json" or media_type.endswith("+json")
    not_json = f"answered with {safe(content_type, 60) or 'no Content-Type'} instead of JSON"
    if not is_json and not (is_document and media_type in _GENERIC):
        return _Body(None, not_json)
    # Without a length and without chunks, nothing tells an end from a connection that broke.
    is_own = is_json and ("Content-Length" in answer.headers or "Transfer-Encoding" in answer.headers)
    body = _body(answer)
    if body is None:
        return _Body(None, f"answered with more than {MAX_BODY // 1024} KiB", is_own)
    try:
        return _Body(json_object(body.removeprefix(_BOM)), None, is_own)
    except JSONRefused as exc:
        return _Body(None, f"answered with JSON that {exc}" if is_json else not_json, is_own)


def _body(answer: urllib3.BaseHTTPResponse) -> bytes | None:
    """Read the body; None: it is too long."""
    pieces: list[bytes] = []
    left = MAX_BODY
    try:
        # read1 gives what has arrived; read would wait until the whole piece is there.
        while piece := answer.read1(_CHUNK, decode_content=False):
            left -= len(piece)
            if left < 0:
                return None
            pieces.append(piece)
    except TooLong:
        return None
    return b"".join(pieces)


def _date(text: str | None) -> float | None:
    try:
        return None if text is None else email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


def _retry_after(text: str | None, date: str | None) -> float | None:
    if text is None:
        return None
    if text.strip().isdecimal() and len(text) < 9:
        return float(text)
    until, now = _date(text), _date(date)
    return None if until is None or now is None else max(until - now, 0.0)
