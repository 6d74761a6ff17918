"""What is installed: two programs where the launcher was compiled, else one, which is always `kubectl-stepup`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubectl_stepup import __version__
from launcher.compiler import ELF
from tests.launcher.conftest import has_compiler

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "krew-manifest.yaml", "kubectl_stepup", "launcher")
MAIN = "kubectl_stepup.__main__:main"
SCRIPTS = f"kubectl_stepup-{__version__}.data/scripts/"
PLATFORM = "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")


@dataclass(frozen=True, kw_only=True)
class Built:
    """A wheel, and what building it said."""

    file: Path
    said: str

    @property
    def console_scripts(self) -> dict[str, str]:
        parser = ConfigParser()
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read_string(self._text("entry_points.txt"))
        return dict(parser["console_scripts"])

    @property
    def tags(self) -> list[str]:
        return [line for line in self._text("WHEEL").splitlines() if line.startswith(("Tag:", "Root-Is-Purelib:"))]

    @property
    def programs(self) -> list[str]:
        with zipfile.ZipFile(self.file) as wheel:
            return [name for name in wheel.namelist() if name.startswith(SCRIPTS)]

    @property
    def top(self) -> set[str]:
        with zipfile.ZipFile(self.file) as wheel:
            return {name.partition("/")[0] for name in wheel.namelist()}

    def _text(self, name: str) -> str:
        with zipfile.ZipFile(self.file) as wheel:
            return wheel.read(f"kubectl_stepup-{__version__}.dist-info/{name}").decode()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of what the package is built from."""
    copy = tmp_path / "tree"
    copy.mkdir()
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    return copy


def build(tree: Path, call: str, environ: dict[str, str]) -> Built:
    """Call the build backend as pip does: in the tree, in a process of its own."""
    out = tree.parent / "out"
    code = f"import sys, hatchling.build; print(hatchling.build.{call}(sys.argv[1]))"
    kept = {name: value for name, value in os.environ.items() if name not in {"CC", "KUBECTL_STEPUP_NO_LAUNCHER"}}
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(out)],
        cwd=tree, env=kept | environ, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return Built(file=out / done.stdout.split()[-1], said=done.stderr)


def installed(built: Built, place: Path) -> Path:
    """Install a wheel into a fresh environment that borrows our libraries, and give its scripts' directory."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True, timeout=60)
    pip = [sys.executable, "-m", "pip", "--python", str(place / "bin/python"), "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "install", "--quiet", "--no-index", "--no-deps", built.file], check=True, timeout=60, cwd=place
    )
    libraries = next(place.glob("lib/python*/site-packages")) / "borrowed.pth"
    libraries.write_text(f"{sysconfig.get_path('purelib')}\n")
    return place / "bin"


def says(*words: str | Path) -> str:
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout


@has_compiler
def test_with_a_launcher(tree: Path, tmp_path: Path) -> None:
    built = build(tree, "build_wheel", {})

    assert built.console_scripts == {"kubectl_stepup-python": MAIN}
    assert built.programs == [f"{SCRIPTS}kubectl-stepup"]
    assert built.tags == ["Root-Is-Purelib: false", f"Tag: {PLATFORM}"]
    assert built.file.name == f"kubectl_stepup-{__version__}-{PLATFORM}.whl"
    assert built.top == {part for part in built.top if part.startswith("kubectl_stepup")}
    assert built.said == ""
    scripts = installed(built, tmp_path / "place")
    assert (scripts / "kubectl-stepup").read_bytes().startswith(ELF)
    (tmp_path / "kubectl-stepup").symlink_to(scripts / "kubectl-stepup")
    assert says(tmp_path / "kubectl-stepup", "version").startswith(f"kubectl stepup {__version__} ")
    assert says(scripts / "python", "-m", "kubectl_stepup", "version").startswith(f"kubectl stepup {__version__} ")


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"KUBECTL_STEPUP_NO_LAUNCHER": "1"}, ""),
        ({"CC": "false"}, "kubectl-stepup: installed without its native launcher: false failed (1)\n"),
        (
            {"CC": "true"},
            "kubectl-stepup: installed without its native launcher: true made no program for this machine\n",
        ),
    ],
)
def test_without_one(tree: Path, tmp_path: Path, environ: dict[str, str], said: str) -> None:
    built = build(tree, "build_wheel", environ)

    assert built.console_scripts == {"kubectl-stepup": MAIN}
    assert built.programs == []
    assert built.tags == ["Root-Is-Purelib: true", "Tag: py3-none-any"]
    if sys.platform == "linux":
        assert built.said == said
    scripts = installed(built, tmp_path / "place")
    assert not (scripts / "kubectl_stepup-python").exists()
    assert says(scripts / "kubectl-stepup", "version").startswith(f"kubectl stepup {__version__} ")


@has_compiler
def test_a_launcher_of_an_earlier_build_is_not_taken_for_one_of_this(tree: Path) -> None:
    assert build(tree, "build_wheel", {}).programs
    assert build(tree, "build_wheel", {"CC": "false"}).programs == []


@has_compiler
def test_an_editable_installation_has_one_too(tree: Path) -> None:
    built = build(tree, "build_editable", {})

    assert built.console_scripts == {"kubectl_stepup-python": MAIN}
    assert built.programs == [f"{SCRIPTS}kubectl-stepup"]


def test_the_source_distribution_has_what_it_is_compiled_from(tree: Path, tmp_path: Path) -> None:
    built = build(tree, "build_sdist", {"KUBECTL_STEPUP_NO_LAUNCHER": "1"})

    with tarfile.open(built.file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "launcher").iterdir() if path.is_file()}
    assert sources <= names
    assert not {name for name in names if name.startswith("build/")}
