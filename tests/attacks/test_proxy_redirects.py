"""A pod, service or node answers a proxied read with a redirect: the elevated token stays with the enrolled server."""

from __future__ import annotations

import base64
import gzip
import os
import signal
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_stepup.clock import SystemClock
from kubectl_stepup.errors import ClusterChanged, CommandRefused, CredentialWithheld
from kubectl_stepup.kubeconfig.cluster_pin import ca_digest
from kubectl_stepup.kubectl.time_limit import TimeLimit
from kubectl_stepup.stepup import proxy_reader as proxy_reading
from kubectl_stepup.stepup.proxy_reader import ProxyReader, proxy_reader
from tests.flows import CLUSTER, RESOLVED, session
from tests.support.api_server import APIServer, api_server, reply, thief
from tests.support.values import repinned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from kubectl_stepup.config.model import Cluster
    from kubectl_stepup.kubeconfig.context import ResolvedContext
    from kubectl_stepup.sessions.session import ElevationSession
    from tests.support.api_server import Script

PATH = "/api/v1/namespaces/prod/pods/web-0:8080/proxy/"
BODY = bytes(range(256)) * 700


def enrolled(api: APIServer, **changes: Any) -> tuple[Cluster, ResolvedContext, ElevationSession]:
    """Return the enrolment of a server, its context and a session for it, each with the same pin."""
    pin = {"server": api.url, "ca_sha256": ca_digest(api.ca_pem.encode()), **changes}
    data = base64.b64encode(api.ca_pem.encode()).decode()
    resolved = repinned(RESOLVED, **pin, cluster_raw={"certificate-authority-data": data})
    return repinned(CLUSTER, **pin), resolved, repinned(session(), **pin)


def reading(
    api: APIServer, environ: dict[str, str] | None = None, **changes: Any
) -> tuple[ProxyReader, ElevationSession]:
    cluster, resolved, approved = enrolled(api, **changes)
    return proxy_reader(cluster, resolved, environ or {}), approved


@contextmanager
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    pieces: list[bytes] = []
    monkeypatch.setattr(proxy_reading, "_write", pieces.append)
    yield pieces


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    with written(monkeypatch) as pieces:
        yield pieces


@contextmanager
def answering(script: Script, **options: Any) -> Iterator[APIServer]:
    with api_server(script, **options) as api:
        yield api


def _wait(done: threading.Event) -> None:
    done.wait(30)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 399])
def test_no_redirect_is_followed(status: int, out: list[bytes], capsys: pytest.CaptureFixture[str]) -> None:
    with ExitStack() as stack:
        elsewhere = stack.enter_context(thief())
        location = elsewhere.url.replace("http://", "http://alice:hunter2@") + "/stolen?secret=s3cr3t"
        api = stack.enter_context(answering(lambda handler: reply(handler, status, headers=(("Location", location),))))
        reader, approved = reading(api)

        assert reader.read(PATH, approved) == 1
        assert elsewhere.seen == []
        assert api.tokens == [f"Bearer {approved.token.reveal()}"]

    error = capsys.readouterr().err
    assert error.startswith(f"error: the server answered {status}")
    assert elsewhere.url in error
    assert not any(word in error for word in ("hunter2", "s3cr3t", "stolen"))
    assert out == []


@pytest.mark.parametrize(
    "location",
    [
        "//{host}/x",
        "https://{host}/x",
        "/api/v1/namespaces/prod/pods/web-0:8080/proxy/login",
        "\\\\{host}\\x",
        "",
        "http://[",
    ],
)
def test_no_form_of_a_redirect_is_followed(location: str, out: list[bytes]) -> None:
    with ExitStack() as stack:
        elsewhere = stack.enter_context(thief())
        where = location.format(host=elsewhere.url.removeprefix("http://"))
        api = stack.enter_context(answering(lambda handler: reply(handler, 302, headers=(("Location", where),))))
        reader, approved = reading(api)

        assert reader.read(PATH, approved) == 1
        assert elsewhere.seen == []
        assert api.lines == [f"GET {PATH}"]


@pytest.mark.parametrize("header", ["Refresh", "Content-Location", "Alt-Svc", "Set-Cookie", "Upgrade", "Link"])
def test_no_other_header_leads_anywhere(header: str, out: list[bytes]) -> None:
    with ExitStack() as stack:
        elsewhere = stack.enter_context(thief())
        api = stack.enter_context(answering(lambda handler: reply(handler, 200, b"ok", ((header, elsewhere.url),))))
        reader, approved = reading(api)

        assert [reader.read(PATH, approved), reader.read(PATH, approved)] == [0, 0]
        assert elsewhere.seen == []
        assert all("cookie" not in headers for _, headers in api.seen)


def test_the_answer_is_written_byte_by_byte_as_it_came(out: list[bytes]) -> None:
    with answering(lambda handler: reply(handler, 200, BODY)) as api:
        reader, approved = reading(api)
        assert reader.read(PATH, approved) == 0
        assert b"".join(out) == BODY
        assert api.lines == [f"GET {PATH}"]
        headers = api.seen[0][1]
        assert headers["accept-encoding"] == "identity"
        assert headers["user-agent"].startswith("kubectl-stepup/")


def test_what_arrives_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log is followed for hours, piece by piece."""
    seen, pieces = threading.Event(), list[bytes]()

    def follow(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"3\r\none\r\n")
        assert seen.wait(30)
        handler.wfile.write(b"3\r\ntwo\r\n0\r\n\r\n")

    def write(piece: bytes) -> None:
        pieces.append(piece)
        seen.set()

    monkeypatch.setattr(proxy_reading, "_write", write)
    with answering(follow) as api:
        reader, approved = reading(api)
        assert reader.read(PATH, approved) == 0
    assert pieces == [b"one", b"two"]


def test_a_path_before_the_api_stays_before_it(out: list[bytes]) -> None:
    with answering(lambda handler: reply(handler, 200)) as api:
        reader, approved = reading(api, server=f"{api.url}/k8s/clusters/c-1/")
        assert reader.read(PATH, approved) == 0
        assert api.lines == [f"GET /k8s/clusters/c-1{PATH}"]


def test_nothing_is_unpacked(out: list[bytes]) -> None:
    """A small answer could become a huge one."""
    packed = gzip.compress(b"\0" * (1 << 20))
    with answering(lambda handler: reply(handler, 200, packed, (("Content-Encoding", "gzip"),))) as api:
        reader, approved = reading(api)
        assert reader.read(PATH, approved) == 0
    assert b"".join(out) == packed


def test_a_huge_error_is_not_read_whole(out: list[bytes], capsys: pytest.CaptureFixture[str]) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(500)
        handler.send_header("Content-Type", "text/plain")
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 65536)
        except OSError:
            handler.close_connection = True

    with answering(endless) as api:
        reader, approved = reading(api)
        assert reader.read(PATH, approved) == 1
    assert len(capsys.readouterr().err) < 5000


def test_a_server_with_another_certificate_gets_nothing(out: list[bytes], capsys: pytest.CaptureFixture[str]) -> None:
    with answering(lambda handler: reply(handler, 200)) as api, answering(lambda handler: reply(handler, 200)) as other:
        cluster, resolved, approved = enrolled(api)
        pin: dict[str, Any] = {"server": other.url}
        reader = proxy_reader(repinned(cluster, **pin), repinned(resolved, **pin), {})
        assert reader.read(PATH, repinned(approved, **pin)) == 1
        assert other.seen == []
    assert "Unable to connect to the server: " in capsys.readouterr().err


def test_the_name_in_the_certificate_counts(out: list[bytes]) -> None:
    with answering(lambda handler: reply(handler, 200), names=("api.example.com",)) as api:
        for name, code in (("api.example.com", 0), ("other.example.com", 1), (None, 1)):
            reader, approved = reading(api, tls_server_name=name)
            assert reader.read(PATH, approved) == code
        assert len(api.seen) == 1


def test_an_unchecked_server_is_one_that_was_enrolled_so(out: list[bytes]) -> None:
    with answering(lambda handler: reply(handler, 200), names=("api.example.com",)) as api:
        reader, approved = reading(api, insecure=True, ca_sha256=None)
        assert reader.read(PATH, approved) == 0


@pytest.mark.parametrize("pin", ["server", "ca_sha256", "tls_server_name", "proxy_url", "insecure"])
def test_a_session_for_another_server_is_not_used(pin: str, out: list[bytes]) -> None:
    values: dict[str, Any] = {"server": "https://old.example.com", "ca_sha256": "0" * 64, "insecure": True}
    with answering(lambda handler: reply(handler, 200)) as api:
        reader, approved = reading(api)
        with pytest.raises(CredentialWithheld):
            reader.read(PATH, repinned(approved, **{pin: values.get(pin, "other.example.com")}))
        assert api.seen == []


def test_a_ca_that_changed_since_the_enrolment_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    with answering(lambda handler: reply(handler, 200)) as api, answering(lambda handler: reply(handler, 200)) as other:
        cluster, resolved, _ = enrolled(api)
        file = tmp_path / "ca.pem"
        file.write_text(other.ca_pem)
        swapped = replace(resolved, cluster_raw={"certificate-authority": str(file)})
        with pytest.raises(ClusterChanged):
            proxy_reader(cluster, swapped, {})
        file.unlink()
        with pytest.raises(ClusterChanged):
            proxy_reader(cluster, swapped, {})


@pytest.mark.parametrize("changes", [{"server": "http://127.0.0.1:1"}, {"proxy_url": "socks5://127.0.0.1:1"}])
def test_what_cannot_keep_the_token_is_refused(changes: dict[str, str]) -> None:
    with answering(lambda handler: reply(handler, 200)) as api:
        cluster, resolved, _ = enrolled(api, **changes)
        with pytest.raises(CommandRefused):
            proxy_reader(cluster, resolved, {})


def test_the_way_through_a_proxy_is_a_tunnel(out: list[bytes]) -> None:
    """The proxy of the kubeconfig, or of the environment (for no loopback address), which sees a name and no token."""
    with ExitStack() as stack:
        api = stack.enter_context(answering(lambda handler: reply(handler, 200)))
        proxy = stack.enter_context(api_server(lambda handler: reply(handler, 403), tls=False))
        url = proxy.url.replace("http://", "http://us%65r:p%61ssword@")
        far = "api.prod.example.com:6443"
        for changes, environ in (({"proxy_url": url}, {}), ({"server": f"https://{far}"}, {"HTTPS_PROXY": url})):
            reader, approved = reading(api, environ, **changes)
            assert reader.read(PATH, approved) == 1
        assert api.seen == []
        assert proxy.lines == [f"CONNECT {api.url.removeprefix('https://')}", f"CONNECT {far}"]
        assert proxy.tokens == [None, None]
        assert [headers["proxy-authorization"] for _, headers in proxy.seen] == ["Basic dXNlcjpwYXNzd29yZA=="] * 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_read_that_waits(number: signal.Signals, out: list[bytes]) -> None:
    arrived, done = threading.Event(), threading.Event()

    def wait(handler: BaseHTTPRequestHandler) -> None:
        arrived.set()
        done.wait(30)

    def kill() -> None:
        arrived.wait(30)
        os.kill(os.getpid(), number)

    with answering(wait) as api:
        reader, approved = reading(api)
        threading.Thread(target=kill, daemon=True).start()
        assert reader.read(PATH, approved) == 128 + number
        done.set()
    assert out == []


def test_a_time_limit_ends_a_read(out: list[bytes]) -> None:
    done, told = threading.Event(), list[float]()

    limit = TimeLimit(0.2, warning_s=0.1, tell=told.append, clock=SystemClock())
    with answering(lambda handler: _wait(done)) as api:
        reader, approved = reading(api)
        assert reader.read(PATH, approved, limit=limit) == 128 + signal.SIGHUP
        done.set()
    assert told == [0.1, 0.0]


def test_a_reader_that_goes_away_ends_the_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(piece: bytes) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(proxy_reading, "_write", gone)
    with answering(lambda handler: reply(handler, 200, b"x")) as api:
        reader, approved = reading(api)
        assert reader.read(PATH, approved) == 128 + 13


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def full(piece: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(proxy_reading, "_write", full)
    with answering(lambda handler: reply(handler, 200, b"x")) as api:
        reader, approved = reading(api)
        assert reader.read(PATH, approved) == 1
    assert capsys.readouterr().err == "error: standard output cannot be written: no space left on device\n"


def test_an_answer_that_breaks_off_is_an_error(out: list[bytes], capsys: pytest.CaptureFixture[str]) -> None:
    def broken(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"half")
        handler.close_connection = True

    with answering(broken) as api:
        reader, approved = reading(api)
        assert reader.read(PATH, approved) == 1
    assert b"".join(out) == b"half"
    assert "error: the answer broke off" in capsys.readouterr().err


def test_a_server_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(lambda handler: reply(handler, 200)) as api:
        reader, approved = reading(api)
    assert reader.read(PATH, approved) == 1
    assert capsys.readouterr().err == "Unable to connect to the server: Connection refused\n"
