"""Which Kubernetes the test bed runs, and where its programs come from."""

from __future__ import annotations

from pathlib import Path

from tests.system.parts.cache import MACHINE, Missing
from tests.system.parts.go_tools import HOW, GoProgram, build, kubernetes

ASSETS = "KUBEBUILDER_ASSETS"
"""The field's convention (controller-runtime's envtest): a directory with etcd and kube-apiserver."""

VERSION = "KUBECTL_STEPUP_SYSTEM_KUBERNETES"
DEFAULT_MINOR = "1.36"
ETCD = GoProgram(name="etcd", module="etcd", package="go.etcd.io/etcd/server/v3")


def minor() -> str:
    """Give the minor version of Kubernetes that the test bed runs: 1.36, or what the environment says."""
    return MACHINE.get(VERSION, DEFAULT_MINOR)


def binary(name: str) -> Path:
    """Give `etcd`, `kube-apiserver` or `kube-controller-manager`, of KUBEBUILDER_ASSETS or else built."""
    assets = MACHINE.get(ASSETS)
    if assets and (Path(assets) / name).exists():
        return Path(assets) / name
    if name == "etcd":
        return build(ETCD)
    return build(kubernetes(name, minor(), f"{HOW}, or set {ASSETS} to a directory that has it"))


def require() -> None:
    """Raise `Missing` where one of the programs cannot be had, before anything is started."""
    if not (Path(__file__).parent.parent / "tools" / f"kubernetes-{minor()}").exists():
        raise Missing("kube-apiserver", f"there is no tools/kubernetes-{minor()}; unset {VERSION}")
    for name in ("etcd", "kube-apiserver", "kube-controller-manager"):
        binary(name)
