"""kube-controller-manager: without it aggregated roles stay empty, namespaces never end and nothing is collected."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.parts.cache import MACHINE
from tests.system.parts.control_plane import binary
from tests.system.parts.kube_apiserver import KubeAPIServer
from tests.system.parts.processes import Server, running, wait_until


@contextmanager
def kube_controller_manager(directory: Path, *, api: KubeAPIServer, owner: str | None = None) -> Iterator[Server]:
    """Start the controllers and wait for their first work: the rules of the aggregated roles."""
    kubeconfig = directory / "controller-manager.kubeconfig"
    kubeconfig.write_text(api.kubeconfig(api.controller_manager_certificate))
    command: list[str | Path] = [
        binary("kube-controller-manager"),
        f"--kubeconfig={kubeconfig}",
        "--secure-port=0",  # nobody asks it anything
        "--leader-elect=false",
        "--use-service-account-credentials",  # each controller with the rights of its own role, as everywhere
        f"--service-account-private-key-file={api.service_account_key}",
        f"--root-ca-file={api.ca_file}",
    ]
    name = "kube-controller-manager"
    with running(name, command, directory=directory, environ=MACHINE, owner=owner) as server:
        wait_until(lambda: _roles_have_rules(api), "rules in the role `edit`", within_s=60, server=server)
        yield server


def _roles_have_rules(api: KubeAPIServer) -> bool:
    return bool(api.admin.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/edit").get("rules"))
