"""The one way to the provider: https requests with every default of `requests` that trusts too much turned off.

No redirects (they would carry device codes to another origin), no `~/.netrc`, no compression (a small answer could
become a huge one), no cookies, a limit in bytes and one in time. This module alone imports requests.

Spec: RFC 9110; RFC 8628 section 3.5 (what a client does when the connection fails).
"""

from __future__ import annotations

import email.utils
import threading
import time
from collections.abc import Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar

from kubectl_stepup import __version__
from kubectl_stepup.errors import ProviderResponse, ProviderUnreachable, StepUpError
from kubectl_stepup.oauth.protocol_lines import failure_line, request_line, response_line
from kubectl_stepup.oauth.proxy import proxy_for
from kubectl_stepup.oauth.response import PORTAL_HINT, Response
from kubectl_stepup.oauth.strict_json import JSONRefused, json_object
from kubectl_stepup.oauth.transport_errors import unreachable
from kubectl_stepup.oauth.trust import tls_context
from kubectl_stepup.oauth.url import host, host_and_port
from kubectl_stepup.terminal.sanitise import safe

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 5.0, 10.0
DEADLINE_S = 15.0
MAX_BODY = 1 << 20
_CHUNK = 64 * 1024
_REDIRECTS = range(300, 400)


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
    ) -> None:
        """Take proxies and CAs from `environ`, the CA from `ca_file` or `ca_data` where given; nothing else of it.

        `trace` is told of every request and answer, in lines that hold no secret.
        """
        self._environ = dict(environ)
        self._deadline_s = deadline_s
        self._trace = trace
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies = RequestsCookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers = requests.structures.CaseInsensitiveDict(
            {
                "User-Agent": f"kubectl-stepup/{__version__}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            }
        )
        self._session.mount("https://", _Adapter(tls_context(ca_file, environ, ca_data=ca_data)))
        # Nothing must ever leave in clear text, whatever a caller hands in.
        self._session.adapters.pop("http://", None)

    def get(self, url: str) -> Response:
        """GET `url`; raises as `post` does."""
        return self._send("GET", url, None)

    def post(self, url: str, form: Mapping[str, str], *, deadline_s: float | None = None) -> Response:
        """POST `form` to `url`, all within `deadline_s` seconds.

        Raises:
            ProviderUnreachable: no answer: name, connection, TLS, time.
            ProviderResponse: a redirect.

        """
        return self._send("POST", url, dict(form), deadline_s)

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()

    def _send(self, method: str, url: str, form: dict[str, str] | None, deadline_s: float | None = None) -> Response:
        if self._trace is None:
            return self._answer(method, url, form, deadline_s)
        self._trace(request_line(method, url, form))
        began = time.monotonic()
        try:
            response = self._answer(method, url, form, deadline_s)
        except StepUpError as exc:
            self._trace(failure_line(url, exc.message, time.monotonic() - began))
            raise
        self._trace(response_line(response, time.monotonic() - began))
        return response

    def _answer(self, method: str, url: str, form: dict[str, str] | None, deadline_s: float | None) -> Response:
        if not url.startswith("https://"):
            raise ProviderResponse(f"{safe(ascii(url), 200)} is not https")
        limit = self._deadline_s if deadline_s is None else deadline_s
        call = _Call(url, limit)
        # A thread of its own: a name server that does not answer and a server that sends one byte a second have no
        # time limit in requests, and Ctrl-C must end the wait at once.
        thread = threading.Thread(target=call.run, args=(lambda: self._exchange(method, url, form, call),), daemon=True)
        thread.start()
        if not call.done.wait(limit):
            raise call.too_late()
        if call.error is not None:
            raise call.error
        if call.response is None:
            raise ProviderUnreachable(f"{host(url)} did not answer")
        return call.response

    def _exchange(self, method: str, url: str, form: dict[str, str] | None, call: _Call) -> Response:
        name, _, port = host_and_port(url).rpartition(":")
        proxy = proxy_for(name.strip("[]"), int(port), self._environ)
        try:
            with self._session.request(
                method,
                url,
                data=form,
                proxies={"https": proxy} if proxy else {},
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                allow_redirects=False,
                stream=True,
            ) as answer:
                return _read(answer, url, call)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as exc:
            raise unreachable(exc, url=url, proxy=proxy) from exc


class _Call:
    """What one request's thread and its caller share."""

    def __init__(self, url: str, limit_s: float) -> None:
        self._url, self._limit_s = url, limit_s
        self.ends_at = time.monotonic() + limit_s
        self.done = threading.Event()
        self.response: Response | None = None
        self.error: StepUpError | None = None

    def too_late(self) -> ProviderUnreachable:
        return ProviderUnreachable(f"{host(self._url)} did not answer in full within {self._limit_s:g}s")

    def run(self, exchange: Any) -> None:
        try:
            self.response = exchange()
        except StepUpError as exc:
            self.error = exc
        finally:
            self.done.set()


class _Adapter(HTTPAdapter):
    """Connect with our TLS context and nothing that requests would add to it."""

    def __init__(self, context: Any) -> None:
        self._context = context
        super().__init__(max_retries=0)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        host_params, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host_params, {"ssl_context": self._context, "cert_reqs": "CERT_REQUIRED"}

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, proxy_ssl_context=self._context, **proxy_kwargs)

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        # requests would add certifi's CAs to a context that is meant to trust one CA alone.
        return


def _read(answer: requests.Response, url: str, call: _Call) -> Response:
    if answer.status_code in _REDIRECTS:
        where = safe(ascii(answer.headers.get("Location", "nowhere")), 120)
        raise ProviderResponse(
            f"{url} redirects to {where} (HTTP {answer.status_code}), which is not followed", hint=PORTAL_HINT
        )
    document, problem = _document(answer, call)
    return Response(
        url=url,
        status=answer.status_code,
        document=document,
        problem=problem,
        date=_date(answer.headers.get("Date")),
        retry_after_s=_retry_after(answer.headers.get("Retry-After"), answer.headers.get("Date")),
    )


def _document(answer: requests.Response, call: _Call) -> tuple[dict[str, object] | None, str | None]:
    encoding = answer.headers.get("Content-Encoding", "identity")
    if encoding.strip().lower() not in {"", "identity"}:
        return None, f"answered with Content-Encoding {safe(encoding, 40)}, which was not asked for"
    content_type = answer.headers.get("Content-Type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        shown = safe(content_type, 60) or "no Content-Type"
        return None, f"answered with {shown} instead of JSON"
    body = _body(answer, call)
    if body is None:
        return None, f"answered with more than {MAX_BODY // 1024} KiB"
    try:
        return json_object(body), None
    except JSONRefused as exc:
        return None, f"answered with JSON that {exc}"


def _body(answer: requests.Response, call: _Call) -> bytes | None:
    pieces: list[bytes] = []
    size = 0
    while True:
        # read1 gives what has arrived; read would wait until the whole piece is there.
        piece = answer.raw.read1(_CHUNK, decode_content=False)
        if not piece:
            return b"".join(pieces)
        size += len(piece)
        if size > MAX_BODY:
            return None
        if time.monotonic() > call.ends_at:
            raise call.too_late()
        pieces.append(piece)


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
