"""Where the parts come from, and what is said of one that is not there; runs with the ordinary tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.parts import cache, control_plane, go_tools, keycloak, kubectls, oidc_provider
from tests.system.parts.cache import MACHINE, REQUIRED, Missing
from tests.system.parts.control_plane import ASSETS, VERSION
from tests.system.parts.go_tools import HELM, K9S, KREW, KUBELOGIN, OPA, VALIDATE_KREW_MANIFEST, kubernetes

ROOT = Path(__file__).parents[2]
PROGRAMS = [KUBELOGIN, KREW, VALIDATE_KREW_MANIFEST, K9S, HELM, OPA, control_plane.ETCD, kubernetes("kubectl", "1.32")]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_every_go_program_is_a_pinned_tool_of_its_module(program: go_tools.GoProgram) -> None:
    module = (go_tools.TOOLS / program.module / "go.mod").read_text()

    assert re.search(rf"^(?:tool |\t){re.escape(program.package)}$", module, re.MULTILINE)
    assert re.fullmatch(r"\d+\.\d+\.\d+", go_tools.pinned(program.module))


@pytest.mark.parametrize("module", sorted(path.name for path in go_tools.TOOLS.glob("kubernetes-*")))
def test_all_of_kubernetes_has_one_version(module: str) -> None:
    main = go_tools.pinned(module, "k8s.io/kubernetes").removeprefix("1.")
    text = (go_tools.TOOLS / module / "go.mod").read_text()

    assert set(re.findall(r"^\tk8s\.io/\S+ => k8s\.io/\S+ v0\.(\S+)$", text, re.MULTILINE)) == {main}
    assert f"kubernetes-1.{main}".startswith(f"{module}.")


def assets(directory: Path, version: str) -> dict[str, str]:
    """Make the directory that envtest would, with an API server of a version."""
    (directory / "etcd").touch()
    server = directory / "kube-apiserver"
    server.write_text(f"#!/bin/sh\necho Kubernetes {version}\n")
    server.chmod(0o755)
    return {ASSETS: str(directory), "PATH": os.environ["PATH"]}


def test_the_fields_own_assets_come_first_and_say_their_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_plane, "MACHINE", assets(tmp_path, "v1.33.5"))

    assert [control_plane.binary(name) for name in ("etcd", "kube-apiserver")] == [
        tmp_path / "etcd",
        tmp_path / "kube-apiserver",
    ]
    assert control_plane.minor() == "1.33"


def test_assets_of_another_version_than_is_asked_for_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_plane, "MACHINE", {**assets(tmp_path, "v1.33.5"), VERSION: "1.36"})

    with pytest.raises(Missing, match=rf"kube-apiserver is not Kubernetes 1\.36; unset {ASSETS} or {VERSION}"):
        control_plane.require()


def test_without_go_the_words_are_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (cache, control_plane):
        monkeypatch.setattr(module, "MACHINE", {"PATH": str(tmp_path)})

    with pytest.raises(
        Missing, match=r"kube-apiserver is missing: go is not on PATH; install Go .* or set KUBEBUILDER_"
    ):
        control_plane.binary("kube-apiserver")


@pytest.mark.parametrize("wanted", ["1.12", "1.32", "1.36.3"])
def test_a_version_that_no_module_builds_is_named(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_plane, "MACHINE", {VERSION: wanted})

    with pytest.raises(Missing, match=rf"no module builds it for Kubernetes {wanted}; there are 1\.33, 1\.36"):
        control_plane.binary("kube-apiserver")


@pytest.mark.parametrize(("required", "code", "result"), [("0", 0, "1 skipped"), ("1", 1, "1 failed")])
def test_a_missing_part_is_named_and_counted(tmp_path: Path, required: str, code: int, result: str) -> None:
    test = "tests/system/test_tools.py::test_opa_is_there_as_an_oracle_for_policies"
    environ = {
        **{name: value for name, value in MACHINE.items() if name != "PYTEST_ADDOPTS"},
        "PATH": str(tmp_path),
        "KUBECTL_STEPUP_SYSTEM_CACHE": str(tmp_path / "cache"),
        REQUIRED: required,
    }
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "system", test]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=100, check=False)

    assert done.returncode == code, done.stdout
    assert result in done.stdout.splitlines()[-1]
    assert "missing part: opa (tests: 1). To get it: go is not on PATH; install Go 1.26" in done.stdout


def test_the_page_has_the_versions_that_are_pinned() -> None:
    page = (ROOT / "docs/how-to/test-bed.md").read_text()
    npm = json.loads((oidc_provider.SOURCE / "package.json").read_text())["dependencies"]["oidc-provider"]
    kubernetes_, etcd = (go_tools.pinned(module) for module in ("kubernetes-1.36", "etcd"))

    assert f"Kubernetes {kubernetes_}, etcd {etcd}" in page
    assert f"{', '.join(kubectls.WHEELS.values())}; {go_tools.pinned('kubernetes-1.32')}; the one on" in page
    assert f"| {npm}: device flow" in page
    assert f"| {keycloak.VERSION} with the realm" in page
    assert go_tools.HOW.split(" (")[0].removeprefix("install ").removesuffix(" or later") in page
