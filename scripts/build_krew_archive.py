"""Build this platform's Krew archive: launcher, PyInstaller onedir, licence inside, manifest beside it.

Run by `make package` in a virtual environment that holds the installed program, PyInstaller and zig, whose launcher
needs nothing of the machine it runs on. Leaves in dist/:
`kubectl-stepup_vVERSION_OS_ARCH.tar.gz`, its `.sha256`, and the manifest filled in, as `stepup.yaml`.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from launcher.compiler import compile_launcher
from scripts import krew_archive, krew_manifest

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
WORK = ROOT / "build" / "pyinstaller"
NAME = "kubectl-stepup"
ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def main() -> int:
    """Build, check and describe the archive."""
    system, arch = platform_pair()
    version = installed_version()
    tree = build()
    compile_launcher(ROOT, tree / NAME, machine=platform.machine(), prefer_zig=True)
    (tree / "LICENSE").write_bytes((ROOT / "LICENSE").read_bytes())
    krew_archive.without_links(tree)
    for member in tree.rglob("*.zip"):
        krew_archive.without_times(member)
    DIST.mkdir(exist_ok=True)
    archive = DIST / f"{NAME}_v{version}_{system}_{arch}.tar.gz"
    sha256 = krew_archive.write(tree, archive, time=int(os.environ.get("SOURCE_DATE_EPOCH", krew_archive.TIME)))
    archive.with_name(archive.name + ".sha256").write_text(f"{sha256}  {archive.name}\n", encoding="utf-8")
    text = krew_manifest.filled_in(
        (ROOT / "krew-manifest.yaml").read_text(encoding="utf-8"),
        version=version,
        sha256=sha256,
        system=system,
        arch=arch,
    )
    manifest = yaml.safe_load(text)
    wrong = krew_manifest.problems(manifest, file_stem="stepup")
    if wrong:
        raise SystemExit("error: the manifest is not valid:\n" + "\n".join(wrong))
    (DIST / "stepup.yaml").write_text(text, encoding="utf-8")
    smoke(archive, manifest["spec"]["platforms"][0]["bin"], version)
    print(f"{archive.relative_to(ROOT)}  {archive.stat().st_size / 1e6:.1f} MB")
    print(f"sha256 {sha256}")
    print(f"try it: kubectl krew install --manifest=dist/stepup.yaml --archive=dist/{archive.name}")
    return 0


def platform_pair() -> tuple[str, str]:
    """Return this machine's (os, arch) in Krew's words."""
    machine = platform.machine().lower()
    if not sys.platform.startswith("linux") or machine not in ARCHITECTURES:
        raise SystemExit(f"error: no Krew archive is built on {sys.platform}/{machine} yet")
    return "linux", ARCHITECTURES[machine]


def installed_version() -> str:
    """Read the version from the installed program, which must not be the checkout."""
    text = "import kubectl_stepup; print(kubectl_stepup.__version__); print(kubectl_stepup.__file__)"
    found = subprocess.run([sys.executable, "-I", "-c", text], check=True, capture_output=True, text=True)
    version, file = found.stdout.splitlines()
    if Path(file).is_relative_to(ROOT / "kubectl_stepup"):
        raise SystemExit("error: the program is installed as editable; run `make package`")
    return version


def build() -> Path:
    """Freeze the installed program and return the new directory."""
    shutil.rmtree(WORK, ignore_errors=True)
    subprocess.run(
        [sys.executable, "-I", "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN",
         "--distpath", str(WORK / "dist"), "--workpath", str(WORK / "work"),
         str(ROOT / "packaging" / "kubectl-stepup.spec")],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        cwd=ROOT / "packaging",
    )  # fmt: skip
    return WORK / "dist" / NAME


def smoke(archive: Path, program: str, version: str) -> None:
    """Unpack the archive elsewhere and run it through a link, as Krew installs it."""
    with tempfile.TemporaryDirectory() as place:
        shutil.unpack_archive(archive, place, filter="data")
        link = Path(place, "bin", NAME)
        link.parent.mkdir()
        link.symlink_to(Path(place, program))
        environment = {"HOME": place, "PATH": os.defpath}
        for arguments in (["version"], ["--help"], ["policy", "check", "-o", "json", "--", "get", "pods"]):
            done = subprocess.run(
                [link, *arguments], capture_output=True, text=True, env=environment, cwd=place, check=False
            )
            if done.returncode != 0:
                raise SystemExit(f"error: `{NAME} {' '.join(arguments)}` from the archive failed:\n{done.stderr}")
            if arguments == ["version"] and version not in done.stdout:
                raise SystemExit(f"error: the archive says {done.stdout.strip()!r}, not {version}")


if __name__ == "__main__":
    sys.exit(main())
