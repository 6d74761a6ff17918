"""HTTPS to one of our own servers with its throw-away CA; no proxy, nothing from the environment."""

from __future__ import annotations

import http.cookiejar
import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from urllib.parse import urlencode

_TIMEOUT_S = 10.0
_MAX_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPAnswer:
    """What came back, after redirects."""

    status: int
    url: str
    body: bytes

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> object:
        """Return the body as JSON; `ValueError` where it is none."""
        return json.loads(self.body)


class HTTPSClient:
    """A browser without a screen: it trusts one CA, keeps cookies and follows redirects."""

    def __init__(self, ca_pem: str) -> None:
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.OpenerDirector()
        context = ssl.create_default_context(cadata=ca_pem)
        for handler in (
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPCookieProcessor(self._cookies),
            urllib.request.HTTPRedirectHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.UnknownHandler(),
        ):
            self._opener.add_handler(handler)

    def forget(self) -> None:
        """Drop all cookies, as a new browser profile would."""
        self._cookies.clear()

    def cookies(self) -> dict[str, str]:
        """Return the cookies kept, by name."""
        return {cookie.name: cookie.value or "" for cookie in self._cookies}

    def get(self, url: str) -> HTTPAnswer:
        """Fetch a page. Raises `OSError` when there is no answer; an error status is an answer."""
        return self.send(urllib.request.Request(url, method="GET"))  # noqa: S310 - the opener speaks https alone

    def post(self, url: str, form: dict[str, str]) -> HTTPAnswer:
        """Send a form."""
        body = urlencode(form).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send(urllib.request.Request(url, data=body, headers=headers))  # noqa: S310 - as above

    def send(self, request: urllib.request.Request) -> HTTPAnswer:
        """Send a request as it is. Raises `OSError`."""
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as reply:
                return HTTPAnswer(status=reply.status, url=reply.url, body=reply.read(_MAX_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                return HTTPAnswer(status=error.code, url=str(error.url), body=error.read(_MAX_BYTES))
