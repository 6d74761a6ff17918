"""Tests of whole commands run one after another: `logout --all` in one would end the sessions of another.

The kernel's keyring is one for all processes of a user.
"""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
TOGETHER = {HERE, HERE.parent / "integration" / "demo"}
"""The demo's tests end sessions as well."""


def pytest_configure(config: pytest.Config) -> None:
    """Know the marker of pytest-xdist also where that is not there."""
    config.addinivalue_line("markers", "xdist_group(name): tests of one group run in one process")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests in one process: pytest-xdist reads the groups in the same hook, so ours comes first."""
    for item in items:
        if TOGETHER.intersection(item.path.parents):
            item.add_marker(pytest.mark.xdist_group("sessions of the user"))
