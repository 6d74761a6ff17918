"""What the package is built with: the launcher where it compiles, else the Python program alone under the same name.

One decision, made by compiling: the metadata hook compiles and names the scripts accordingly, and the build hook puts
the launcher in where the metadata counts on it. So no installation is without a `kubectl-stepup`.
"""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from launcher.compiler import NotCompiled, compile_launcher

LAUNCHER = "kubectl-stepup"
PROGRAM = "kubectl_stepup-python"
"""Not kubectl-…: kubectl takes every program of such a name for a plugin."""

MAIN = "kubectl_stepup.__main__:main"
WITHOUT = "KUBECTL_STEPUP_NO_LAUNCHER"
OUTPUT = Path("build", "launcher", LAUNCHER)


class ScriptsHook(MetadataHookInterface):
    """Names the console script: `kubectl-stepup`, or what the launcher of that name becomes."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `project.scripts`."""
        metadata["scripts"] = {PROGRAM if is_compiled(Path(self.root)) else LAUNCHER: MAIN}


class LauncherHook(BuildHookInterface[BuilderConfig]):
    """Puts the launcher among the wheel's scripts."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add it where the metadata counts on it; the wheel is then for this platform alone."""
        if PROGRAM in self.metadata.core.scripts:
            build_data["shared_scripts"][str(Path(self.root) / OUTPUT)] = LAUNCHER
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def is_compiled(root: Path) -> bool:
    """Compile the launcher where one is wanted and possible; say in one line why it was not."""
    if sys.platform != "linux" or os.environ.get(WITHOUT) == "1":
        return False
    try:
        compile_launcher(root, root / OUTPUT, machine=platform.machine())
    except (NotCompiled, OSError) as exc:
        print(f"{LAUNCHER}: installed without its native launcher: {exc}", file=sys.stderr)
        return False
    return True
