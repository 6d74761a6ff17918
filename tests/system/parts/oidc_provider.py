"""`oidc-provider` from npm, a certified OpenID Provider, over TLS on loopback."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from tests.system.parts.cache import MACHINE, Missing, made, program, run
from tests.system.parts.ports import loopback_port
from tests.system.parts.processes import running, wait_until
from tests.system.parts.provider import ELEVATED_LIFE_S, SEED, RunningProvider, serves, tls_files

PART = "oidc-provider"
OLDEST_NODE = 20
HOW = f"install Node.js {OLDEST_NODE} or later with npm (https://nodejs.org)"
SOURCE = Path(__file__).parent.parent / "oidc_provider"
PACKAGES = ("package.json", "package-lock.json")


def install() -> Path:
    """Install the pinned packages once; return the directory they are in."""
    npm, node = program("npm", PART, HOW), program("node", PART, HOW)
    version = run(PART, [node, "--version"]).strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        raise Missing(PART, f"{node} is {version}; {HOW}")
    digest = sha256(b"".join((SOURCE / name).read_bytes() for name in PACKAGES)).hexdigest()[:12]

    def make(directory: Path) -> None:
        for name in PACKAGES:
            shutil.copy(SOURCE / name, directory / name)
        run(PART, [npm, "ci", "--no-audit", "--no-fund"], cwd=directory)

    return made(f"{PART}-{digest}", make)


@contextmanager
def oidc_provider(directory: Path, *flags: str, owner: str | None = None) -> Iterator[RunningProvider]:
    """Start the provider; `flags` are those of its server.mjs (`--ignore-acr`: acr_values never ask for anything)."""
    node = program("node", PART, HOW)
    modules = install() / "node_modules"
    # An ES module finds its packages beside itself and above alone, so the server goes where a link to them is.
    home = directory / "oidc-provider"
    home.mkdir()
    shutil.copy(SOURCE / "server.mjs", home / "server.mjs")
    (home / "node_modules").symlink_to(modules)
    ca, certificate, key = tls_files(directory, PART)
    port = loopback_port()
    command: list[str | Path] = [
        node,
        home / "server.mjs",
        f"--port={port}",
        f"--cert={certificate}",
        f"--key={key}",
        f"--seed={SEED}",
        f"--elevated-ttl={ELEVATED_LIFE_S}",
        *flags,
    ]
    issuer = f"https://localhost:{port}"
    with running(PART, command, directory=directory, environ=MACHINE, owner=owner) as server:
        wait_until(lambda: serves(issuer, ca), "discovery document of oidc-provider", server=server)
        yield RunningProvider(
            name=PART,
            issuer=issuer,
            ca_file=ca,
            preset="oidc-provider",
            mfa="urn:stepup:mfa",
            password_only="urn:stepup:1fa",
            username_claim="sub",
            scope="openid email groups",
            accounts={"alice": "alice", "bob": "bob"},
        )
