"""Connections on which every byte and every second counts: heads, interim answers, tunnels, chunks and trailers.

http.client bounds one line and the headers of one head, but not how many interim answers, chunk extensions or trailers
come, nor the answer of a proxy on every Python. So the count is taken below it, where bytes arrive.

Spec: RFC 9110 section 15.2 (1xx); RFC 9112 section 7.1 (chunks, trailers); RFC 1928, RFC 1929 (SOCKS5).
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import io
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import urllib3
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

READ_TIMEOUT_S = 10.0
MAX_HEAD = 64 * 1024
"""Of one answer, with the interim ones before it; also of a proxy's answer to CONNECT."""

FRAMING = 4
"""How many times as much as a body may come for it: chunks of one byte cost six, and nobody sends those."""

_EARLIEST_INTERIM, _FINAL = 102, 200


class TooLong(Exception):
    """More came than one exchange may receive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one exchange may receive of a body, and until when by `time.monotonic`."""

    max_body: int
    ends_at: float


_LIMITS: ContextVar[Limits] = ContextVar("limits")


@contextlib.contextmanager
def limited(limits: Limits) -> Iterator[None]:
    """Hold every answer that this thread reads in the body of the `with` to `limits`."""
    token = _LIMITS.set(limits)
    try:
        yield
    finally:
        _LIMITS.reset(token)


class _Counted(io.RawIOBase):
    """Reads from a socket, as many bytes as are `left`, until the exchange ends."""

    def __init__(self, raw: io.RawIOBase, sock: Any, limits: Limits) -> None:
        self._raw, self._sock, self._limits = raw, sock, limits
        self.left = MAX_HEAD

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_s = self._limits.ends_at - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._sock.settimeout(min(READ_TIMEOUT_S, left_s))
        count = self._raw.readinto(buffer)
        self.left -= count or 0
        if self.left < 0:
            raise TooLong
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class BoundedResponse(http.client.HTTPResponse):
    """An answer of which no part is without end, that of a proxy to CONNECT included."""

    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self._limits = _LIMITS.get()
        self._counted = _Counted(self.fp.detach(), sock, self._limits)
        self.fp = io.BufferedReader(self._counted)

    def begin(self) -> None:
        """Read the head; http.client passes over 100 alone of the interim answers."""
        super().begin()
        while _EARLIEST_INTERIM <= self.status < _FINAL:
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()
        self._counted.left += FRAMING * self._limits.max_body


class _Connection(HTTPSConnection):
    response_class = BoundedResponse


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


def pool_manager(context: ssl.SSLContext, proxy: str | None) -> urllib3.PoolManager:
    """Make what sends requests, through `proxy` where there is one; https alone, and whom `context` trusts.

    Raises:
        urllib3.exceptions.HTTPError: `proxy` is no URL.

    """
    options: dict[str, Any] = {"ssl_context": context, "cert_reqs": "CERT_REQUIRED", "retries": False}
    manager: urllib3.PoolManager
    pool: type[HTTPSConnectionPool] = _Pool
    if proxy is None:
        manager = urllib3.PoolManager(**options)
    elif proxy.startswith("socks"):
        manager, pool = _through_socks(proxy, options)
    else:
        user = _user_of(proxy)
        headers = {"Proxy-Authorization": f"Basic {_basic(*user)}"} if user is not None else {}
        manager = urllib3.ProxyManager(proxy, proxy_headers=headers, proxy_ssl_context=context, **options)
    # Nothing must ever leave in clear text, whatever a caller hands in.
    manager.pool_classes_by_scheme = {"https": pool}
    return manager


def _through_socks(proxy: str, options: dict[str, Any]) -> tuple[urllib3.PoolManager, type[HTTPSConnectionPool]]:
    from urllib3.contrib import socks  # PySocks is needed by few

    class SocksConnection(socks.SOCKSHTTPSConnection):
        response_class = BoundedResponse

    class SocksPool(socks.SOCKSHTTPSConnectionPool):
        ConnectionCls = SocksConnection

    user, password = _user_of(proxy) or (None, None)
    return socks.SOCKSProxyManager(proxy, username=user, password=password, **options), SocksPool


def _user_of(proxy: str) -> tuple[str, str] | None:
    auth = urllib3.util.parse_url(proxy).auth
    if auth is None:
        return None
    name, _, password = auth.partition(":")
    return unquote(name), unquote(password)


def _basic(name: str, password: str) -> str:
    return base64.b64encode(f"{name}:{password}".encode("utf-8", "surrogateescape")).decode("ascii")
