"""A kubectl that is a link to the launcher is never taken for kubectl, by whichever path a command goes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_stepup.stepup.native_launcher import launcher


@pytest.mark.parametrize("start", ["launcher", "module"])
@pytest.mark.parametrize("link", ["kubectl-stepup", "kubectl_stepup-python"])
def test_the_next_kubectl_is_taken(tmp_path: Path, start: str, link: str) -> None:
    """PROC-16."""
    ours = launcher()
    if ours is None:
        pytest.skip("no launcher was compiled for this installation")
    trap, real = tmp_path / "trap", tmp_path / "real"
    for directory in (trap, real):
        directory.mkdir()
    (trap / "kubectl").symlink_to(Path(ours).with_name(link))
    (real / "kubectl").write_text('#!/bin/sh\necho "$0" "$@"\n')
    (real / "kubectl").chmod(0o755)
    environ = {"HOME": str(tmp_path), "PATH": f"{trap}:{real}:/usr/bin:/bin"}
    program = [ours] if start == "launcher" else [sys.executable, "-P", "-m", "kubectl_stepup"]

    # Evaluated in full, which compiles the policy; by the compiled policy, which remembers the line; remembered.
    for _ in range(3):
        done = subprocess.run(
            [*program, "exec", "--", "version", "--client"],
            env=environ, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, f"{real}/kubectl version --client\n"), done.stderr
