"""Tests of whole commands share the keyring of the user: pytest-xdist keeps them in one process."""

from __future__ import annotations

import pytest


def test_these_tests_run_in_one_process(request: pytest.FixtureRequest) -> None:
    if not hasattr(request.config, "workerinput"):
        pytest.skip("everything runs in one process")
    assert request.node.nodeid.endswith("@sessions of the user")
