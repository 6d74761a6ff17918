"""The place of a benchmark: a home of its own, servers on loopback, programs by their usual names."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from base64 import b64encode
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import kubectl_stepup
from benchmarks.loopback_api import LoopbackAPI
from benchmarks.loopback_issuer import LoopbackIssuer
from kubectl_stepup.kubectl.process import PROGRAM
from kubectl_stepup.stepup.native_launcher import launcher

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PYTHON = sys.executable
ENTRY_POINT = str(Path(PYTHON).parent / "kubectl-stepup")
LAUNCHER = launcher()
"""The native launcher, which is the entry point of an installation that has it."""

PYTHON_PROGRAM = ENTRY_POINT if LAUNCHER is None else str(Path(LAUNCHER).with_name(PROGRAM))
FILE = str(Path(kubectl_stepup.__file__).parent / "fastpath" / "cached_credential.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A home whose `bin` is first on PATH, and the servers.

    `left_out` says what this machine cannot measure and why, by subject.
    """

    home: Path
    api: LoopbackAPI
    issuer: LoopbackIssuer
    stack: ExitStack = field(repr=False)
    """What is ended or removed after the measurement."""

    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def kubectl(self) -> str:
        """Return the kubectl of every subject: that of the development environment."""
        return str(self.home / "bin" / "kubectl")

    @property
    def token(self) -> str:
        """Return the one token that the API server accepts."""
        return self.issuer.token

    @property
    def environ(self) -> dict[str, str]:
        """Return the environment of every subject."""
        path = os.pathsep.join([str(self.home / "bin"), "/usr/local/bin", "/usr/bin", "/bin"])
        return {"HOME": str(self.home), "PATH": path, "TERM": "dumb", "CI": "true", "LANG": "C.UTF-8"}

    def directory(self, name: str) -> Path:
        """Make a directory that only its owner can read, and return its path."""
        path = self.home / name
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def install(self, name: str, program: str | Path) -> None:
        """Add a program to PATH under a name."""
        (self.directory("bin") / name).symlink_to(program)

    def kubeconfig(self, name: str, user: Mapping[str, object], *, contexts: int = 1) -> dict[str, str]:
        """Write a kubeconfig whose one user is `user`, and return the environment that names it.

        All contexts but the current one, `bench`, are like those of other clusters.
        """
        path = self.home / f"{name}.kubeconfig"
        path.touch(mode=0o600)
        path.write_text(json.dumps(self._kubeconfig(user, contexts)), encoding="utf-8")
        return {**self.environ, "KUBECONFIG": str(path)}

    def _kubeconfig(self, user: Mapping[str, object], contexts: int) -> dict[str, object]:
        names = ["bench", *(f"other-{number}" for number in range(1, contexts))]
        ca_data = b64encode(self.api.ca_pem.encode("ascii")).decode("ascii")
        cluster = {"server": self.api.url, "certificate-authority-data": ca_data}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "bench",
            "clusters": [{"name": name, "cluster": cluster} for name in names],
            "users": [{"name": name, "user": user} for name in names],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in names],
        }


@contextmanager
def prepared() -> Iterator[Place]:
    """Make the home and start the servers; end and remove everything at the end."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kubectl-stepup-bench-")))
        issuer = LoopbackIssuer(now=time.time())
        stack.callback(issuer.close)
        api = LoopbackAPI(issuer.token, now=time.time())
        stack.callback(api.close)
        place = Place(home=home, api=api, issuer=issuer, stack=stack)
        place.install("kubectl", _kubectl())
        place.install("kubectl-stepup", ENTRY_POINT)
        if LAUNCHER is None:
            place.left_out["launcher"] = "this installation has none: there was no C compiler"
        yield place


def _kubectl() -> str:
    path = os.pathsep.join([str(Path(PYTHON).parent), os.environ.get("PATH", "")])
    found = shutil.which("kubectl", path=path)
    if found is None:
        raise SystemExit("error: there is no kubectl, neither beside this Python nor on PATH")
    return found
