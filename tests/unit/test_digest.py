"""The digest of the fast paths is hashlib's, with Python's C module or without it."""

from __future__ import annotations

import hashlib
import sys

import pytest

from kubectl_stepup import digest


@pytest.mark.parametrize("data", [b"", b"get\0pods", b"\xff" * 1000])
def test_it_is_sha256(data: bytes) -> None:
    assert digest.sha256_hex(data) == hashlib.sha256(data).hexdigest()


def test_a_python_without_the_c_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, digest._MODULE, None)
    assert digest.sha256_hex(b"x") == hashlib.sha256(b"x").hexdigest()
