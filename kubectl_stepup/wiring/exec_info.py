"""Foretell what kubectl will say of a cluster, so that the cached road compares instead of parsing."""

from __future__ import annotations

import binascii
import os
from typing import TYPE_CHECKING

from kubectl_stepup.digest import sha256_hex
from kubectl_stepup.kube.cluster_identity import ca_digest
from kubectl_stepup.kube.execcredential import expected_exec_info

if TYPE_CHECKING:
    from kubectl_stepup.kube.context import ResolvedContext

EXTENSION = "client.authentication.k8s.io/exec"


def digests(resolved: ResolvedContext) -> tuple[str, ...]:
    """Give the SHA-256 digests of the KUBERNETES_EXEC_INFO values expected; none where the CA cannot be read."""
    raw = resolved.cluster_raw
    try:
        ca_pem = certificate_authority(resolved)
        # The file may have changed since its digest was compared with the enrolment, and what was foretold is trusted.
        if (None if ca_pem is None else ca_digest(ca_pem)) != resolved.ca_sha256:
            return ()
    except (OSError, ValueError):
        # Without a forecast the cached road parses: slower, and just as strict.
        return ()
    extensions = raw.get("extensions")
    config = next(
        (
            item.get("extension")
            for item in (extensions if isinstance(extensions, list) else [])
            if isinstance(item, dict) and item.get("name") == EXTENSION
        ),
        None,
    )
    expected = expected_exec_info(
        resolved, ca_pem=ca_pem, disable_compression=raw.get("disable-compression") is True, config=config
    )
    return tuple(sha256_hex(value) for value in expected)


def certificate_authority(resolved: ResolvedContext) -> bytes | None:
    """Read the CA certificates of a context's cluster; None: the system's."""
    raw = resolved.cluster_raw
    if raw.get("certificate-authority-data"):
        return binascii.a2b_base64(str(raw["certificate-authority-data"]))
    if raw.get("certificate-authority"):
        path = os.path.join(os.path.dirname(resolved.cluster_file), str(raw["certificate-authority"]))
        with open(path, "rb") as stream:
            return stream.read(1 << 20)
    return None
