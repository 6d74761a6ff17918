"""Run commands with a real kubectl, one at a time against a server of its own: so what comes is the command's."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.system.differential.server import RecordingAPI, Request, recording_api
from tests.system.differential.snapshot import snapshot
from tests.system.recorder.fixture import SHOP
from tests.system.recorder.running import DATA, environment, run

MANIFESTS = Path(__file__).parent / "manifests"
LONGEST_S = 6.0
KILLED = -1
"""The exit code of a command that was stopped after that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a command: its exit code, what it said, what the server saw."""

    code: int
    said: str
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """A kubectl with a home and a server of its own."""

    kubectl: Path
    api: RecordingAPI
    environ: dict[str, str]
    directory: Path

    def run(self, words: Sequence[str]) -> Outcome:
        """Run a command; the server forgets afterwards what it did."""
        self.api.begin()
        code, said = run([str(self.kubectl), *words], self.environ, self.directory, longest_s=LONGEST_S)
        for error in self.api.errors:
            raise error
        return Outcome(
            code=KILLED if code is None else code,
            said=said.decode("utf-8", "replace"),
            requests=tuple(sorted(set(self.api.requests))),
        )


@contextmanager
def runner(kubectl: Path, directory: Path) -> Iterator[Runner]:
    """Return a runner that works in `directory`, where the manifests are."""
    with tempfile.TemporaryDirectory(prefix="differential-") as name, recording_api(snapshot()) as api:
        environ = environment(Path(name) / "home", _kubeconfig(api.url))
        # kubectl lives for a moment: without collecting garbage it takes a fifth less.
        environ |= {"TMPDIR": name, "GOGC": "off"}
        yield Runner(kubectl=kubectl, api=api, environ=environ, directory=directory)


@contextmanager
def workplace() -> Iterator[Path]:
    """Return a directory with the manifests that commands name, and go there: what kubectl writes is lost."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="differential-") as name:
        for source in (DATA / "corpus", MANIFESTS):
            shutil.copytree(source, name, dirs_exist_ok=True)
        os.chdir(name)
        try:
            yield Path(name)
        finally:
            os.chdir(before)


def _kubeconfig(url: str) -> str:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "lab",
        "clusters": [{"name": "lab", "cluster": {"server": url}}],
        "users": [{"name": "admin", "user": {}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "admin", "namespace": SHOP}}],
    }
    return yaml.safe_dump(document)
