"""etcd: one member, on loopback, with its data in a directory that goes away."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.parts.cache import MACHINE
from tests.system.parts.control_plane import binary
from tests.system.parts.ports import loopback_port
from tests.system.parts.processes import running, wait_until


@contextmanager
def etcd(directory: Path, *, owner: str | None = None) -> Iterator[str]:
    """Start etcd and give its client URL."""
    first = loopback_port()
    client, peer = (f"http://127.0.0.1:{port}" for port in (first, loopback_port(first)))
    command: list[str | Path] = [
        binary("etcd"),
        "--name=lab",
        f"--data-dir={directory / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=lab={peer}",
        "--unsafe-no-fsync",  # nothing here outlives a crash, and nothing needs to
        "--log-level=warn",
    ]
    with running("etcd", command, directory=directory, environ=MACHINE, owner=owner) as server:
        wait_until(lambda: _is_healthy(client), "healthy etcd", server=server)
        yield client


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{url}/health", timeout=2) as answer:
            return bool(answer.status == 200 and b'"health":"true"' in answer.read())
    except OSError:
        return False
