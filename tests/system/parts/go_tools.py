"""Programs built from Go modules, each pinned by a module of its own under `tools/`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from tests.system.parts.cache import Missing, made, program, run

TOOLS = Path(__file__).parent.parent / "tools"
HOW = "install Go 1.26.4 or later (https://go.dev/dl/)"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoProgram:
    """A program of a module; `stamps` are linker variables that get the module's version."""

    name: str
    module: str
    """The directory under `tools/`."""

    package: str
    how: str = HOW
    stamps: Mapping[str, str] = field(default_factory=dict)


KUBELOGIN = GoProgram(name="kubelogin", module="kubelogin", package="github.com/int128/kubelogin")
KREW = GoProgram(name="krew", module="krew", package="sigs.k8s.io/krew/cmd/krew")
VALIDATE_KREW_MANIFEST = GoProgram(
    name="validate-krew-manifest", module="krew", package="sigs.k8s.io/krew/cmd/validate-krew-manifest"
)
K9S = GoProgram(name="k9s", module="k9s", package="github.com/derailed/k9s")
HELM = GoProgram(name="helm", module="helm", package="helm.sh/helm/v4/cmd/helm")
OPA = GoProgram(name="opa", module="opa", package="github.com/open-policy-agent/opa")


def kubernetes(name: str, minor: str, how: str = HOW) -> GoProgram:
    """Return a program of Kubernetes, which learns its version from the linker (k8s.io/component-base/version).

    Raises:
        Missing: there is no module that builds this program of this minor version.

    """
    package = f"k8s.io/kubernetes/cmd/{name}"
    if package not in tools_of(f"kubernetes-{minor}"):
        raise Missing(name, f"no module builds it for Kubernetes {minor}; there are {', '.join(minors(package))}")
    version = f"v{pinned(f'kubernetes-{minor}', 'k8s.io/kubernetes')}"
    major, small = minor.split(".")
    stamps = {"gitVersion": version, "gitMajor": major, "gitMinor": small, "gitTreeState": "clean"}
    variables = {f"k8s.io/component-base/version.{key}": value for key, value in stamps.items()}
    return GoProgram(name=name, module=f"kubernetes-{minor}", package=package, how=how, stamps=variables)


def build(wanted: GoProgram) -> Path:
    """Build a program, once for each state of its module; return its path."""
    go = program("go", wanted.name, wanted.how)
    source = TOOLS / wanted.module
    digest = sha256((source / "go.mod").read_bytes() + (source / "go.sum").read_bytes()).hexdigest()[:12]

    def make(directory: Path) -> None:
        stamps = " ".join(f"-X {variable}={value}" for variable, value in sorted(wanted.stamps.items()))
        flags = ["-trimpath", "-ldflags", f"-s -w {stamps}", "-o", str(directory / wanted.name)]
        command = [go, "build", *flags, wanted.package]
        run(wanted.name, command, cwd=source, timeout_s=3600, CGO_ENABLED="0", GOWORK="off")

    return made(f"{wanted.name}-{pinned(wanted.module)}-{digest}", make) / wanted.name


def pinned(module: str, path: str | None = None) -> str:
    """Return the version that a module under `tools/` requires of `path`, else of what it builds."""
    tool = tools_of(module)[0]
    required = dict(re.findall(r"^\s*(?:require )?(\S+) v(\S+)", _text(module), re.MULTILINE))
    holding = [name for name in required if name == path or (path is None and f"{tool}/".startswith(f"{name}/"))]
    assert holding, f"tools/{module}/go.mod does not require {path or tool}"
    return str(required[max(holding, key=len)])


def tools_of(module: str) -> list[str]:
    """Return the packages that a module under `tools/` is there to build; none where there is no such module."""
    block = re.search(r"^tool (?:\((.*?)\)|(\S+)$)", _text(module), re.MULTILINE | re.DOTALL)
    return (block[1] or block[2]).split() if block else []


def minors(package: str) -> list[str]:
    """Return the minor versions of Kubernetes whose modules build a package."""
    modules = sorted(path.name for path in TOOLS.glob("kubernetes-*"))
    return [module.removeprefix("kubernetes-") for module in modules if package in tools_of(module)]


def _text(module: str) -> str:
    path = TOOLS / module / "go.mod"
    return path.read_text() if path.exists() else ""
