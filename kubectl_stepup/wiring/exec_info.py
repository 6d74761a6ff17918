"""Foretell what kubectl will say of a cluster, so that the cached road compares instead of parsing."""

from __future__ import annotations

import binascii
import os
import shlex
import sys
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.digest import sha256_hex
from kubectl_stepup.errors import KubeconfigError
from kubectl_stepup.kube.cluster_identity import ca_digest
from kubectl_stepup.kube.execcredential import expected_exec_info

if TYPE_CHECKING:
    from kubectl_stepup.kube.context import ResolvedContext

EXTENSION = "client.authentication.k8s.io/exec"


def digests(resolved: ResolvedContext) -> tuple[str, ...]:
    """Give the SHA-256 digests of the KUBERNETES_EXEC_INFO values expected; none where the CA cannot be read."""
    return tuple(sha256_hex(value) for value in _expected(resolved))


def require_fits(resolved: ResolvedContext) -> None:
    """Refuse a cluster of which client-go could not tell the credential plugin: its CA certificates are too large.

    client-go puts them into one environment variable, and then cannot start the plugin ("argument list too long").

    Raises:
        KubeconfigError: the message has the size and the limit.

    Spec: MAX_ARG_STRLEN in execve(2), 32 pages on Linux.
    """
    needed = max((len(environment.EXEC_INFO) + len(value) + 2 for value in _expected(resolved)), default=0)
    limit = _PAGES * os.sysconf("SC_PAGE_SIZE") if sys.platform == "linux" else _ELSEWHERE
    if needed > limit:
        raise KubeconfigError(
            f"{resolved.cluster_file}: the CA certificates of cluster {resolved.cluster} are too many: kubectl hands "
            f"them to the credential plugin in an environment variable, which would have {needed} bytes, and this "
            f"system allows {limit}",
            hint=f"kubectl config set-cluster {shlex.quote(resolved.cluster)} --embed-certs "
            "--certificate-authority=FILE   (FILE: the certificate of its own CA alone); then run setup again",
        )


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
            return stream.read(1 << 20)
    return None
