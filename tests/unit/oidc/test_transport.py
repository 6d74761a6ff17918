"""The transport against a real https server: what it sends, what it refuses, how it fails, how long it takes."""

from __future__ import annotations

import gzip
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from kubectl_stepup import __version__
from kubectl_stepup.errors import ConfigError, ProviderResponse, ProviderUnreachable
from kubectl_stepup.oidc.tls_trust import tls_context
from kubectl_stepup.oidc.transport import Transport
from tests.support.certificates import presenting
from tests.support.provider import Provider, Raw
from tests.support.provider.fixtures import StartProvider, provider, start_provider

__all__ = ["provider", "start_provider"]


def transport(to: Provider, **environ: str) -> Transport:
    return Transport(environ=environ, ca_file=str(to.ca_file), deadline_s=5)


def discovery(to: Provider) -> str:
    return f"{to.issuer}/.well-known/openid-configuration"


def test_it_sends_little_and_reads_one_object(provider: Provider) -> None:
    response = transport(provider).get(discovery(provider))
    assert response.status == 200
    assert response.json_object()["issuer"] == provider.issuer
    assert response.date == pytest.approx(time.time(), abs=5)
    sent = provider.requests[0].headers
    assert sent.pop("connection", "keep-alive") == "keep-alive"
    assert sent == {
        "host": provider.host,
        "user-agent": f"kubectl-stepup/{__version__}",
        "accept": "application/json",
        "accept-encoding": "identity",
    }


def test_a_form_is_posted_as_a_form(provider: Provider) -> None:
    transport(provider).post(f"{provider.issuer}/revoke", {"token": "a b&c=ä"})
    assert provider.forms("revocation") == [{"token": "a b&c=ä"}]
    assert provider.requests[0].headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(start_provider: StartProvider, status: int) -> None:
    """DEV-12."""
    canary, provider = start_provider(), start_provider()
    provider.answer.faults = {"token": [Raw.redirect(f"{canary.issuer}/token", status)]}
    with pytest.raises(ProviderResponse) as caught:
        transport(provider).post(f"{provider.issuer}/token", {"device_code": "secret"})
    assert caught.value.message == (
        f"{provider.issuer}/token redirects to '{canary.issuer}/token' (HTTP {status}), which is not followed"
    )
    assert canary.requests == []


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (Raw.html(), "answered with text/html instead of JSON"),
        (Raw(content_type="text/plain", body=b"Not Found"), "answered with text/plain instead of JSON"),
        (Raw(content_type="text/html", body=b"{}"), "answered with text/html instead of JSON"),
        (Raw(body=b""), "answered with JSON that is not JSON"),
        (Raw(body=b"[]"), "answered with JSON that is not a JSON object"),
        (Raw(body=b"5"), "answered with JSON that is not a JSON object"),
        (Raw(body=b'{"a":1,"a":2}'), "answered with JSON that has the member 'a' twice"),
        (Raw(body=b"[" * 100_000), "answered with JSON that is nested too deeply"),
        (Raw.oversize(), "answered with more than 1024 KiB"),
        (
            Raw(body=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"}),
            "answered with Content-Encoding gzip, which was not asked for",
        ),
    ],
)
def test_what_is_no_json_object_is_named_and_not_read(provider: Provider, raw: Raw, problem: str) -> None:
    """DEV-11, DIS-05."""
    provider.answer.faults = {"discovery": [raw]}
    response = transport(provider).get(discovery(provider))
    assert (response.document, response.problem) == (None, problem)
    with pytest.raises(ProviderResponse) as caught:
        response.json_object()
    assert caught.value.message == f"{discovery(provider)} {problem} (HTTP 200)"


def test_json_with_a_suffix_is_json(provider: Provider) -> None:
    provider.answer.faults = {"jwks": [Raw(body=b"{}", content_type="application/jwk-set+json; charset=utf-8")]}
    assert transport(provider).get(f"{provider.issuer}/jwks").document == {}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({}, None), ({"Retry-After": "7"}, 7.0), ({"Retry-After": "soon"}, None), ({"Retry-After": "-1"}, None)],
)
def test_retry_after_is_read(provider: Provider, headers: dict[str, str], seconds: float | None) -> None:
    provider.answer.faults = {"discovery": [Raw(status=429, body=b"{}", headers=headers)]}
    assert transport(provider).get(discovery(provider)).retry_after_s == seconds


@pytest.mark.parametrize("raw", [Raw(trickle=True), Raw(trickle_headers=True)], ids=["body", "headers"])
def test_a_trickling_server_is_left_at_the_deadline(provider: Provider, raw: Raw) -> None:
    """DEV-11."""
    provider.answer.faults = {"discovery": [raw]}
    started = time.monotonic()
    with pytest.raises(ProviderUnreachable, match=r"did not answer in full within 0\.5s"):
        Transport(environ={}, ca_file=str(provider.ca_file), deadline_s=0.5).get(discovery(provider))
    assert time.monotonic() - started < 2


def test_a_server_that_accepts_and_says_nothing_is_left_at_the_deadline(provider: Provider) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(ProviderUnreachable, match=r"did not answer in full within 0\.3s"):
            Transport(environ={}, ca_file=str(provider.ca_file), deadline_s=0.3).get(url)


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let Ctrl-C interrupt: a shell starts what it puts into the background with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_a_request_at_once(provider: Provider, ctrl_c: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        client = transport(provider)
        timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
        started = time.monotonic()
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            client.get(url)
        assert time.monotonic() - started < 1


def test_a_connection_that_is_closed_without_an_answer(provider: Provider) -> None:
    provider.answer.faults = {"discovery": [Raw(reset=True)]}
    with pytest.raises(ProviderUnreachable) as caught:
        transport(provider).get(discovery(provider))
    assert caught.value.message == (f"{provider.host} cannot be reached: the connection was closed without an answer")


def test_nobody_listens(provider: Provider) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ProviderUnreachable) as caught:
        transport(provider).get(f"https://127.0.0.1:{port}/")
    assert caught.value.message == f"127.0.0.1:{port} cannot be reached: connection refused"


def test_an_unknown_name(provider: Provider) -> None:
    with pytest.raises(ProviderUnreachable) as caught:
        transport(provider).get("https://no-such-host.invalid/")
    assert caught.value.message == "no-such-host.invalid cannot be reached: its name cannot be resolved"


def test_clear_text_is_never_spoken(provider: Provider) -> None:
    """DIS-02."""
    with pytest.raises(ProviderResponse, match="is not https"):
        transport(provider).get(discovery(provider).replace("https://", "http://"))


def test_an_unknown_ca_is_named_with_the_cure(provider: Provider) -> None:
    """DIS-08."""
    with pytest.raises(ProviderUnreachable) as caught:
        Transport(environ={}).get(discovery(provider))
    assert "its certificate is not trusted: " in caught.value.message
    assert caught.value.hint == (
        "if your organisation runs its own CA, name its file: kubectl stepup setup --ca-file FILE"
    )
    assert provider.requests == []


def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    """DIS-08."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with presenting(authority.issue_cert("other.example")) as address, pytest.raises(ProviderUnreachable) as caught:
        Transport(environ={}, ca_file=str(tmp_path / "ca.pem")).get(f"{address}/")
    assert "its certificate is not trusted: IP address mismatch" in caught.value.message


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_may_name_the_ca(provider: Provider, variable: str) -> None:
    """DEV-30."""
    environ = {variable: str(provider.ca_file)}
    assert Transport(environ=environ).get(discovery(provider)).status == 200


def test_the_ca_may_be_text(provider: Provider) -> None:
    client = Transport(environ={"SSL_CERT_FILE": "/nonexistent"}, ca_data=provider.ca_file.read_text())
    assert client.get(discovery(provider)).status == 200


@pytest.mark.parametrize("text", ["x", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n", "\u00e9"])
def test_text_that_is_no_certificate_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="caData cannot be used: it holds no certificate"):
        Transport(environ={}, ca_data=text)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system keeps no files of certificates")
def test_without_a_word_the_systems_store_is_trusted(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    # OpenSSL's own name for where the system's store is; ours is in `environ`.
    monkeypatch.setenv("SSL_CERT_FILE", str(provider.ca_file))
    assert Transport(environ={}).get(discovery(provider)).status == 200


def test_the_configs_ca_is_the_only_one(provider: Provider, start_provider: StartProvider) -> None:
    other = start_provider()
    environ = {"SSL_CERT_FILE": str(provider.ca_file)}
    with pytest.raises(ProviderUnreachable, match="its certificate is not trusted"):
        Transport(environ=environ, ca_file=str(other.ca_file)).get(discovery(provider))


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file or directory"), ("x", "it holds no certificate")])
def test_a_ca_file_that_cannot_be_used_is_named(tmp_path: Path, content: str | None, reason: str) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        Transport(environ={}, ca_file=str(path))
    assert caught.value.message == f"caFile {path} cannot be used: {reason}"


def test_session_keys_are_not_written_to_sslkeylogfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DEV-30."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    assert tls_context(None, {}).keylog_filename is None


def test_netrc_and_the_process_environment_are_ignored(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DEV-30."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login x password y\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    assert transport(provider).get(discovery(provider)).status == 200
    assert "authorization" not in provider.requests[0].headers


def test_cookies_are_not_kept(provider: Provider) -> None:
    provider.answer.faults = {"discovery": [Raw(body=b"{}", headers={"Set-Cookie": "track=1"})]}
    client = transport(provider)
    client.get(discovery(provider))
    client.get(discovery(provider))
    assert "cookie" not in provider.requests[1].headers


def test_the_proxy_of_the_environment_is_used_and_its_password_not_shown(provider: Provider) -> None:
    """DEV-30."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(4096))
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        proxy = f"127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ProviderUnreachable) as caught:
            transport(provider, HTTPS_PROXY=f"http://me:pass@{proxy}").get("https://login.example.test:8443/")
        thread.join(5)
    assert asked[0].startswith(b"CONNECT login.example.test:8443 HTTP/1.")
    assert caught.value.message == (
        f"login.example.test:8443 cannot be reached through the proxy {proxy}: Tunnel connection failed: 403 Forbidden"
    )
    assert provider.requests == []


def test_a_slow_answer_does_not_spoil_the_next_one(provider: Provider) -> None:
    provider.answer.faults = {"discovery": [Raw(trickle=True)]}
    client = Transport(environ={}, ca_file=str(provider.ca_file), deadline_s=1)
    with pytest.raises(ProviderUnreachable):
        client.get(discovery(provider))
    assert client.get(discovery(provider)).status == 200
    client.close()
