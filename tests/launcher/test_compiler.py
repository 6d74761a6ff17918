"""Which compiler makes the launcher, with which words, and what is said where none does."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_stepup import __version__
from launcher.compiler import (
    LINKINGS,
    ZIG_LINKINGS,
    NotCompiled,
    command_line,
    compile_launcher,
    compilers,
    version_of,
)
from tests.launcher.conftest import COMPILER, has_compiler

ROOT = Path(__file__).resolve().parents[2]
ZIG = (sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-linux-musl")


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("environ", "programs", "zig", "prefer_zig", "tried"),
    [
        ({}, ["cc", "gcc"], False, False, [("cc",)]),
        ({}, ["gcc"], True, False, [("gcc",), ZIG]),
        ({}, [], True, False, [ZIG]),
        ({}, [], False, False, []),
        ({"CC": "ccache gcc -m64"}, ["cc"], True, False, [("ccache", "gcc", "-m64")]),
        ({"CC": ""}, ["cc"], False, False, [("cc",)]),
        ({"CC": "gcc"}, ["cc"], True, True, [ZIG]),
        ({}, ["cc"], False, True, [("cc",)]),
    ],
)
def test_which_compilers_are_tried(
    environ: dict[str, str], programs: list[str], zig: bool, prefer_zig: bool, tried: list[tuple[str, ...]]
) -> None:
    found = list(compilers(environ, machine="x86_64", programs=programs, zig=zig, prefer_zig=prefer_zig))

    assert [words for words, _ in found] == tried
    assert all(linkings == (ZIG_LINKINGS if words == ZIG else LINKINGS) for words, linkings in found)


@pytest.mark.parametrize(("machine", "target"), [("aarch64", "aarch64-linux-musl"), ("riscv64", None)])
def test_zig_makes_it_for_the_machines_it_is_known_for(machine: str, target: str | None) -> None:
    found = [words[-1] for words, _ in compilers({}, machine=machine, programs=[], zig=True)]
    assert found == ([target] if target else [])


def test_the_words_of_the_compiler() -> None:
    words = command_line(["cc"], ["-static"], ["a.c", "b.c"], version="1.2.3", output="out")

    assert (words[0], words[-5:]) == ("cc", ['-DVERSION="1.2.3"', "a.c", "b.c", "-o", "out"])
    assert {"-std=c11", "-O2", "-D_GNU_SOURCE", "-static"} <= set(words)


def test_the_version_is_that_of_the_package() -> None:
    assert version_of(ROOT) == __version__


def test_a_package_without_a_version_has_no_launcher(tmp_path: Path) -> None:
    (tmp_path / "kubectl_stepup").mkdir()
    (tmp_path / "kubectl_stepup/__init__.py").write_text("name = 'x'\n")
    with pytest.raises(NotCompiled, match=r"^kubectl_stepup/__init__\.py has no __version__$"):
        version_of(tmp_path)


@has_compiler
def test_it_becomes_the_program_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    made = tmp_path / "bin/kubectl-stepup"
    compile_launcher(ROOT, made, machine=platform.machine())
    program(tmp_path / "bin/kubectl_stepup-python", 'echo "$0" "$@"; exit 7')
    (tmp_path / "link").symlink_to(made)

    done = subprocess.run([tmp_path / "link", "version", "a b"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (7, f"{tmp_path}/bin/kubectl_stepup-python version a b\n")
    assert len(list((tmp_path / "bin").iterdir())) == 2


@has_compiler
def test_where_nothing_links_statically_it_is_linked_with_shared_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses = f'echo "$@" >> {tmp_path}/tried\ncase "$*" in *-static*) echo "ld: error: no libc.a" >&2; exit 1;; esac'
    monkeypatch.setenv("CC", program(tmp_path / "cc", f'{refuses}\nexec {COMPILER} "$@"'))

    compile_launcher(ROOT, tmp_path / "made", machine=platform.machine())

    assert len((tmp_path / "tried").read_text().splitlines()) == len(LINKINGS)
    assert b"/ld-" in (tmp_path / "made").read_bytes()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 3", "{cc} failed (3)"),
        (
            "echo 'main.c:1: error: unknown' >&2; echo 'more errors' >&2; exit 1",
            "{cc} failed (1): main.c:1: error: unknown",
        ),
        ("echo something; exit 0", "{cc} made no program for this machine"),
        ('for last; do :; done; echo text > "$last"', "{cc} made no program for this machine"),
    ],
)
def test_a_compiler_that_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    compiler = program(tmp_path / "cc", script)
    monkeypatch.setenv("CC", compiler)
    before = tmp_path / "out/kubectl-stepup"
    before.parent.mkdir()
    before.write_text("as it was")

    with pytest.raises(NotCompiled) as caught:
        compile_launcher(ROOT, before, machine=platform.machine())

    assert str(caught.value) == reason.format(cc=compiler)
    assert before.read_text() == "as it was"
    assert list(before.parent.iterdir()) == [before]


def test_a_compiler_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "/does/not/exist")
    with pytest.raises(NotCompiled, match=r"^/does/not/exist: No such file or directory$"):
        compile_launcher(ROOT, tmp_path / "made", machine=platform.machine())


def test_a_machine_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotCompiled, match=r"^no C compiler is on PATH \(cc, gcc, clang\)$"):
        compile_launcher(ROOT, tmp_path / "made", machine="riscv64")
