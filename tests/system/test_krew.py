"""Krew for real: its validator, its installation, the story through the installed plugin as a user who is not root."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.lab.lab import opened_desk, opened_lab
from tests.system.parts import kubectls, unprivileged
from tests.system.parts.krew import Krew, krew

pytestmark = pytest.mark.system


@pytest.fixture
def place() -> Iterator[Path]:
    with unprivileged.place() as path:
        yield path


@pytest.fixture
def installer(place: Path) -> Iterator[Krew]:
    with krew(place, kubectl=kubectls.kubectl(kubectls.NEWEST)) as opened:
        yield opened


def test_krews_own_validator_takes_the_manifest(installer: Krew) -> None:
    # Among its checks: it downloads the archive, compares the digest, installs it and looks for the licence.
    done = installer.validate()

    assert done.returncode == 0, done.stderr
    assert "structural validation OK" in done.stderr


def test_install_from_an_index_and_uninstall(installer: Krew) -> None:
    assert installer.kubectl("krew", "update").returncode == 0
    assert "stepup" in installer.kubectl("krew", "search", "stepup").stdout
    installed = installer.kubectl("krew", "install", "stepup")
    assert installed.returncode == 0, installed.stderr
    assert "kubectl stepup setup --help" in installed.stderr
    assert installer.kubectl("stepup", "version").stdout.startswith("kubectl stepup ")

    assert installer.kubectl("krew", "uninstall", "stepup").returncode == 0
    assert installer.kubectl("stepup", "version").returncode == 1
    assert not (installer.root / "store/stepup").exists()


def test_the_story_through_the_installed_plugin(place: Path, installer: Krew, tmp_path: Path) -> None:
    assert installer.kubectl("krew", "update").returncode == 0
    flags = (f"--manifest={installer.manifest}", f"--archive={installer.archive}")
    installed = installer.kubectl("krew", "install", *flags)
    assert installed.returncode == 0, installed.stderr

    with (
        opened_lab(tmp_path, "oidc-provider") as lab,
        opened_desk(place / "desk", lab, search=installer.search, become=unprivileged.words()) as desk,
    ):
        unprivileged.give(place / "desk")
        plugin = ("kubectl", "stepup")
        desk.enrol(*plugin)
        assert desk.run("kubectl", "delete", "pod", "web-0").code == 1
        first = desk.run(*plugin, "exec", "--", "delete", "pod", "web-0", decide="approve")
        assert (first.code, desk.has_pod("web-0")) == (0, False), first.screen
        second = desk.run(*plugin, "exec", "--", "delete", "pod", "web-1")
        assert (second.code, "Using mfa in prod" in second.screen) == (0, True), second.screen
        # The usual quota of the kernel's keyring is enough for a session.
        assert " kernel " in desk.run(*plugin, "status").screen
        assert "delete pod web-1" in desk.run(*plugin, "audit", "list").screen
        # A static entry names Krew's link, which an upgrade leads to the next version.
        assert desk.run(*plugin, "setup", "--yes", "--elevated-context", "up").code == 0
        assert f"command: {installer.root}/bin/kubectl-stepup" in desk.run("kubectl", "config", "view").screen
        assert desk.run("kubectl", "--context", "up", "get", "pods").code == 0
        assert desk.run(*plugin, "logout").code == 0
        assert desk.run(*plugin, "status", "--check").code == 4

    gone = installer.kubectl("krew", "uninstall", "stepup")
    assert gone.returncode == 0, gone.stderr
