"""kube-apiserver: on loopback, with a structured AuthenticationConfiguration, RBAC and an audit log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.certificates import Authority, write_leaf
from tests.system.parts.cache import MACHINE
from tests.system.parts.control_plane import binary
from tests.system.parts.kube_api import KubeAPI
from tests.system.parts.ports import loopback_port
from tests.system.parts.processes import Server, running, wait_until

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        # The system's own chatter, and who only looks whether the server lives.
        {"level": "None", "users": ["system:apiserver", "system:kube-controller-manager"]},
        {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
        {"level": "None", "nonResourceURLs": ["/readyz*", "/livez*", "/healthz*", "/openapi*"]},
        {"level": "Metadata"},
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeAPIServer:
    """A running API server and the files it was given."""

    url: str
    ca_file: Path
    service_account_key: Path
    admin_certificate: tuple[Path, Path]
    """Certificate and key of a member of system:masters."""

    controller_manager_certificate: tuple[Path, Path]
    audit_log: Path
    server: Server
    authority: Authority
    authentication: Path
    """The AuthenticationConfiguration; the server reads it again when it changes."""

    def certificate(self, name: str, organization: str) -> tuple[Path, Path]:
        """Issue a client certificate for a user of a group."""
        return _certificate(self.ca_file.parent, self.authority, name, organization=organization)

    def as_owner(self, certificate: tuple[Path, Path]) -> KubeAPI:
        """The API server as the owner of a certificate sees it."""
        return KubeAPI(server=self.url, ca_file=self.ca_file, certificate=certificate)

    @property
    def admin(self) -> KubeAPI:
        """The API server as its administrator sees it."""
        return KubeAPI(server=self.url, ca_file=self.ca_file, certificate=self.admin_certificate)

    def as_bearer(self, token: str) -> KubeAPI:
        """The API server as the holder of a token sees it."""
        return KubeAPI(server=self.url, ca_file=self.ca_file, token=token)

    def kubeconfig(self, certificate: tuple[Path, Path], *, namespace: str = "default") -> str:
        """Return a kubeconfig for the owner of a certificate and its key."""
        user = {"client-certificate": str(certificate[0]), "client-key": str(certificate[1])}
        cluster = {"server": self.url, "certificate-authority": str(self.ca_file)}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "lab",
            "clusters": [{"name": "lab", "cluster": cluster}],
            "users": [{"name": "admin", "user": user}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "admin", "namespace": namespace}}],
        }
        return yaml.safe_dump(document)

    def audit_events(self, **wanted: str) -> list[dict[str, Any]]:
        """Return the audit events (audit.k8s.io/v1) whose verb and object are as wanted, oldest first."""
        events = [json.loads(line) for line in self.audit_log.read_text().splitlines()]
        return [
            event
            for event in events
            if all(wanted[key] in {event.get(key), event.get("objectRef", {}).get(key)} for key in wanted)
        ]


@contextmanager
def kube_apiserver(
    directory: Path, *, etcd: str, authentication: str, audit_policy: str | None = None, owner: str | None = None
) -> Iterator[KubeAPIServer]:
    """Start an API server that believes whom `authentication` (the text of an AuthenticationConfiguration) names.

    It records what `audit_policy` (the text of one) says, by default all that people do.
    """
    authority = Authority("kubectl stepup test bed")
    serving = _certificate(directory, authority, "kube-apiserver", "127.0.0.1", "localhost")
    service_account_key = _service_account_key(directory / "service-account.key")
    files = {"authentication.yaml": authentication, "audit-policy.yaml": audit_policy or json.dumps(AUDIT_POLICY)}
    for name, text in files.items():
        (directory / name).write_text(text)
    ca_file = authority.write(directory / "kube-ca.pem")
    port = loopback_port()
    command: list[str | Path] = [
        binary("kube-apiserver"),
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        "--endpoint-reconciler-type=none",  # refuses to advertise a loopback address
        f"--etcd-servers={etcd}",
        f"--tls-cert-file={serving[0]}",
        f"--tls-private-key-file={serving[1]}",
        f"--client-ca-file={ca_file}",
        "--authorization-mode=RBAC",
        f"--authentication-config={directory / 'authentication.yaml'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={service_account_key}",
        f"--service-account-signing-key-file={service_account_key}",
        "--service-cluster-ip-range=10.96.0.0/16",
        f"--audit-policy-file={directory / 'audit-policy.yaml'}",
        f"--audit-log-path={directory / 'audit.log'}",
        "--audit-log-mode=blocking-strict",  # written before the answer: a test need not wait for it
        "--allow-privileged",  # as kubeadm has it: pods of the system need it
        "--profiling=false",
    ]
    with running("kube-apiserver", command, directory=directory, environ=MACHINE, owner=owner) as server:
        started = KubeAPIServer(
            url=f"https://127.0.0.1:{port}",
            ca_file=ca_file,
            service_account_key=service_account_key,
            admin_certificate=_certificate(directory, authority, "admin", organization="system:masters"),
            controller_manager_certificate=_certificate(
                directory, authority, "system:kube-controller-manager", organization="kubernetes"
            ),
            audit_log=directory / "audit.log",
            server=server,
            authority=authority,
            authentication=directory / "authentication.yaml",
        )
        wait_until(lambda: is_ready(started.admin), "ready kube-apiserver", within_s=120, server=server)
        yield started


def is_ready(api: KubeAPI) -> bool:
    """Whether the server is ready and has made its own namespaces, which it does a little later."""
    with suppress(requests.RequestException):
        paths = ("/readyz", "/api/v1/namespaces/kube-system", "/api/v1/namespaces/default")
        return all(api.request("GET", path).status_code == 200 for path in paths)
    return False


def _certificate(
    directory: Path, authority: Authority, name: str, *hosts: str, organization: str | None = None
) -> tuple[Path, Path]:
    """Write a certificate and its key; Kubernetes reads the user from its common name, groups from organizations."""
    # Without a host the extension for hosts is empty and critical, which Go refuses, even of clients.
    made = authority.leaf(*(hosts or ("localhost",)), common_name=name, organization_name=organization)
    return write_leaf(made, directory, name.rpartition(":")[2])


def _service_account_key(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    path.touch(mode=0o600)
    # The form that Kubernetes' reader of key files knows for elliptic curves.
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    return path
