"""Krew: the manifest is one that Krew's own validator takes, and the archive holds files and directories alone."""

from __future__ import annotations

import copy
import gzip
import hashlib
import os
import shutil
import struct
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_stepup import __version__
from scripts import krew_archive, krew_manifest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "krew-manifest.yaml").read_text(encoding="utf-8")


def manifest() -> dict[str, Any]:
    """Return the repository's manifest, to be changed at will."""
    loaded = yaml.safe_load(TEXT)
    assert isinstance(loaded, dict)
    return copy.deepcopy(loaded)


def platform(**changes: Any) -> dict[str, Any]:
    """Return the manifest's one platform with changes."""
    return {**manifest()["spec"]["platforms"][0], **changes}


def test_the_manifest_is_valid() -> None:
    assert krew_manifest.problems(manifest(), file_stem="stepup") == []


def test_the_manifest_keeps_placeholders() -> None:
    spec = manifest()["spec"]
    assert (spec["version"], spec["platforms"][0]["sha256"]) == ("v0.0.0", "0" * 64)


def test_the_short_description_fits_where_kubectl_cuts() -> None:
    summary = manifest()["spec"]["shortDescription"]
    assert len(summary) <= 50
    assert not summary.endswith(".")


def test_the_caveats_are_short() -> None:
    assert len(manifest()["spec"]["caveats"].splitlines()) <= 6


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (("apiVersion",), "v1", f"apiVersion: 'v1' is not '{krew_manifest.API_VERSION}'"),
        (("kind",), "Plugins", "kind: 'Plugins' is not 'Plugin'"),
        (("metadata", "name"), "step up", "metadata.name: 'step up' is not a safe plugin name"),
        (("spec", "version"), "0.1.0", "spec.version: '0.1.0' is not a semantic version with a leading v"),
        (("spec", "version"), "v0.1", "spec.version: 'v0.1' is not a semantic version with a leading v"),
        (("spec", "version"), "v01.1.0", "spec.version: 'v01.1.0' is not a semantic version with a leading v"),
        (("spec", "shortDescription"), "", "spec.shortDescription: '' is not one line"),
        (("spec", "shortDescription"), "a\nb", "spec.shortDescription: 'a\\nb' is not one line"),
        (("spec", "platforms"), [], "spec.platforms: empty"),
    ],
)
def test_what_krew_refuses(path: tuple[str, ...], value: object, problem: str) -> None:
    changed = manifest()
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert problem in krew_manifest.problems(changed, file_stem="stepup")


def test_the_name_is_the_file_name() -> None:
    assert krew_manifest.problems(manifest(), file_stem="step-up") == [
        "metadata.name: 'stepup' is not the file's name 'step-up'"
    ]


LINUX = {"matchLabels": {"os": "linux", "arch": "amd64"}}
WINDOWS = {"matchLabels": {"os": "windows", "arch": "amd64"}}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"uri": ""}, "uri: missing"),
        ({"sha256": "AB" * 32}, f"sha256: {'AB' * 32!r} is not 64 lower-case hexadecimal digits"),
        ({"bin": "../kubectl-stepup"}, "bin: '../kubectl-stepup' is not a clean relative path"),
        ({"bin": "./kubectl-stepup"}, "bin: './kubectl-stepup' is not a clean relative path"),
        ({"bin": ""}, "bin: '' is not a clean relative path"),
        ({"files": []}, "files: empty; leave it out for all files"),
        ({"files": [{"from": "a", "to": "../b"}]}, "files[0]: needs `from`, and `to` as a clean relative path"),
        ({"selector": {}}, "selector: empty"),
        ({"selector": {"matchLabels": {"libc": "musl"}}}, "selector: knows only os and arch, not libc"),
        (
            {"selector": {"matchLabels": {"os": "plan9"}}},
            "selector: matches no platform that Krew supports",
        ),
        ({"selector": WINDOWS}, "bin: 'kubectl-stepup' must end in .exe on Windows"),
    ],
)
def test_what_krew_refuses_in_a_platform(changes: dict[str, Any], problem: str) -> None:
    assert krew_manifest.platform_problems([platform(**changes)]) == [f"spec.platforms[0].{problem}"]


def test_two_platforms_may_not_match_one_machine() -> None:
    both = {"matchExpressions": [{"key": "os", "operator": "In", "values": ["linux", "darwin"]}]}
    found = krew_manifest.platform_problems([platform(selector=LINUX), platform(selector=both)])
    assert found == ["spec.platforms[1]: matches linux/amd64, and so does platforms[0]"]


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ({"key": "os", "operator": "In", "values": ["linux"]}, True),
        ({"key": "os", "operator": "NotIn", "values": ["linux"]}, False),
        ({"key": "libc", "operator": "NotIn", "values": ["musl"]}, True),
        ({"key": "os", "operator": "Exists"}, True),
        ({"key": "libc", "operator": "DoesNotExist"}, True),
        ({"key": "os", "operator": "Like", "values": ["linux"]}, False),
    ],
)
def test_selector_expressions(expression: dict[str, Any], holds: bool) -> None:
    assert krew_manifest.expression_matches(expression, {"os": "linux", "arch": "amd64"}) is holds


def test_filling_in_a_version_and_a_digest() -> None:
    text = krew_manifest.filled_in(TEXT, version="1.2.3", sha256="ab" * 32, system="linux", arch="amd64")
    filled = yaml.safe_load(text)
    assert krew_manifest.problems(filled, file_stem="stepup") == []
    assert filled["spec"]["version"] == "v1.2.3"
    assert filled["spec"]["platforms"][0]["sha256"] == "ab" * 32
    assert filled["spec"]["platforms"][0]["uri"].endswith("/v1.2.3/kubectl-stepup_v1.2.3_linux_amd64.tar.gz")
    assert "#" not in text
    assert "0.0.0" not in text


def test_filling_in_refuses_a_manifest_without_the_platform() -> None:
    with pytest.raises(ValueError, match=r"must hold v0\.0\.0_linux_arm64\.tar\.gz once, it does 0 times"):
        krew_manifest.filled_in(TEXT, version="1.2.3", sha256="ab" * 32, system="linux", arch="arm64")


def a_tree(root: Path) -> Path:
    """Make a small tree such as PyInstaller leaves."""
    tree = root / "kubectl-stepup"
    (tree / "_internal" / "empty").mkdir(parents=True)
    program = tree / "kubectl-stepup"
    program.write_bytes(b"\x7fELF")
    program.chmod(0o700)
    (tree / "_internal" / "libz.so.1").write_bytes(b"lib")
    (tree / "LICENSE").write_text("Apache", encoding="utf-8")
    (tree / "LICENSE").chmod(0o600)
    return tree


def test_the_archive_holds_files_and_directories_alone(tmp_path: Path) -> None:
    digest = krew_archive.write(a_tree(tmp_path), tmp_path / "a.tar.gz")
    assert digest == hashlib.sha256((tmp_path / "a.tar.gz").read_bytes()).hexdigest()
    with tarfile.open(tmp_path / "a.tar.gz") as tar:
        entries = [(one.name, one.type, oct(one.mode), one.uid, one.uname, one.mtime) for one in tar]
    time = krew_archive.TIME
    assert entries == [
        ("LICENSE", tarfile.REGTYPE, "0o644", 0, "", time),
        ("_internal", tarfile.DIRTYPE, "0o755", 0, "", time),
        ("_internal/empty", tarfile.DIRTYPE, "0o755", 0, "", time),
        ("_internal/libz.so.1", tarfile.REGTYPE, "0o644", 0, "", time),
        ("kubectl-stepup", tarfile.REGTYPE, "0o755", 0, "", time),
    ]


def test_the_same_tree_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    later = a_tree(tmp_path / "two")
    os.utime(later / "LICENSE", (1, 1))
    first = krew_archive.write(a_tree(tmp_path / "one"), tmp_path / "one.tar.gz")
    assert krew_archive.write(later, tmp_path / "another-name.tar.gz") == first


def test_the_gzip_header_has_no_time_and_no_name(tmp_path: Path) -> None:
    krew_archive.write(a_tree(tmp_path), tmp_path / "a.tar.gz")
    header = (tmp_path / "a.tar.gz").read_bytes()[:10]
    assert (header[3], header[4:8]) == (0, b"\0\0\0\0")
    assert gzip.decompress((tmp_path / "a.tar.gz").read_bytes())


def test_a_zip_inside_is_the_same_on_every_run(tmp_path: Path) -> None:
    for name, time, order in (("one", (2026, 1, 1, 0, 0, 0), "ab"), ("two", (2026, 2, 2, 0, 0, 0), "ba")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member in order:
                archive.writestr(zipfile.ZipInfo(f"{member}.pyc", date_time=time), member)
        krew_archive.without_times(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    with zipfile.ZipFile(tmp_path / "one") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"a.pyc": b"a", "b.pyc": b"b"}


def test_a_link_is_refused(tmp_path: Path) -> None:
    tree = a_tree(tmp_path)
    (tree / "link").symlink_to("LICENSE")
    with pytest.raises(ValueError, match="link is neither a regular file nor a directory"):
        krew_archive.write(tree, tmp_path / "a.tar.gz")


def test_links_inside_become_files(tmp_path: Path) -> None:
    tree = a_tree(tmp_path)
    (tree / "libz.so").symlink_to("_internal/libz.so.1")
    krew_archive.without_links(tree)
    assert not (tree / "libz.so").is_symlink()
    assert (tree / "libz.so").read_bytes() == b"lib"


@pytest.mark.parametrize("target", ["/etc/hostname", "../outside", "nowhere", "_internal"])
def test_other_links_are_refused(tmp_path: Path, target: str) -> None:
    tree = a_tree(tmp_path)
    (tmp_path / "outside").write_text("x", encoding="utf-8")
    (tree / "link").symlink_to(target)
    with pytest.raises(ValueError, match="not a file inside the archive"):
        krew_archive.without_links(tree)


def needs_no_library(program: bytes) -> bool:
    """Whether a 64-bit ELF program names no loader of shared libraries (no program header PT_INTERP)."""
    assert program[:6] == b"\x7fELF\x02\x01"
    (offset,) = struct.unpack_from("<Q", program, 32)
    size, count = struct.unpack_from("<HH", program, 54)
    return all(struct.unpack_from("<I", program, offset + size * number) != (3,) for number in range(count))


@pytest.mark.system
@pytest.mark.timeout(600)
def test_the_built_archive_is_what_the_manifest_says(tmp_path: Path) -> None:
    archives = sorted((ROOT / "dist").glob(f"kubectl-stepup_v{__version__}_*.tar.gz"))
    if not archives:
        pytest.skip("no archive in dist/ (make package)")
    filled = yaml.safe_load((ROOT / "dist" / "stepup.yaml").read_text(encoding="utf-8"))
    assert krew_manifest.problems(filled, file_stem="stepup") == []
    assert filled["spec"]["platforms"][0]["sha256"] == hashlib.sha256(archives[0].read_bytes()).hexdigest()
    with tarfile.open(archives[0]) as tar:
        entries = tar.getmembers()
        assert {entry.type for entry in entries} <= {tarfile.REGTYPE, tarfile.DIRTYPE}
        assert "LICENSE" in {entry.name for entry in entries}
        programs = {entry.name: entry.mode for entry in entries if entry.isfile() and "/" not in entry.name}
    assert programs == {"LICENSE": 0o644, "kubectl-stepup": 0o755, "kubectl_stepup-python": 0o755}
    shutil.unpack_archive(archives[0], tmp_path, filter="data")
    program = tmp_path / filled["spec"]["platforms"][0]["bin"]
    assert needs_no_library(program.read_bytes())
    assert not needs_no_library((tmp_path / "kubectl_stepup-python").read_bytes())
    done = subprocess.run([program, "version"], capture_output=True, text=True, check=True)
    assert __version__ in done.stdout
    if shutil.which("kubectl") is None:
        pytest.skip("the archive answers; its demo needs a kubectl on PATH")
    played = subprocess.run(
        [program, "demo", "--yes"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False
    )
    assert played.returncode == 0, played.stdout + played.stderr
