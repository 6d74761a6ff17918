"""HTTP answers byte by byte: an answer, a reason or an error, and never more read than an answer may have."""

from __future__ import annotations

import gzip
import http.client
import io
import time
from typing import TYPE_CHECKING, Any

import urllib3

from kubectl_stepup.errors import StepUpError
from kubectl_stepup.oidc.connection import FRAMING, MAX_HEAD, BoundedResponse, Limits, TooLong, limited
from kubectl_stepup.oidc.known_secrets import KnownSecrets
from kubectl_stepup.oidc.response import Response
from kubectl_stepup.oidc.transport import MAX_BODY, read_answer
from kubectl_stepup.oidc.transport_errors import unreachable
from tests.fuzz.shown import harmless, refusal
from tests.fuzz.unusual_json import damaged
from tests.grammar.choices import chance, pick

if TYPE_CHECKING:
    from tests.fuzz.watch import Watch
    from tests.grammar.choices import Bytes

URL = "https://login.example.com/token"
SECRET = "0c9b12ab34cd56ef-device-code"
STATUSES = (
    b"200 OK",
    b"200 OK",
    b"200",
    b"201 x",
    b"204 No Content",
    b"302 Found",
    b"304",
    b"400 Bad",
    b"429 x",
    b"500 x",
)
FEW_STATUSES = (b"100 Continue", b"101 Switch", b"103 Early Hints", b"099 x", b"1000 x", b"-1", b"\xff", b"", b"2e2 x")
TYPES = (
    b"application/json",
    b"application/json; charset=x",
    b"text/html",
    b"text/plain",
    b"",
    b"x/y+json",
    b"\xff/\x9b",
)
HEADERS = (
    *(b"Location: https://[x", b"Location: //\x9b\xff", b"Location: https://x/?" + SECRET.encode(), b"Location:"),
    *(b"Content-Encoding: gzip", b"Content-Encoding: identity", b"Content-Encoding: br, gzip", b"Content-Encoding:"),
    *(b"Date: Sat, 01 Jan 2028 00:00:00 GMT", b"Date: soon", b"Date: Sat, 99 Jan 99999 00:00:00 +9999999"),
    *(
        b"Retry-After: 7",
        b"Retry-After: 99999999999",
        b"Retry-After: \xd9\xa7",
        b"Retry-After: Sat, 01 Jan 2028 00:00:00 GMT",
    ),
    *(b"Connection: close", b"Transfer-Encoding: gzip", b": x", b"X", b" folded", b"X: \x00", b"Set-Cookie: a=b"),
)
LENGTHS = (
    b"0",
    b"5",
    b"99999999999999999999999",
    b"-5",
    b"5, 5",
    b"5, 6",
    b"+5",
    b"\xd9\xa5",
    b"x",
    b"0x5",
    b"1048577",
)
SIZES = (b"0", b"-5", b"5;x=y", b"ffffffffffffffffffff", b"x", b"", b"+2", b"0x2", b"2 ")
MEMBERS = ("id_token", "error", "error_description", "token_type")


def one(choices: Bytes, watch: Watch) -> str:
    """Read one answer."""
    data, is_compressed = _wire(choices)
    is_document = chance(choices, 2)
    long = len(data) > 10_000
    found = watch.attempt(lambda: _answer(_Wire(data), is_document=is_document), StepUpError, long=long)
    if isinstance(found, StepUpError):
        secrets = KnownSecrets()
        secrets.learn({"device_code": SECRET})
        secrets.hide_in(found)
        assert SECRET[:16] not in found.message, "a secret comes back"
        return refusal(found)
    assert not 300 <= found.status < 400, "a redirect is taken for an answer"
    assert found.document is None or not is_compressed, "it was unpacked"
    harmless(found.problem or "")
    return f"{found.status} {found.problem or 'an object'} {found.is_own}"[:60]


class _Wire:
    """Stands in for a socket that gives `data` and then ends."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)
        self.given = 0

    def makefile(self, mode: str, buffering: int = -1) -> io.BufferedReader:
        return io.BufferedReader(_Raw(self))

    def read_into(self, buffer: Any) -> int:
        count = self._data.readinto(buffer)
        self.given += count
        assert self.given <= MAX_HEAD + FRAMING * MAX_BODY + io.DEFAULT_BUFFER_SIZE, "it reads without end"
        return count

    def settimeout(self, seconds: float | None) -> None:
        assert seconds is None or seconds > 0

    def sendall(self, data: bytes) -> None:
        return

    def close(self) -> None:
        return


class _Raw(io.RawIOBase):
    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._wire.read_into(buffer)


class _Connection(urllib3.connection.HTTPConnection):
    response_class = BoundedResponse


def _answer(wire: _Wire, *, is_document: bool) -> Response:
    """Read as the transport does, from its errors to ours."""
    connection = _Connection("login.example.com")
    connection.sock = wire
    try:
        with limited(Limits(max_body=MAX_BODY, ends_at=time.monotonic() + 60)):
            connection.request("GET", "/", preload_content=False, decode_content=False)
            return read_answer(connection.getresponse(), URL, is_document=is_document)
    except TooLong as exc:
        raise unreachable(exc, url=URL, proxy=None) from exc
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as exc:
        raise unreachable(exc, url=URL, proxy=None) from exc


def _wire(choices: Bytes) -> tuple[bytes, bool]:
    """Return the bytes, and whether the body in them is compressed."""
    body = damaged(choices, {"error": "x", "error_description": SECRET}, MEMBERS, ("Bearer", SECRET))
    is_compressed = chance(choices, 8)
    if is_compressed:
        body = gzip.compress(body)
    head = [b"HTTP/1.%d " % choices.below(3) + pick(choices, FEW_STATUSES if chance(choices, 6) else STATUSES)]
    if not chance(choices, 6):
        head.append(b"Content-Type: " + pick(choices, TYPES))
    head += [pick(choices, HEADERS) for _ in range(choices.below(4))]
    framing = choices.below(4)
    if framing == 0:
        head.append(b"Content-Length: %d" % len(body))
    elif framing == 1:
        head.append(b"Content-Length: " + pick(choices, LENGTHS))
    elif framing == 2:
        head.append(b"Transfer-Encoding: chunked")
        body = _chunked(choices, body)
    if chance(choices, 12):
        head += [b"X-A: " + b"x" * 30_000] * choices.below(6)
    interim = b"HTTP/1.1 %b\r\nX: y\r\n\r\n" % pick(choices, (b"100 Continue", b"103 Hints", b"102 x", b"199 x"))
    before = interim * (choices.below(3) if not chance(choices, 20) else 3000)
    data = before + b"\r\n".join(head) + b"\r\n\r\n" + body
    if chance(choices, 5):
        cut = choices.below(len(data) + 1)
        added = pick(choices, (b"", b"\x00", b"\r", b"\n", b"\xff" * 9, b"\r\n\r\n", b"x" * 70_000))
        data = data[:cut] + added + data[cut + choices.below(3) :]
    return (data[: choices.below(len(data) + 1)] if chance(choices, 8) else data), is_compressed


def _chunked(choices: Bytes, body: bytes) -> bytes:
    pieces = []
    while body:
        size = 1 + choices.below(len(body)) if chance(choices, 2) else len(body)
        written = pick(choices, SIZES) if chance(choices, 6) else b"%x" % size
        pieces.append(written + b"\r\n" + body[:size] + pick(choices, (b"\r\n", b"\r\n", b"\r\n", b"\n", b"")))
        body = body[size:]
    trailer = pick(choices, (b"", b"", b"X-A: b\r\n", b"X" * 70_000 + b"\r\n", b"X-A: b\r\n" * 20_000))
    return b"".join(pieces) + b"0\r\n" + trailer + b"\r\n"
