"""Captured input handed to a child in memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_stepup.kubectl.captured_file import memory_file, needs_a_path

DOCUMENT = b'{"kind":"Config"}' * 1000

linux = pytest.mark.skipif(sys.platform != "linux", reason="memfd is Linux's")


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@linux
def test_a_child_and_its_child_read_the_memory_file() -> None:
    before = open_descriptors()
    with memory_file(DOCUMENT) as number:
        assert number is not None
        path = f"/proc/self/fd/{number}"
        words = ["sh", "-c", f"cat {path}; sh -c 'cat {path}'"]
        done = subprocess.run(words, pass_fds=[number], capture_output=True, check=True)
        assert done.stdout == DOCUMENT * 2
    assert open_descriptors() == before


@linux
def test_the_memory_file_cannot_be_written() -> None:
    with memory_file(DOCUMENT) as number:
        path = f"/proc/self/fd/{number}"
        for mode in ("wb", "ab", "r+b"):
            with pytest.raises(PermissionError), open(path, mode) as stream:  # noqa: PT012 - either may refuse
                stream.write(b"x")
                stream.flush()
        assert Path(path).read_bytes() == DOCUMENT


@linux
def test_the_memory_file_never_becomes_standard_input() -> None:
    script = (
        "import os; os.close(0)\n"
        "from kubectl_stepup.kubectl.captured_file import memory_file\n"
        "with memory_file(b'x') as number: print(number > 2)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout == "True\n"


@linux
def test_an_empty_file_is_one_too() -> None:
    with memory_file(b"") as number:
        assert Path(f"/proc/self/fd/{number}").read_bytes() == b""


def test_a_system_without_memory_files_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, flags: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "memfd_create", refuse, raising=False)
    with memory_file(DOCUMENT) as number:
        assert number is None


def test_a_script_in_place_of_kubectl_is_told_from_a_program(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n")
    assert needs_a_path(str(tmp_path / "script"))
    assert needs_a_path(str(tmp_path / "missing"))
    assert not needs_a_path(os.path.realpath(sys.executable))
