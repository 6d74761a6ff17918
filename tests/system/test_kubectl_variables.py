"""The table of kubectl's environment variables, held against kubectl's own sources."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_stepup.kubectl.variables import KEPT, SET, TAKEN_OUT
from tests.system.parts.cache import MACHINE, Missing, program

pytestmark = pytest.mark.system

MODULES = ("kubectl", "cli-runtime", "client-go", "apimachinery")
CALL = re.compile(r'os\.(?:Getenv|LookupEnv)\((?:"([A-Z0-9a-z_]+)"|([^"()]+(?:\(\w+\))?))\)')
GATE = re.compile(r'FeatureGate\s*=\s*"([A-Z0-9_]+)"')
COMPUTED = {
    "env",  # editorEnvs: KUBE_EDITOR and EDITOR
    "key",  # the environment of --from-env-file and of set env
    "string(f)",  # a feature gate, which GATE finds
    "o.EnvVar",  # KUBECONFIG
}
"""Names that the sources put together."""

NOT_PART_OF_KUBECTL = ("/testing/", "/testutil", "/apitesting/", "/apidiff/", "/third_party/", "_test.go")


def sources() -> list[Path]:
    """Find the sources of kubectl that Go keeps."""
    go = program("go", part="kubectl's sources", how="install Go and run: make parts")
    found = subprocess.run([go, "env", "GOMODCACHE"], env=MACHINE, capture_output=True, text=True, check=True)
    kept = Path(found.stdout.strip()) / "k8s.io"
    directories = [one for module in MODULES for one in kept.glob(f"{module}@*")]
    if not any(one.name.startswith("kubectl@") for one in directories):
        raise Missing("kubectl's sources", "make parts")
    return directories


def read_names(directory: Path) -> Iterator[str]:
    """Return the variables that a module reads; of a constant its value."""
    texts = [
        one.read_text(encoding="utf-8")
        for one in sorted(directory.rglob("*.go"))
        if not any(part in str(one) for part in NOT_PART_OF_KUBECTL)
    ]
    whole = "\n".join(texts)
    yield from GATE.findall(whole)
    for literal, expression in CALL.findall(whole):
        if literal:
            yield literal
        elif expression not in COMPUTED:
            values = re.findall(rf'\b{re.escape(expression)}\s*(?:string)?\s*=\s*"([A-Z0-9_]+)"', whole)
            yield from values or [f"{directory.name}: {expression}"]


def test_every_variable_that_the_sources_read_has_its_line() -> None:
    known = {*SET, *TAKEN_OUT, *KEPT}
    found = {name for directory in sources() for name in read_names(directory)}
    assert "KUBECACHEDIR" in found or not any("cli-runtime" in str(one) for one in sources())
    assert len(found) > 20
    assert sorted(found - known) == []
