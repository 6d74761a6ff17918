"""`oidc-provider` from npm: an OpenID Provider nobody here wrote, started on loopback over TLS.

Installed once into a cache directory outside the tree; ended by its process id.
"""

from __future__ import annotations

import html
import http.cookiejar
import json
import os
import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pyotp
import trustme

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).parent / "oidc_provider"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PASSWORD = "correct horse"


class Missing(Exception):
    """A part that the machine lacks, and how to get it."""


def cache_directory() -> Path:
    """Give the directory for downloads and builds, outside the tree."""
    named = os.environ.get("KUBECTL_STEPUP_SYSTEM_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path("~").expanduser() / ".cache")
    return Path(base) / "kubectl-stepup-system"


def install() -> Path:
    """Install the pinned packages and give the server's path; quick when it was done before."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        raise Missing("oidc-provider needs node and npm (apt-get install nodejs npm)")
    lock = (SOURCE / "package-lock.json").read_bytes()
    home = cache_directory() / f"oidc-provider-{sha256(lock).hexdigest()[:12]}"
    if not (home / "installed").exists():
        home.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, home / name)
        done = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund"], cwd=home, capture_output=True, text=True, timeout=300
        )
        if done.returncode != 0:
            raise Missing(f"npm ci failed: {done.stderr[-400:]}")
        (home / "installed").touch()
    shutil.copy(SOURCE / "server.mjs", home / "server.mjs")
    return home / "server.mjs"


@dataclass(frozen=True, slots=True, kw_only=True)
class NpmProvider:
    """A running provider."""

    issuer: str
    ca_file: Path
    pid: int


@contextmanager
def npm_provider(directory: Path, *flags: str) -> Iterator[NpmProvider]:
    """Start the provider with a throw-away CA; end it by its process id."""
    server = install()
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost", "127.0.0.1")
    ca, cert, key = directory / "op-ca.pem", directory / "op.pem", directory / "op.key"
    authority.cert_pem.write_to_path(ca)
    cert.write_bytes(b"".join(part.bytes() for part in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(key)
    command = ["node", str(server), "--cert", str(cert), "--key", str(key), "--seed", SEED, *flags]
    with (directory / "op.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise Missing(f"oidc-provider did not start: {(directory / 'op.log').read_text()[-400:]}")
        yield NpmProvider(issuer=json.loads(line)["issuer"], ca_file=ca, pid=process.pid)
    finally:
        process.terminate()
        process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()


class Person:
    """Somebody with a browser (cookies, forms, no scripts), a password and a one-time code generator."""

    def __init__(self, provider: NpmProvider, *, name: str = "alice", seed: str = SEED) -> None:
        self.name, self._totp = name, pyotp.TOTP(seed)
        context = ssl.create_default_context(cafile=str(provider.ca_file))
        self._browser = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )
        self.pages: list[str] = []

    def approve(self, verification_uri: str, user_code: str) -> str:
        """Type the code, confirm, sign in as far as asked, and give the last page."""
        url, page = self._confirm(verification_uri, user_code, abort=False)
        if 'name="password"' in page:
            fields = {"login": self.name, "password": PASSWORD}
            if 'name="otp"' in page:
                fields["otp"] = self._totp.now()
            url, page = self._open(url, fields)
        if 'id="done"' not in page:
            raise AssertionError(f"not signed in, the page says: {page}")
        return page

    def deny(self, verification_uri: str, user_code: str) -> str:
        """Type the code and abort."""
        return self._confirm(verification_uri, user_code, abort=True)[1]

    def _confirm(self, verification_uri: str, user_code: str, *, abort: bool) -> tuple[str, str]:
        url, page = self._open(verification_uri)
        fields = {**_hidden(page), "user_code": user_code}
        url, page = self._open(_action(page, url), fields)
        fields = _hidden(page)
        if abort:
            fields["abort"] = "yes"
        return self._open(_action(page, url), fields)

    def _open(self, url: str, fields: dict[str, str] | None = None) -> tuple[str, str]:
        data = None if fields is None else urllib.parse.urlencode(fields).encode()
        try:
            with self._browser.open(url, data, timeout=10) as response:
                final, body = response.geturl(), response.read().decode()
        except urllib.error.HTTPError as error:
            final, body = error.geturl(), error.read().decode()
            error.close()
        self.pages.append(body)
        return str(final), str(body)


def _hidden(page: str) -> dict[str, str]:
    tags = re.findall(r"<input[^>]*>", page)
    pairs = [(re.search(r'name="([^"]*)"', t), re.search(r'value="([^"]*)"', t)) for t in tags]
    return {n[1]: html.unescape(v[1]) for n, v in pairs if n and v}


def _action(page: str, url: str) -> str:
    found = re.search(r'<form[^>]*action="([^"]*)"', page)
    return urllib.parse.urljoin(url, html.unescape(found[1])) if found else url
