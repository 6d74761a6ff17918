"""KUBERNETES_EXEC_INFO as client-go writes it for the cluster of a context (the CA's file).

Spec: client-go `rest.ConfigToExecCluster` and `plugin/pkg/client/auth/exec`.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

from kubectl_stepup.kubeconfig.cluster_pin import ca_digest
from kubectl_stepup.kubeconfig.exec_credential import expected_exec_info
from kubectl_stepup.kubeconfig.load import MAX_BYTES, KubeconfigEntry

if TYPE_CHECKING:
    from kubectl_stepup.kubeconfig.context import ResolvedContext

EXTENSION = "client.authentication.k8s.io/exec"


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
