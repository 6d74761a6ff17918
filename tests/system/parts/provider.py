"""What a test may ask of a running OpenID Provider, whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import trustme

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
"""The seed of everybody's one-time codes, in base 32."""

PASSWORD = "correct horse"
ELEVATED_LIFE_S = 300
"""How long an elevated ID token lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningProvider:
    """A provider with the clients `kubectl` and `kubectl-elevated`, and the people alice (dev) and bob (ops)."""

    name: str
    issuer: str
    ca_file: Path
    preset: str
    mfa: str
    """The `acr` of a sign-in with both factors."""

    password_only: str
    username_claim: str
    """The claim by which the API server calls people alice and bob."""

    scope: str
    accounts: Mapping[str, str] = field(default_factory=dict)
    """The value of `sub` for each name."""


def tls_files(directory: Path, name: str) -> tuple[Path, Path, Path]:
    """Write a throw-away CA, and a certificate for localhost with its key; give the three files."""
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost", "127.0.0.1")
    ca, certificate, key = (directory / f"{name}{suffix}" for suffix in ("-ca.pem", ".pem", ".key"))
    authority.cert_pem.write_to_path(ca)
    certificate.write_bytes(b"".join(part.bytes() for part in leaf.cert_chain_pems))
    key.touch(mode=0o600)
    key.write_bytes(leaf.private_key_pem.bytes())
    return ca, certificate, key
