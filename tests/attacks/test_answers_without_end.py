"""Answers that do not end, or are larger than they look: what they cost in memory, bytes and time."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kubectl_stepup.errors import ProviderError, ProviderResponse, ProviderUnreachable, StepUpError
from kubectl_stepup.oidc import transport as transport_module
from kubectl_stepup.oidc.transport import Transport
from tests.support.provider.hostile import Hostile, Script, endless
from tests.support.provider.listener import Listener

MIB = 1 << 20
BLOCK = b"x" * 65536
BOMB = gzip.compress(b"\0" * MIB) * 300
"""300 MiB in 300 KB."""

REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: https://login.example.com/\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
TOO_MUCH_HEAD = "answered with more than 64 KiB of headers"
TOO_MUCH_BODY = "answered with more than 1024 KiB"

SCRIPTS: dict[str, tuple[Script, str]] = {
    "a redirect with a bomb": (
        lambda: [REDIRECT + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB), BOMB],
        "redirects to 'https://login.example.com/' (HTTP 302), which is not followed",
    ),
    "a redirect with an endless body": (
        lambda: endless(REDIRECT + b"\r\n", BLOCK),
        "redirects to 'https://login.example.com/' (HTTP 302), which is not followed",
    ),
    "a redirect whose gzip is none": (
        lambda: [REDIRECT + b"Content-Encoding: gzip\r\nContent-Length: 100000000000000000000\r\n\r\n", BLOCK],
        "redirects to 'https://login.example.com/' (HTTP 302), which is not followed",
    ),
    "a redirect to a byte that is no text": (
        lambda: [b"HTTP/1.1 302 Found\r\nLocation: https://login.example.com/\x9b\xff\r\nContent-Length: 0\r\n\r\n"],
        r"redirects to 'https://login.example.com/\x9b\xff' (HTTP 302), which is not followed",
    ),
    "a redirect to no address": (
        lambda: [b"HTTP/1.1 302 Found\r\nLocation: https://[x\r\nContent-Length: 0\r\n\r\n"],
        "redirects to 'https://[x' (HTTP 302), which is not followed",
    ),
    "a redirect to nowhere": (
        lambda: [b"HTTP/1.1 308 Permanent Redirect\r\nContent-Length: 0\r\n\r\n"],
        "redirects without saying where (HTTP 308), which is not followed",
    ),
    "a bomb": (
        lambda: [OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB), BOMB],
        "answered with Content-Encoding gzip, which was not asked for",
    ),
    "an endless body": (lambda: endless(OK + b"\r\n", BLOCK), TOO_MUCH_BODY),
    "an endless body of an error": (
        lambda: endless(b"HTTP/1.1 500 Oh\r\nContent-Type: application/json\r\n\r\n", BLOCK),
        TOO_MUCH_BODY,
    ),
    "an endless page": (
        lambda: endless(b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n", BLOCK),
        "answered with text/html instead of JSON",
    ),
    "endless headers": (lambda: endless(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 90 + b"X" * 8), ""),
    "one endless header": (lambda: endless(b"HTTP/1.1 200 OK\r\nX-A: ", BLOCK), ""),
    "an endless status line": (lambda: endless(b"HTTP/1.1 200 ", BLOCK), ""),
    "many long headers": (
        lambda: [b"HTTP/1.1 200 OK\r\n", *([b"X-A: " + b"x" * 60_000 + b"\r\n"] * 90), b"\r\n"],
        TOO_MUCH_HEAD,
    ),
    "endless interim answers": (lambda: endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), TOO_MUCH_HEAD),
    "endless early hints": (lambda: endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 100), TOO_MUCH_HEAD),
    "chunks of one byte": (
        lambda: endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1000),
        TOO_MUCH_BODY,
    ),
    "an endless chunk extension": (
        lambda: endless(OK + b"Transfer-Encoding: chunked\r\n\r\n1;", BLOCK),
        "",
    ),
    "endless trailers": (
        lambda: endless(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X-A: b\r\n" * 1000),
        TOO_MUCH_BODY,
    ),
    "a chunk of a negative length": (
        lambda: endless(OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n", BLOCK),
        "",
    ),
    "a length that is too long": (
        lambda: endless(OK + b"Content-Length: 100000000000000000000\r\n\r\n", BLOCK),
        TOO_MUCH_BODY,
    ),
}

CHILD = """
import json, resource, sys, threading
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from kubectl_stepup.errors import StepUpError
from kubectl_stepup.oidc.transport import Transport
client = Transport(environ={}, ca_file=sys.argv[1], deadline_s=50)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    said = client.get(sys.argv[2]).problem
except StepUpError as exc:
    said = exc.message
for thread in threading.enumerate():
    if thread is not threading.main_thread():
        thread.join(20)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"said": said, "kib": after - before, "threads": threading.active_count()}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in other units elsewhere")
@pytest.mark.parametrize("name", SCRIPTS)
def test_it_costs_little_and_is_said_in_one_sentence(tmp_path: Path, name: str) -> None:
    script, message = SCRIPTS[name]
    with Hostile(tmp_path, script) as server:
        ran = subprocess.run(
            [sys.executable, "-c", CHILD, str(server.ca_file), server.url], capture_output=True, text=True, timeout=100
        )
    assert (ran.returncode, ran.stderr) == (0, "")
    found = json.loads(ran.stdout)
    assert message in found["said"], found
    assert "codec" not in found["said"]
    assert found["kib"] < 24 * 1024, found
    assert found["threads"] == 1
    assert server.sent < 16 * MIB  # what lies in the buffers of the kernel included
    assert "did not answer" not in found["said"]  # it ended by what came, not by the time limit


def test_what_never_ends_slowly_ends_its_thread_as_well(tmp_path: Path) -> None:
    """Else each poll would leave one behind that reads on."""

    def interim() -> object:
        while True:
            yield b"HTTP/1.1 100 Continue\r\n\r\n"
            threading.Event().wait(0.02)

    before = set(threading.enumerate())
    with Hostile(tmp_path, interim) as server:  # type: ignore[arg-type]
        with pytest.raises(ProviderUnreachable, match=r"did not answer in full within 0\.3s"):
            Transport(environ={}, ca_file=str(server.ca_file), deadline_s=0.3).get(server.url)
        for thread in set(threading.enumerate()) - before:
            if thread.name.endswith("(run)"):
                thread.join(5)
                assert not thread.is_alive()


def test_early_hints_come_before_the_answer(tmp_path: Path) -> None:
    """RFC 9110 section 15.2: a client passes over interim answers it does not know."""
    script = [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", OK + b"Content-Length: 2\r\n\r\n{}"]
    with Hostile(tmp_path, lambda: script) as server:
        assert Transport(environ={}, ca_file=str(server.ca_file)).get(server.url).document == {}


class EndlessProxy(Listener):
    """A proxy whose answer to CONNECT does not end."""

    sent = 0

    def serve(self, connection: socket.socket) -> None:
        connection.recv(4096)
        for piece in endless(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 100):
            connection.sendall(piece)
            self.sent += len(piece)


def test_a_proxy_that_answers_without_end_is_left(tmp_path: Path) -> None:
    with EndlessProxy() as proxy:
        client = Transport(environ={"HTTPS_PROXY": f"http://{proxy.host}"})
        with pytest.raises(StepUpError, match="headers"):
            client.get("https://login.example.test/")
    assert proxy.sent < 16 * MIB


@pytest.mark.parametrize("fault", [TypeError("x"), KeyError("y"), UnicodeEncodeError("utf-8", "\udce9", 0, 1, "z")])
def test_a_fault_of_our_own_is_no_network_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """And its caller gets it, not in a thread where nobody sees it."""

    def broken(*args: object, **options: object) -> None:
        raise fault

    monkeypatch.setattr(transport_module, "read_answer", broken)
    with Hostile(tmp_path, lambda: [OK + b"Content-Length: 2\r\n\r\n{}"]) as server:
        client = Transport(environ={}, ca_file=str(server.ca_file))
        with pytest.raises(type(fault)) as caught:
            client.get(server.url)
    assert caught.value is fault
    assert not isinstance(caught.value, StepUpError)


@pytest.mark.parametrize(
    ("content_type", "accepted"),
    [
        ("text/plain", True),
        ("text/plain; charset=utf-8", True),
        ("application/octet-stream", True),
        ("binary/octet-stream", True),
        ("text/json", True),
        (None, True),
        ("text/html", False),
        ("application/xml", False),
        ("image/png", False),
    ],
)
def test_a_document_may_come_from_a_file_server_and_an_answer_may_not(
    tmp_path: Path, content_type: str | None, accepted: bool
) -> None:
    kind = b"" if content_type is None else f"Content-Type: {content_type}\r\n".encode()
    with Hostile(tmp_path, lambda: [b"HTTP/1.1 200 OK\r\n" + kind + b"Content-Length: 2\r\n\r\n{}"]) as server:
        client = Transport(environ={}, ca_file=str(server.ca_file))
        found, posted = client.get(server.url), client.post(server.url, {})
    assert (found.document == {}) is accepted
    assert (posted.document, posted.is_own) == (None, False)
    with pytest.raises(ProviderResponse, match="instead of JSON"):
        posted.json_object()


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    """RFC 8259 section 8.1: a parser may ignore it."""
    with Hostile(tmp_path, lambda: [OK + b"Content-Length: 5\r\n\r\n\xef\xbb\xbf{}"]) as server:
        client = Transport(environ={}, ca_file=str(server.ca_file))
        assert client.get(server.url).document == {}


def test_an_answer_without_a_length_may_have_been_cut(tmp_path: Path) -> None:
    for body, length, is_own in ((b'{"a', b"", False), (b'{"a', b"Content-Length: 3\r\n", True)):
        script = [OK + length + b"Connection: close\r\n\r\n" + body]
        with Hostile(tmp_path, lambda script=script: script) as server:  # type: ignore[misc]
            response = Transport(environ={}, ca_file=str(server.ca_file)).post(server.url, {})
        assert (response.document, response.is_own) == (None, is_own)


def test_a_form_with_what_is_no_text_is_sent_escaped(tmp_path: Path) -> None:
    with Hostile(tmp_path, lambda: [OK + b"Content-Length: 2\r\n\r\n{}"]) as server:
        client = Transport(environ={}, ca_file=str(server.ca_file))
        assert client.post(server.url, {"client_id": "a\ud800b\udce9"}).status == 200
    assert server.forms == [b"client_id=a%5Cud800b%5Cudce9"]


def test_a_document_that_is_compressed_says_what_to_do(tmp_path: Path) -> None:
    script = [OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"]
    with Hostile(tmp_path, lambda: script) as server, pytest.raises(ProviderError) as caught:
        Transport(environ={}, ca_file=str(server.ca_file)).get(server.url).json_object()
    assert caught.value.hint == ("have the server, or the bucket, send it without compression where none is asked for")
