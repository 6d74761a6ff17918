"""The program itself, killed at one of its points (0: at none): `python program.py AT WORDS...`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

from kubectl_stepup.__main__ import main  # noqa: E402 - found by the line above
from tests.crash.injection import Points  # noqa: E402

if __name__ == "__main__":
    Points(int(sys.argv.pop(1))).install()
    sys.exit(main())
