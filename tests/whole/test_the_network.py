"""The way to the provider: it is down, unknown, behind a portal or a proxy, on IPv6, or trusted by another CA."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubectl_stepup.demo.terminal import Ran
from kubectl_stepup.oidc.response import PORTAL_HINT
from tests.support.lab import Lab, opened_lab
from tests.support.lab.lab import GROUPS
from tests.support.provider.model import Answer, Raw
from tests.support.provider.socks import Socks
from tests.support.warm_start import PROGRAM

DELETE = ("exec", "--", "delete", "pod", "web-0")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path) as opened:
        yield opened


def change_config(lab: Lab, pattern: str, text: str) -> None:
    file = Path(lab.environ["HOME"]) / ".config/kubectl-stepup/config.yaml"
    changed, count = re.subn(pattern, lambda _: text, file.read_text(), flags=re.MULTILINE)
    assert count
    file.write_text(changed)


def assert_nobody_was_asked(lab: Lab, said: str, *, hint: str = "", result: str = "provider-unreachable") -> None:
    """Try to delete: a plain reason, soon, and neither a login nor a command began."""
    began = time.monotonic()
    ran = lab.stepup(*DELETE)

    assert ran.code == 125, ran.screen
    assert said in ran.screen
    assert hint in ran.screen
    assert not [word for word in ("Compare code", "Enter code", "Waiting", "Traceback") if word in ran.screen]
    assert time.monotonic() - began < 30
    assert [event for event in lab.cluster.audit if event.request.verb == "delete"] == []
    assert lab.records()[-1]["result"] == result


def test_nobody_listens(lab: Lab) -> None:
    lab.provider.close()

    assert_nobody_was_asked(lab, f"error: {lab.provider.host} cannot be reached: connection refused")


def test_its_name_is_not_known(lab: Lab) -> None:
    change_config(lab, r"issuer: .*", "issuer: https://no-such-host.invalid")

    assert_nobody_was_asked(lab, "error: no-such-host.invalid cannot be reached: its name cannot be resolved")


def test_a_portal_answers_with_a_page(lab: Lab) -> None:
    lab.answer.faults = {"discovery": [Raw.html()]}

    said = "/.well-known/openid-configuration answered with text/html instead of JSON (HTTP 200)"
    assert_nobody_was_asked(lab, said, hint=PORTAL_HINT, result="provider-response")
    assert lab.provider.count("device") == 0


def test_a_portal_redirects(lab: Lab) -> None:
    lab.answer.faults = {"discovery": [Raw.redirect("http://portal.example/login?from=idp", 302)]}

    said = "redirects to 'http://portal.example/login?from=idp' (HTTP 302), which is not followed"
    assert_nobody_was_asked(lab, said, hint=PORTAL_HINT, result="provider-response")


def test_a_portal_with_a_certificate_of_its_own(lab: Lab) -> None:
    change_config(lab, r"^ *caFile: .*\n", "")

    said = f"error: {lab.provider.host} cannot be reached: its certificate is not trusted: "
    assert_nobody_was_asked(lab, said, hint="if your organisation runs its own CA, name its file")
    assert lab.provider.requests == []


def test_what_needs_no_provider_needs_no_network(lab: Lab) -> None:
    assert lab.stepup(*DELETE).code == 0
    lab.provider.close()

    again = lab.stepup("exec", "--", "delete", "pod", "web-1")
    assert (again.code, "Using mfa in prod" in again.screen) == (0, True), again.screen
    assert lab.stepup("status", "--check").code == 0
    assert lab.stepup("policy", "check", "--", "delete", "pod", "x").code == 4
    assert "Ended mfa in prod" in lab.stepup("logout").screen
    assert "cannot be reached" in lab.stepup("exec", "--", "delete", "pod", "db-0").screen
    assert lab.stepup("exec", "--", "version", "--client").code == 0


def in_environment(lab: Lab, environ: dict[str, str], *flags: str) -> Ran:
    """Delete with more variables than the lab's shell has."""
    given = [f"{name}={value}" for name, value in environ.items()]
    return lab.terminal.run(["/usr/bin/env", *given, *PROGRAM, "exec", *flags, "--", "delete", "pod", "web-0"])


def test_the_ca_may_be_written_in_the_config(lab: Lab) -> None:
    pem = "".join(f"      {line}\n" for line in lab.provider.ca_file.read_text().splitlines())
    change_config(lab, r"^ *caFile: .*\n", f"    caData: |\n{pem}")

    # Beside a CA of the config the environment's does not count, whatever it is.
    ran = in_environment(lab, {"SSL_CERT_FILE": "/nonexistent"})
    assert ran.code == 0, ran.screen


def test_the_environment_may_name_the_ca(lab: Lab) -> None:
    change_config(lab, r"^ *caFile: .*\n", "")

    ran = in_environment(lab, {"SSL_CERT_FILE": str(lab.provider.ca_file)})
    assert ran.code == 0, ran.screen


def test_a_ca_of_the_environment_that_is_not_there_is_named(lab: Lab) -> None:
    change_config(lab, r"^ *caFile: .*\n", "")

    missing = lab.directory / "missing.pem"
    ran = in_environment(lab, {"SSL_CERT_FILE": str(missing)})
    assert (ran.code, f"SSL_CERT_FILE {missing} cannot be used: No such file" in ran.screen) == (125, True), ran.screen


def test_an_issuer_on_ipv6(tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no ::1")
    with opened_lab(tmp_path, answer=Answer(interval=1, claims=GROUPS), address="::1") as lab:
        assert lab.provider.issuer.startswith("https://[::1]:")
        ran = lab.stepup(*DELETE)

        assert ran.code == 0, ran.screen
        assert f"Open          {lab.provider.issuer}/device?user_code=" in ran.screen


class Proxy:
    """A proxy that tunnels (RFC 9110 section 9.3.6) and writes down where to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://me:s3cret@127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # A blocked accept is not woken by close alone.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._tunnel, args=(self._listener.accept()[0],), daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        target = head.split()[1].decode()
        self.asked.append(f"{target} {b'Proxy-Authorization: Basic bWU6czNjcmV0' in head}")
        host, _, port = target.rpartition(":")
        with client, socket.create_connection((host.strip("[]"), int(port))) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            other = {client: server, server: client}
            while True:
                for source in select.select([client, server], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    other[source].sendall(data)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    opened = Proxy()
    yield opened
    opened.close()


@pytest.fixture
def named_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A lab whose provider has a name that this process alone can resolve: the proxy and the cluster are in it."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        return resolve("127.0.0.1" if host == NAME else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with opened_lab(tmp_path, name=NAME) as opened:
        yield opened


NAME = "login.example.test"


def test_through_the_proxy_of_the_environment(named_lab: Lab, proxy: Proxy) -> None:
    ran = in_environment(named_lab, {"HTTPS_PROXY": proxy.url, "NO_PROXY": "other.example"}, "-vv")

    assert ran.code == 0, ran.screen
    assert set(proxy.asked) == {f"{named_lab.provider.host} True"}
    assert "s3cret" not in ran.screen


def test_through_a_socks_proxy_of_the_environment(named_lab: Lab) -> None:
    with Socks() as socks:
        ran = in_environment(named_lab, {"ALL_PROXY": f"socks5://{socks.host}"}, "-vv")

    assert ran.code == 0, ran.screen
    assert set(socks.targets) == {named_lab.provider.host}


def test_past_the_proxy_to_this_machine(lab: Lab, proxy: Proxy) -> None:
    """As kubectl does: a proxy cannot reach what listens on loopback here."""
    ran = in_environment(lab, {"HTTPS_PROXY": proxy.url})

    assert ran.code == 0, ran.screen
    assert proxy.asked == []


def test_a_proxy_that_is_down_is_named_without_its_password(named_lab: Lab, proxy: Proxy) -> None:
    proxy.close()

    ran = in_environment(named_lab, {"https_proxy": proxy.url})

    name = proxy.url.rpartition("@")[2]
    assert ran.code == 125, ran.screen
    assert f"{named_lab.provider.host} cannot be reached through the proxy {name}: " in ran.screen
    assert "s3cret" not in ran.screen
    assert "Compare code" not in ran.screen
