"""Whether a host is behind the proxy of the environment: we and a real kubectl say the same."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_stepup.oidc.proxy import proxy_for

KUBECTL = Path(sys.executable).with_name("kubectl")

pytestmark = pytest.mark.skipif(not KUBECTL.exists(), reason="kubectl is not in the environment")

# Names that nobody resolves: what is not seen of the proxy ends at once.
CASES = [
    ("api.example.test", 6443, ""),
    ("api.example.test", 6443, "example.test"),
    ("example.test", 6443, "example.test"),
    ("api.example.test", 6443, ".example.test"),
    ("example.test", 6443, ".example.test"),
    ("example.test", 6443, "*.example.test"),
    ("api.example.test", 6443, "*.example.test"),
    ("api.example.test", 6443, "*"),
    ("api.example.test", 6443, "ple.test"),
    ("api.example.test", 6443, "other.test, example.test ,"),
    ("api.example.test", 6443, "example.test:6443"),
    ("api.example.test", 6443, "example.test:443"),
    ("API.Example.TEST", 6443, "api.example.test"),
    ("127.0.0.1", 1, ""),
    ("127.7.7.7", 1, "10.0.0.0/8"),
    ("localhost", 1, ""),
]


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[bytes]]]:
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client:
                        seen.append(client.recv(4096))
                        client.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(("host", "port", "no_proxy"), CASES)
def test_the_same_hosts_are_asked_of_the_proxy(
    proxy: tuple[str, list[bytes]], tmp_path: Path, host: str, port: int, no_proxy: str
) -> None:
    url, seen = proxy
    environ = {"HTTPS_PROXY": url, "NO_PROXY": no_proxy}
    words = ["--server", f"https://{host}:{port}", "--token", "x", "--request-timeout=5s", "get", "--raw", "/version"]
    subprocess.run(
        [KUBECTL, *words],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], **environ},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (proxy_for(host, port, environ) is not None) is bool(seen)
