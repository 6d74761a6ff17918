"""What a server has to know of a provider: its CA, from a file that nobody else can change."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from kubectl_stepup.errors import ConfigError
from kubectl_stepup.stepup.compile import ca_of
from tests.flows import PROVIDER


def test_a_ca_file_that_others_can_change_is_not_compiled(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("-----BEGIN CERTIFICATE-----")
    path.chmod(0o644)
    assert ca_of(replace(PROVIDER, ca_file=str(path))) == "-----BEGIN CERTIFICATE-----"
    path.chmod(0o666)
    with pytest.raises(ConfigError, match=r"ca\.pem can be changed by other users"):
        ca_of(replace(PROVIDER, ca_file=str(path)))


def test_a_ca_file_that_is_a_pipe_does_not_hold_us(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(ConfigError, match="not a regular file"):
        ca_of(replace(PROVIDER, ca_file=str(tmp_path / "pipe")))
