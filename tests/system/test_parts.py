"""Where the parts come from, and what is said of one that is not there; runs with the ordinary tests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.parts import cache, control_plane, go_tools
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


@pytest.mark.parametrize("minor", ["1.33", "1.36"])
def test_all_of_kubernetes_has_one_version(minor: str) -> None:
    text = (go_tools.TOOLS / f"kubernetes-{minor}" / "go.mod").read_text()
    (main,) = re.findall(r"^\s*(?:require )?k8s\.io/kubernetes v1\.(\S+)", text, re.MULTILINE)

    assert set(re.findall(r"^\tk8s\.io/\S+ => k8s\.io/\S+ v0\.(\S+)$", text, re.MULTILINE)) == {main}
    assert main.startswith(minor.removeprefix("1."))


def test_the_fields_own_assets_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "etcd").touch()
    monkeypatch.setattr(control_plane, "MACHINE", {ASSETS: str(tmp_path)})

    assert control_plane.binary("etcd") == tmp_path / "etcd"


def test_without_go_the_words_are_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MACHINE", {"PATH": str(tmp_path)})

    with pytest.raises(
        Missing, match=r"kube-apiserver is missing: go is not on PATH; install Go .* or set KUBEBUILDER_"
    ):
        control_plane.binary("kube-apiserver")


def test_a_minor_version_without_a_module_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_plane, "MACHINE", {VERSION: "1.12"})

    with pytest.raises(Missing, match=rf"there is no tools/kubernetes-1\.12; unset {VERSION}"):
        control_plane.require()


@pytest.mark.parametrize(("required", "code", "result"), [("0", 0, "1 skipped"), ("1", 1, "1 failed")])
def test_a_missing_part_is_named_and_counted(tmp_path: Path, required: str, code: int, result: str) -> None:
    test = "tests/system/test_tools.py::test_opa_is_there_as_an_oracle_for_policies"
    environ = {
        **MACHINE,
        "PATH": str(tmp_path),
        "KUBECTL_STEPUP_SYSTEM_CACHE": str(tmp_path / "cache"),
        REQUIRED: required,
    }
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "system", test]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=100, check=False)

    assert done.returncode == code, done.stdout
    assert result in done.stdout.splitlines()[-1]
    assert "missing part: opa (1 tests left out). To get it: go is not on PATH; install Go 1.26" in done.stdout
