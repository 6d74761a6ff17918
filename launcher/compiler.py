"""Compile the launcher: which compiler, with which words, linked how.

The standard library alone: this runs wherever the package is built, before anything is installed.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SOURCES = Path(__file__).resolve().parent
VERSION_FILE = "kubectl_stepup/__init__.py"
PROGRAMS = ("cc", "gcc", "clang")
ZIG_TARGETS = {"x86_64": "x86_64-linux-musl", "aarch64": "aarch64-linux-musl"}
"""What zig compiles for, by `platform.machine()`: with the C library that it brings along, which links statically."""

FLAGS = (
    *("-std=c11", "-O2", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-s"),
    *("-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-fstack-protector-strong", "-Wl,-z,relro", "-Wl,-z,now"),
)
LINKINGS = (("-static-pie", "-fPIE"), ("-static",), ("-pie", "-fPIE"))
"""From the best: loading a shared C library takes longer than an answer, and not every machine has a static one."""

ZIG_LINKINGS = (("-static", "-fPIE"),)
ELF = b"\x7fELF"


class NotCompiled(Exception):
    """There is no launcher, and the text says why in one line."""


def compilers(
    environ: Mapping[str, str], *, machine: str, programs: Sequence[str], zig: bool, prefer_zig: bool = False
) -> Iterator[tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]]:
    """Return each compiler to try, best first, with its ways to link.

    `programs` are those of `PROGRAMS` that are on PATH, `zig` says whether the ziglang wheel is there. What `$CC` names
    is the only one then: who names a compiler wants no other.
    """
    by_zig = ((sys.executable, "-m", "ziglang", "cc", "-target", ZIG_TARGETS.get(machine, "")), ZIG_LINKINGS)
    has_zig = zig and machine in ZIG_TARGETS
    if prefer_zig and has_zig:
        yield by_zig
        return
    named = tuple(shlex.split(environ.get("CC", "")))
    if named:
        yield named, LINKINGS
        return
    for program in programs[:1]:
        yield (program,), LINKINGS
    if has_zig:
        yield by_zig


def command_line(
    compiler: Sequence[str], linking: Sequence[str], sources: Sequence[str], *, version: str, output: str
) -> list[str]:
    """Return the words that compile all sources into one program."""
    return [*compiler, *FLAGS, *linking, f'-DVERSION="{version}"', *sources, "-o", output]


def version_of(root: Path) -> str:
    """Read the version as the package's metadata has it, without importing the package."""
    text = (root / VERSION_FILE).read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__":
            return str(ast.literal_eval(node.value))
    raise NotCompiled(f"{VERSION_FILE} has no __version__")


def compile_launcher(root: Path, output: Path, *, machine: str, prefer_zig: bool = False) -> None:
    """Compile the launcher into `output`, which is replaced at once or left as it is.

    Raises:
        NotCompiled: no compiler, or none that makes a program of it.

    """
    output.parent.mkdir(parents=True, exist_ok=True)
    sources = [str(path) for path in sorted(SOURCES.glob("*.c"))]
    choice = compilers(
        os.environ,
        machine=machine,
        programs=[name for name in PROGRAMS if shutil.which(name)],
        zig=importlib.util.find_spec("ziglang") is not None,
        prefer_zig=prefer_zig,
    )
    why = f"no C compiler is on PATH ({', '.join(PROGRAMS)})"
    with tempfile.TemporaryDirectory(dir=output.parent) as place:
        made = Path(place, output.name)
        for compiler, linkings in choice:
            for linking in linkings:
                words = command_line(compiler, linking, sources, version=version_of(root), output=str(made))
                failure = _failure(words, made)
                if failure is None:
                    os.replace(made, output)
                    return
                why = failure
    raise NotCompiled(why)


def _failure(words: Sequence[str], made: Path) -> str | None:
    """Run a compiler and say why it made no program; None: it did."""
    environ = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", env=environ, check=False
        )
    except OSError as exc:
        return f"{words[0]}: {exc.strerror}"
    if done.returncode != 0:
        said = [line.strip() for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()[-1:]
        return f"{words[0]} failed ({done.returncode}){': ' if said else ''}{''.join(said[:1])}"
    if not made.is_file() or made.read_bytes()[: len(ELF)] != ELF:
        return f"{words[0]} made no program for this machine"
    return None
