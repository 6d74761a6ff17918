"""The demo's HTTP server and bodies that do not say honestly where they end: any local user can reach it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator

import pytest

from kubectl_stepup.demo.certificates import new_authority
from kubectl_stepup.demo.https_server import MAX_BODY_BYTES, HTTPRequest, HTTPResponse, HTTPSServer

CHUNKED = "Transfer-Encoding: chunked"
FLOOD = 64 << 20


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[HTTPSServer, list[bytes]]]:
    bodies: list[bytes] = []

    def answer(request: HTTPRequest) -> HTTPResponse:
        bodies.append(request.body)
        return HTTPResponse(body=b"%d" % len(request.body))

    with HTTPSServer(new_authority(time.time()).server_context(time.time()), answer) as opened:
        yield opened, bodies
        assert opened.faults == ()


def connected(server: HTTPSServer) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host, _, port = server.url.removeprefix("https://").partition(":")
    return context.wrap_socket(socket.create_connection((host, int(port)), timeout=30))


def status(server: HTTPSServer, headers: list[str], body: bytes) -> int:
    with connected(server) as peer:
        head = "\r\n".join(["POST /x HTTP/1.1", "Host: x", "Connection: close", *headers, "", ""])
        peer.sendall(head.encode("latin-1") + body)
        return int(peer.makefile("rb").readline().split()[1])


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ([], b"", b""),
        (["Content-Length: 3"], b"abc", b"abc"),
        (["Content-Length: 0003"], b"abc", b"abc"),
        ([CHUNKED], b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
        ([CHUNKED], b"3;name=value\r\nabc\r\n1 \r\nd\r\n0\r\n\r\n", b"abcd"),
        (["Transfer-Encoding: Chunked"], b"A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", b"0123456789"),
    ],
)
def test_a_body_that_says_where_it_ends(
    server: tuple[HTTPSServer, list[bytes]], headers: list[str], body: bytes, expected: bytes
) -> None:
    opened, bodies = server
    assert status(opened, headers, body) == 200
    assert bodies[-1] == expected


@pytest.mark.parametrize(
    "size", [b"-1", b"+1", b"0x1", b"1_0", b" 1", b"", b"g", b"-", b"\xb2", b"1\t1", b"1" * 9, b"1;" + b"x" * 400]
)
def test_a_chunk_of_no_size_is_refused(server: tuple[HTTPSServer, list[bytes]], size: bytes) -> None:
    opened, bodies = server
    before = len(bodies)
    assert status(opened, [CHUNKED], size + b"\r\nx\r\n0\r\n\r\n") == 400
    assert len(bodies) == before


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (["Content-Length: -1"], 400),
        (["Content-Length: +1"], 400),
        (["Content-Length: 1_0"], 400),
        (["Content-Length: 0x1"], 400),
        (["Content-Length: \xb2"], 400),
        (["Content-Length: 1, 1"], 400),
        (["Content-Length: 1", "Content-Length: 2"], 400),
        (["Content-Length:"], 400),
        (["Content-Length: 4194305"], 413),
        (["Content-Length: " + "9" * 5000], 413),
        (["Content-Length: 1", CHUNKED], 400),
        ([CHUNKED, CHUNKED], 400),
        (["Transfer-Encoding: gzip, chunked"], 400),
        (["Transfer-Encoding: identity"], 400),
        ([f"X-{number}: x" for number in range(200)], 431),
    ],
)
def test_a_length_that_is_none_is_refused(
    server: tuple[HTTPSServer, list[bytes]], headers: list[str], expected: int
) -> None:
    opened, bodies = server
    before = len(bodies)
    assert status(opened, headers, b"") == expected
    assert len(bodies) == before


@pytest.mark.parametrize(
    "pieces",
    [
        [b"-1\r\n"],
        [b"ffffffff\r\n"],
        [b"400001\r\n"],
        [b"400000\r\n" + b"x" * MAX_BODY_BYTES + b"\r\n1\r\n"],
        [b"1;"],
        [b"0\r\n"],
    ],
    ids=[
        "negative",
        "the largest",
        "one too many",
        "in the sum",
        "an extension without an end",
        "trailers without an end",
    ],
)
def test_a_flood_is_cut_off(server: tuple[HTTPSServer, list[bytes]], pieces: list[bytes]) -> None:
    """The server ends the connection, so that not nearly all of it can be sent."""
    opened, bodies = server
    before = len(bodies)
    with connected(opened) as peer:
        peer.sendall(f"POST /x HTTP/1.1\r\nHost: x\r\n{CHUNKED}\r\n\r\n".encode())
        gone = 0
        with contextlib.suppress(OSError):
            for piece in pieces:
                peer.sendall(piece)
            while gone < FLOOD:
                peer.sendall(b"x: y\r\n" * 10_000)
                gone += 60_000
    assert gone < FLOOD
    assert len(bodies) == before
