"""Generated kubeconfigs, read by kubectl and by us: whatever kubectl reads, we read the same."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.grammar.choices import Seeded
from tests.support.kubectl_reading import compared
from tests.support.unusual_kubeconfigs import kubeconfig

if TYPE_CHECKING:
    from pathlib import Path

CASES = range(60)
"""A few; the system tests have more, and more kubectls."""


def test_what_kubectl_reads_is_read_the_same(tmp_path: Path) -> None:
    readings = compared(CASES, _kubectl(), tmp_path)
    assert [(one.seed, one.wrong) for one in readings if one.wrong] == []
    assert sum(one.is_read for one in readings) >= len(CASES) // 3


def test_a_seed_gives_the_same_files() -> None:
    assert [kubeconfig(Seeded(seed)) for seed in CASES] == [kubeconfig(Seeded(seed)) for seed in CASES]


def _kubectl() -> Path:
    from pathlib import Path

    return Path(sys.executable).with_name("kubectl")
