"""500 generated kubeconfigs, read by every kubectl and by us: whatever kubectl reads, we read the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.kubectl_reading import compared
from tests.system.parts import kubectls

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system

CASES = range(1000, 1500)


@pytest.mark.parametrize("name", [*kubectls.WHEELS, *kubectls.BUILT])
def test_what_kubectl_reads_is_read_the_same(name: str, tmp_path: Path) -> None:
    readings = compared(CASES, kubectls.kubectl(name), tmp_path)
    assert [(one.seed, one.wrong) for one in readings if one.wrong] == []
    assert len(readings) == 500
    assert sum(one.is_read for one in readings) >= 150
