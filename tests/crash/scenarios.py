"""All that is killed at every point."""

from __future__ import annotations

import os
from pathlib import Path

from tests.crash.files import FILES
from tests.crash.injection import Points
from tests.crash.scenario import Scenario
from tests.crash.stores import STORES

SCENARIOS: dict[str, Scenario] = {**STORES, **FILES}


class WrittenInPlace(Scenario):
    """A file that is written over where it stands, which nothing of ours does: the killing must notice it."""

    def prepare(self, directory: Path) -> None:
        (directory / "file").write_bytes(b"old" * 10)

    def act(self, directory: Path, points: Points) -> None:
        descriptor = os.open(directory / "file", os.O_WRONLY | os.O_TRUNC)
        os.write(descriptor, b"new" * 10)
        os.close(descriptor)

    def check(self, directory: Path) -> None:
        assert (directory / "file").read_bytes() in (b"old" * 10, b"new" * 10)


IN_PLACE = "a file that is written in place"
ALL = {**SCENARIOS, IN_PLACE: WrittenInPlace()}
