"""What kubectl really writes into KUBERNETES_EXEC_INFO, against what is foretold; for every kubectl at hand."""

from __future__ import annotations

import base64
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_stepup.kubeconfig import exec_credential
from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin, ca_digest
from tests.support.certificates import CA_A

CANDIDATES = [str(Path(sys.executable).parent / "kubectl"), shutil.which("kubectl") or ""]
KUBECTLS = sorted({path for path in CANDIDATES if os.access(path, os.X_OK)})
CA = CA_A.encode("ascii")
# Nobody listens there: the plugin is run before the first connection.
SERVER = "https://127.0.0.1:9/prefix"

pytestmark = pytest.mark.skipif(not KUBECTLS, reason="there is no kubectl")

CLUSTERS = [
    {"server": SERVER},
    {"server": f"{SERVER}/?x=<1>&y#z", "insecure-skip-tls-verify": True},
    {"server": SERVER, "certificate-authority-data": base64.b64encode(CA).decode()},
    {"server": SERVER, "certificate-authority": "ca.pem"},
    {
        "server": SERVER,
        "certificate-authority-data": base64.b64encode(CA).decode(),
        "tls-server-name": "foo.example.com",
        "proxy-url": "http://127.0.0.1:9",
        "disable-compression": True,
        "extensions": [
            {"name": "client.authentication.k8s.io/exec", "extension": {"b": 1, "a": ["<é\u2028>", True, None]}},
            {"name": "other", "extension": {"server": "https://decoy"}},
        ],
    },
]


def written(kubectl: str, cluster: dict[str, object], version: str, directory: Path) -> bytes:
    """Return KUBERNETES_EXEC_INFO as a plugin of this kubectl gets it."""
    (directory / "ca.pem").write_bytes(CA)
    plugin = directory / "plugin"
    plugin.write_text(f'#!/bin/sh\nprintf %s "$KUBERNETES_EXEC_INFO" > "{directory}/info"\nexit 1\n')
    plugin.chmod(stat.S_IRWXU)
    user = {
        "apiVersion": f"client.authentication.k8s.io/{version}",
        "command": str(plugin),
        "interactiveMode": "IfAvailable",
        "provideClusterInfo": True,
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"exec": user}}],
    }
    (directory / "config").write_text(json.dumps(config))
    subprocess.run(
        [kubectl, "get", "--raw", "/x"],
        env={"KUBECONFIG": str(directory / "config"), "HOME": str(directory), "PATH": os.defpath},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    return (directory / "info").read_bytes()


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
@pytest.mark.parametrize("cluster", CLUSTERS, ids=["plain", "insecure", "CA data", "CA file", "everything"])
@pytest.mark.parametrize("kubectl", KUBECTLS)
def test_foretold(kubectl: str, cluster: dict[str, object], version: str, tmp_path: Path) -> None:
    has_ca = "certificate-authority" in cluster or "certificate-authority-data" in cluster
    pin = ClusterPin(
        server=str(cluster["server"]),
        ca_sha256=ca_digest(CA) if has_ca else None,
        tls_server_name="foo.example.com" if "tls-server-name" in cluster else None,
        proxy_url="http://127.0.0.1:9" if "proxy-url" in cluster else None,
        insecure="insecure-skip-tls-verify" in cluster,
    )
    extensions = cluster.get("extensions")
    config = extensions[0]["extension"] if isinstance(extensions, list) else None
    foretold = exec_credential.expected_exec_info(
        pin,
        ca_pem=CA if has_ca else None,
        disable_compression="disable-compression" in cluster,
        config=config,
    )
    found = written(kubectl, cluster, version, tmp_path)
    assert found == foretold[0 if version == "v1" else 2]
    assert exec_credential.withheld_reason(pin, exec_credential.parse(found.decode())) is None
