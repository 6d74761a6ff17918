"""Run a kubectl with a home of its own, for as long as it may take."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.system.parts.cache import MACHINE

DATA = Path(__file__).parents[2] / "data"


def environment(home: Path, kubeconfig: str) -> dict[str, str]:
    """Return what kubectl gets; its kubeconfig is written into `home`."""
    (home / ".kube").mkdir(parents=True)
    (home / ".kube/config").write_text(kubeconfig)
    editor = f"sh {DATA / 'corpus' / 'ed.sh'}"
    return {"HOME": str(home), "PATH": MACHINE["PATH"], "KUBE_EDITOR": editor, "KUBERC": "off", "LANG": "C.UTF-8"}


def run(
    words: Sequence[str], environ: dict[str, str], directory: Path, *, longest_s: float
) -> tuple[int | None, bytes]:
    """Run a command to its end; return its exit code and what it said on standard error.

    After `longest_s` seconds it is killed with all that it started, and has no exit code: it streams, or waits for
    what never comes.
    """
    with subprocess.Popen(
        words,
        env=environ,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            said = process.communicate(timeout=longest_s)[1]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None, process.communicate()[1]
    return process.returncode, said
