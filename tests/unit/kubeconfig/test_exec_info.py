from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from kubectl_stepup.errors import KubeconfigError
from kubectl_stepup.kubeconfig import exec_info
from kubectl_stepup.kubeconfig.cluster_pin import ca_digest
from kubectl_stepup.kubeconfig.exec_info import digests, large_ca
from kubectl_stepup.sessions.stored_session import EXPECTED
from tests.flows import RESOLVED
from tests.support.values import repinned

PEM = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
EXEC = "client.authentication.k8s.io/exec"


def sent(version: str, interactive: bool, **cluster: object) -> bytes:
    """What client-go puts into KUBERNETES_EXEC_INFO."""
    document = {
        "kind": "ExecCredential",
        "apiVersion": f"client.authentication.k8s.io/{version}",
        "spec": {"cluster": cluster, "interactive": interactive},
    }
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def of_cluster(**raw: Any) -> tuple[str, ...]:
    has_ca = {"certificate-authority-data", "certificate-authority"} & raw.keys()
    ca_sha256 = ca_digest(PEM) if has_ca else None
    return digests(repinned(RESOLVED, cluster_raw={"server": RESOLVED.server, **raw}, ca_sha256=ca_sha256))


def test_a_ca_that_was_exchanged_since_it_was_compared_is_not_foretold(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(PEM + PEM.replace(b"MIIB", b"AAAA"))
    assert of_cluster(**{"certificate-authority": str(file)}) == ()


def test_a_ca_is_found_where_kubectl_finds_it(tmp_path: Path) -> None:
    """Through a link the directory above would be another one."""
    (tmp_path / "ca.pem").write_bytes(PEM)
    (tmp_path / "far" / "off").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "off")
    resolved = repinned(
        RESOLVED,
        cluster_file=str(tmp_path / "config"),
        cluster_raw={"server": RESOLVED.server, "certificate-authority": "link/../ca.pem"},
        ca_sha256=ca_digest(PEM),
    )
    assert len(digests(resolved)) == len(EXPECTED)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere so many certificates are refused")
def test_many_certificates_are_handed_on_only_as_they_were_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(PEM)
    raw = {"server": RESOLVED.server, "certificate-authority": str(file)}
    resolved = repinned(RESOLVED, cluster_raw=raw, ca_sha256=ca_digest(PEM))
    monkeypatch.setattr(exec_info, "too_large", lambda _: "too many")
    assert large_ca(resolved) == PEM
    for changed in (PEM + PEM.replace(b"MIIB", b"AAAA"), b""):
        file.write_bytes(changed)
        with pytest.raises(KubeconfigError):
            large_ca(resolved)
    file.unlink()
    with pytest.raises(KubeconfigError, match="cannot be read"):
        large_ca(resolved)


@pytest.mark.parametrize(
    ("raw", "cluster"),
    [
        ({}, {"config": None}),
        (
            {"certificate-authority-data": base64.b64encode(PEM).decode()},
            {"certificate-authority-data": base64.b64encode(PEM).decode(), "config": None},
        ),
        ({"disable-compression": True}, {"disable-compression": True, "config": None}),
        ({"disable-compression": False}, {"config": None}),
        ({"extensions": [{"name": EXEC, "extension": {"a": 1}}]}, {"config": {"a": 1}}),
        ({"extensions": [{"name": "other", "extension": {"a": 1}}, "odd"]}, {"config": None}),
        ({"extensions": "odd"}, {"config": None}),
    ],
)
def test_four_values_are_foretold_in_the_records_order(raw: dict[str, Any], cluster: dict[str, object]) -> None:
    assert of_cluster(**raw) == tuple(
        hashlib.sha256(sent(version, interactive, server=RESOLVED.server, **cluster)).hexdigest()
        for version, interactive in EXPECTED
    )


def test_a_ca_file_is_read_from_where_the_cluster_stands(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(PEM)
    resolved = repinned(
        RESOLVED,
        cluster_file=str(tmp_path / "config"),
        cluster_raw={"server": RESOLVED.server, "certificate-authority": "ca.pem"},
        ca_sha256=ca_digest(PEM),
    )
    assert digests(resolved) == of_cluster(**{"certificate-authority-data": base64.b64encode(PEM).decode()})


@pytest.mark.parametrize(
    "raw",
    [{"certificate-authority": "/nowhere/ca.pem"}, {"certificate-authority-data": "x"}],
)
def test_nothing_is_foretold_where_the_ca_cannot_be_read(raw: dict[str, str]) -> None:
    assert of_cluster(**raw) == ()
