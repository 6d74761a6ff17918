"""Killed at every write, rename, link, lock and store call: the next process finds the old, the new or nothing.

CACHE-09: never a mixture, a crash, a lock that stays, a lost entry, or a secret that is left behind.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore
from tests.crash.scenarios import IN_PLACE, SCENARIOS

ROOT = Path(__file__).resolve().parents[2]
AT_LEAST = 200


def crash(*words: str) -> tuple[list[int], list[str], str]:
    """Run `tests.crash` in a process of its own; return the counts, the complaints and what stood behind them."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash", *words],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.split("\n")
    return [int(line) for line in lines if line.isdigit()], [line for line in lines if line[:1].isalpha()], done.stderr


@pytest.fixture
def kernel() -> None:
    try:
        KernelKeyringStore().probe()
    except StoreUnavailable as error:
        pytest.skip(f"no kernel keyring: {error.message}")


@pytest.fixture
def short_path() -> Iterator[Path]:
    """Return a directory below which a socket's path is short enough, wherever the tests keep theirs."""
    with tempfile.TemporaryDirectory(prefix="k-", dir="/tmp") as directory:
        yield Path(directory)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_next_process_finds_the_old_the_new_or_nothing(name: str, short_path: Path, kernel: None) -> None:
    """CACHE-09, KCFG-06."""
    (count,), complaints, why = crash(str(short_path), name)
    assert count >= 2
    assert complaints == [], why


def test_there_are_points_enough(tmp_path: Path, kernel: None) -> None:
    counts, complaints, _ = crash(str(tmp_path))
    assert (len(counts), complaints) == (len(SCENARIOS), [])
    assert sum(counts) >= AT_LEAST


def test_a_file_that_is_written_in_place_is_found_out(tmp_path: Path) -> None:
    """Truncated and not yet written, and half written: this is what the others would look like."""
    (count,), complaints, _ = crash(str(tmp_path), IN_PLACE)
    assert (count, complaints) == (3, ["killed at point 1", "killed at point 2"])
