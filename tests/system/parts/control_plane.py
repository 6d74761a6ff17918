"""Which Kubernetes the test bed runs, and where its programs come from."""

from __future__ import annotations

import re
from pathlib import Path

from tests.system.parts.cache import MACHINE, Missing, run
from tests.system.parts.go_tools import HOW, GoProgram, build, kubernetes

ASSETS = "KUBEBUILDER_ASSETS"
"""The field's convention (controller-runtime's envtest): a directory with etcd and kube-apiserver."""

VERSION = "KUBECTL_STEPUP_SYSTEM_KUBERNETES"
DEFAULT_MINOR = "1.36"
ETCD = GoProgram(name="etcd", module="etcd", package="go.etcd.io/etcd/server/v3")
API_SERVER, CONTROLLER_MANAGER = "kube-apiserver", "kube-controller-manager"


def minor() -> str:
    """Return the minor version that runs: of the API server in KUBEBUILDER_ASSETS, what the environment says, or 1.36.

    Raises:
        Missing: the environment wants another one than the assets have.

    """
    wanted = MACHINE.get(VERSION)
    asset = _asset(API_SERVER)
    if asset is None:
        return wanted or DEFAULT_MINOR
    found = re.search(r"v(\d+\.\d+)\.", run(API_SERVER, [asset, "--version"]))
    if found is None or wanted not in {None, "", found[1]}:
        what = f"{asset} is not Kubernetes {wanted or '1.x'}"
        raise Missing(API_SERVER, f"{what}; unset {ASSETS} or {VERSION}")
    return found[1]


def binary(name: str) -> Path:
    """Return `etcd`, `kube-apiserver` or `kube-controller-manager`, of KUBEBUILDER_ASSETS or else built."""
    asset = _asset(name)
    if asset is not None:
        return asset
    if name == "etcd":
        return build(ETCD)
    return build(kubernetes(name, minor(), f"{HOW}, or set {ASSETS} to a directory that has it"))


def require() -> None:
    """Raise `Missing` where one of the programs cannot be had, before anything is started."""
    for name in ("etcd", API_SERVER, CONTROLLER_MANAGER):
        binary(name)


def _asset(name: str) -> Path | None:
    directory = MACHINE.get(ASSETS)
    path = Path(directory) / name if directory else None
    return path if path is not None and path.exists() else None
