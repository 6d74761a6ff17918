"""Certificates of throw-away authorities, as files."""

from __future__ import annotations

from pathlib import Path

import trustme


def write_leaf(leaf: trustme.LeafCert, directory: Path, name: str) -> tuple[Path, Path]:
    """Write a certificate with its chain and its key, which only its owner reads; give the two files."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    certificate.write_bytes(b"".join(part.bytes() for part in leaf.cert_chain_pems))
    key.touch(mode=0o600)
    key.write_bytes(leaf.private_key_pem.bytes())
    return certificate, key
