"""Krew with a root and an index of its own, for a user who is not root, and our archive as on a release page."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.system.parts import unprivileged
from tests.system.parts.cache import MACHINE, Missing, program, run
from tests.system.parts.go_tools import KREW, build
from tests.system.parts.go_tools import VALIDATE_KREW_MANIFEST as VALIDATE

PART = "Krew archive"
DIST = Path(__file__).parents[3] / "dist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Krew:
    """Krew in a directory; `search` is what PATH begins with for who uses its plugins."""

    root: Path
    search: tuple[Path, ...]
    manifest: Path
    archive: Path

    @property
    def environ(self) -> dict[str, str]:
        """The environment of its user."""
        return {
            "PATH": os.pathsep.join([*(str(place) for place in self.search), MACHINE["PATH"]]),
            "HOME": str(self.root),
            "KREW_ROOT": str(self.root),
            "KREW_DEFAULT_INDEX_URI": f"file://{self.root}/published",
            "KREW_NO_UPGRADE_CHECK": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }

    def kubectl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run kubectl with Krew and its plugins on PATH."""
        return self._run("kubectl", *words)

    def validate(self) -> subprocess.CompletedProcess[str]:
        """Run Krew's own validator on the manifest, which installs each platform's archive."""
        return self._run("validate-krew-manifest", "-manifest", str(self.manifest))

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*unprivileged.words(), *words],
            env=self.environ,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@contextmanager
def krew(directory: Path, *, kubectl: Path) -> Iterator[Krew]:
    """Return Krew with an empty root; the manifest's address is that of a server on loopback that has the archive."""
    text = (DIST / "stepup.yaml").read_text() if (DIST / "stepup.yaml").exists() else ""
    uri = re.search(r"uri: (\S+)", text)
    archive = DIST / uri[1].rpartition("/")[2] if uri else DIST
    if uri is None or not archive.exists():
        raise Missing(PART, "make --always-make package")
    root, programs = directory / "krew", directory / "krew-programs"
    published = root / "published" / "plugins"
    for path in (published, programs):
        path.mkdir(parents=True)
    # Copies: the cache may lie where nobody else looks.
    for name, built in (("kubectl", kubectl), ("kubectl-krew", build(KREW)), (VALIDATE.name, build(VALIDATE))):
        shutil.copy(built, programs / name)
    with _served(DIST) as address:
        manifest = published / "stepup.yaml"
        manifest.write_text(text.replace(uri[1], f"{address}/{archive.name}"))
        _commit(published.parent)
        unprivileged.give(directory)
        yield Krew(
            root=root,
            search=(programs, root / "bin"),
            manifest=manifest,
            archive=archive,
        )


@contextmanager
def _served(directory: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(directory)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return


def _commit(repository: Path) -> None:
    git = program("git", "krew", "apt-get install git")
    quiet = ["-c", "user.name=lab", "-c", "user.email=lab@example.com", "-c", "init.defaultBranch=master"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Publish"]):
        run("krew", [git, *quiet, *words], cwd=repository, GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
