"""Ten processes that write one session at once: whoever reads it finds one whole value."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions import scope
from kubectl_stepup.sessions.stores.file import FileStore
from kubectl_stepup.sessions.stores.interface import SessionStore
from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore

WRITERS, TIMES, SIZE = 10, 30, 9_000
WRITES = """
import sys, time
from kubectl_stepup.sessions.stores.file import FileStore
from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore
kind, directory, key, mark, times, size = sys.argv[1:]
store = FileStore(directory) if kind == "file" else KernelKeyringStore()
for _ in range(int(times)):
    store.put(key, mark.encode() * int(size), time.time() + 600)
"""


@pytest.mark.parametrize("kind", ["file", "kernel"])
def test_one_whole_value(tmp_path: Path, kind: str) -> None:
    """CONC-08."""
    store: SessionStore = FileStore(tmp_path / "sessions") if kind == "file" else KernelKeyringStore()
    if isinstance(store, KernelKeyringStore):
        try:
            store.probe()
        except StoreUnavailable as error:
            pytest.skip(error.message)
    key = scope.key(os.urandom(16).hex(), "user")
    marks = [chr(ord("a") + number) for number in range(WRITERS)]
    arguments = [kind, str(tmp_path / "sessions"), key]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITES, *arguments, mark, str(TIMES), str(SIZE)], stderr=subprocess.PIPE
        )
        for mark in marks
    ]
    whole = {mark.encode() * SIZE for mark in marks}
    seen: set[bytes] = set()
    try:
        while any(writer.poll() is None for writer in writers):
            value = store.get(key)
            if value is not None:
                assert value in whole
                seen.add(value)
        assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [(b"", 0)] * WRITERS
        assert store.get(key) in whole
        assert len(seen) > 1, "they did not write at once"
    finally:
        store.delete(key)
