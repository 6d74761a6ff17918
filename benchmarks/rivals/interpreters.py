"""The baselines: an interpreter and a compiled program that do nothing."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from benchmarks.place import PYTHON
from benchmarks.rounds import Subject

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.place import Place

BARE, OF_THE_VENV, HELLO = "bare python", "venv python", "compiled hello"


def subjects(place: Place) -> list[Subject]:
    """Return the bare interpreters and, where there is a compiler, a program of one line."""
    found = [
        Subject(name=BARE, label="python -I -S -c ''", argv=(PYTHON, "-I", "-S", "-c", ""), environ=place.environ),
        Subject(name=OF_THE_VENV, label="python -c '' of the venv", argv=(PYTHON, "-c", ""), environ=place.environ),
    ]
    hello = compiled_hello(place)
    if hello is not None:
        found.append(Subject(name=HELLO, label="compiled hello", argv=(str(hello),), environ=place.environ))
    return found


def compiled_hello(place: Place) -> Path | None:
    """Compile a program that says hello, once a place; None, and a line for the table, where nothing compiles."""
    program = place.directory("hello") / "hello"
    if program.exists():
        return program
    compilers = (
        ("cc", "hello.c", '#include <stdio.h>\nint main(void) { return puts("hello") < 0; }\n', ("-O2", "-o")),
        ("go", "hello.go", 'package main\n\nfunc main() { println("hello") }\n', ("build", "-o")),
    )
    for name, source, text, words in compilers:
        compiler = shutil.which(name)
        if compiler is None:
            continue
        file = program.with_name(source)
        file.write_text(text, encoding="utf-8")
        done = subprocess.run([compiler, *words, program, file], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return program
    place.left_out[HELLO] = "there is neither a C compiler (cc) nor Go"
    return None
