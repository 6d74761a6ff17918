"""Foretell what kubectl will say of a cluster, so that the cached road compares instead of parsing."""

from __future__ import annotations

import binascii
import os
import sys
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.digest import sha256_hex
from kubectl_stepup.errors import KubeconfigError
from kubectl_stepup.kube.cluster_identity import ca_digest
from kubectl_stepup.kube.execcredential import expected_exec_info, smaller_ca_hint
from kubectl_stepup.kube.kubeconfig import MAX_BYTES

if TYPE_CHECKING:
    from kubectl_stepup.kube.context import ResolvedContext

EXTENSION = "client.authentication.k8s.io/exec"


def digests(resolved: ResolvedContext) -> tuple[str, ...]:
    """Give the SHA-256 digests of the KUBERNETES_EXEC_INFO values expected; none where the CA cannot be read."""
    return tuple(sha256_hex(value) for value in _expected(resolved))


def too_large(resolved: ResolvedContext) -> str | None:
    """Return the reason why client-go could not start a credential plugin for a cluster; None: it can.

    client-go puts the CA certificates into one environment variable, and then fails with "argument list too long".

    Spec: MAX_ARG_STRLEN in execve(2), 32 pages on Linux.
    """
    needed = max((len(environment.EXEC_INFO) + len(value) + 2 for value in _expected(resolved)), default=0)
    limit = _PAGES * os.sysconf("SC_PAGE_SIZE") if sys.platform == "linux" else _ELSEWHERE
    if needed <= limit:
        return None
    result = "only exec can elevate there" if sys.platform == "linux" else "nothing can be elevated there"
    return (
        f"the CA certificates of cluster {resolved.cluster} are too many for a credential plugin, so {result}: kubectl "
        f"hands them over in an environment variable, which would have {needed} bytes, and this system allows {limit}"
    )


def large_ca(resolved: ResolvedContext) -> bytes | None:
    """Return the CA certificates (PEM) where they are too many for a credential plugin, None where they are not.

    On Linux kubectl can be given them as the system's own.

    Raises:
        KubeconfigError: it cannot, on this system.
    """
    reason = too_large(resolved)
    if reason is None:
        return None
    if sys.platform != "linux":
        raise KubeconfigError(f"{resolved.cluster_file}: {reason}", hint=smaller_ca_hint(resolved.cluster))
    return _ca(resolved)


_PAGES = 32
_ELSEWHERE = 512 << 10
"""Half of what macOS allows for all arguments and variables together."""


def _expected(resolved: ResolvedContext) -> tuple[bytes, ...]:
    raw = resolved.cluster_raw
    try:
        ca_pem = _ca(resolved)
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
    return expected_exec_info(
        resolved, ca_pem=ca_pem, disable_compression=raw.get("disable-compression") is True, config=config
    )


def _ca(resolved: ResolvedContext) -> bytes | None:
    raw = resolved.cluster_raw
    if raw.get("certificate-authority-data"):
        return binascii.a2b_base64(str(raw["certificate-authority-data"]))
    if raw.get("certificate-authority"):
        path = os.path.join(os.path.dirname(resolved.cluster_file), str(raw["certificate-authority"]))
        with open(path, "rb") as stream:
            return stream.read(MAX_BYTES)
    return None
