"""KUBERNETES_EXEC_INFO as client-go writes it for the cluster of a context, and whether it can (the CA's file).

Spec: client-go `rest.ConfigToExecCluster` and `plugin/pkg/client/auth/exec`.
"""

from __future__ import annotations

import binascii
import os
import sys
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.digest import sha256_hex
from kubectl_stepup.errors import KubeconfigError
from kubectl_stepup.kubeconfig.cluster_pin import ca_digest
from kubectl_stepup.kubeconfig.exec_credential import expected_exec_info, smaller_ca_hint
from kubectl_stepup.kubeconfig.load import MAX_BYTES, KubeconfigEntry

if TYPE_CHECKING:
    from kubectl_stepup.kubeconfig.context import ResolvedContext

EXTENSION = "client.authentication.k8s.io/exec"
_PAGES = 32
_ELSEWHERE = 512 << 10
"""Half of what macOS allows for all arguments and variables together."""


def exec_infos(resolved: ResolvedContext) -> tuple[bytes, ...]:
    """Return the values that name the cluster: v1 not interactive, v1 interactive, v1beta1 likewise.

    Raises:
        OSError, ValueError: the CA cannot be read, or is no longer the one that `resolved` has the digest of.

    """
    raw = resolved.cluster_raw
    ca_pem = ca_of(resolved)
    # The file may have changed since its digest was compared with the enrolment, and an expected value is trusted.
    if (None if ca_pem is None else ca_digest(ca_pem)) != resolved.pin.ca_sha256:
        raise ValueError("the certificate authority has changed")
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
        resolved.pin, ca_pem=ca_pem, disable_compression=raw.get("disable-compression") is True, config=config
    )


def ca_of(resolved: ResolvedContext) -> bytes | None:
    """Return the CA certificates (PEM) of a context's cluster, None where it names none.

    Raises:
        OSError, ValueError: they cannot be read.

    """
    raw = resolved.cluster_raw
    if raw.get("certificate-authority-data"):
        return binascii.a2b_base64(str(raw["certificate-authority-data"]))
    if raw.get("certificate-authority"):
        path = KubeconfigEntry(value=raw, file=resolved.cluster_file).path("certificate-authority")
        with open(str(path), "rb") as stream:
            return stream.read(MAX_BYTES)
    return None


def digests(resolved: ResolvedContext) -> tuple[str, ...]:
    """Return the SHA-256 digests of the KUBERNETES_EXEC_INFO values expected; none where the CA cannot be read."""
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
        KubeconfigError: it cannot, on this system, or they are no longer those that `resolved` has the digest of.
    """
    reason = too_large(resolved)
    if reason is None:
        return None
    if sys.platform != "linux":
        raise KubeconfigError(f"{resolved.cluster_file}: {reason}", hint=smaller_ca_hint(resolved.cluster))
    try:
        pem = ca_of(resolved) or b""
        if ca_digest(pem) == resolved.pin.ca_sha256:
            return pem
    except (OSError, ValueError) as exc:
        raise KubeconfigError(f"{resolved.cluster_file}: the CA of cluster {resolved.cluster} cannot be read") from exc
    raise KubeconfigError(f"{resolved.cluster_file}: the CA of cluster {resolved.cluster} has just changed")


def _expected(resolved: ResolvedContext) -> tuple[bytes, ...]:
    try:
        return exec_infos(resolved)
    except (OSError, ValueError):
        # Without these values the fast path parses what it is told: slower, and just as strict.
        return ()
