"""What nobody foresaw: one line and an exit code, and no traceback, wherever it happens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FAULTS = {
    "a command": "cli.version.command.callback = lambda **options: 1 / 0",
    "a thread": (
        "def late():\n"
        "    import threading\n"
        "    one = threading.Thread(target=lambda: 1 / 0)\n"
        "    one.start()\n"
        "    one.join()\n"
        "cli.version.command.callback = lambda **options: late()"
    ),
    "the end": "import atexit; atexit.register(lambda: 1 / 0)",
    "a finaliser": (
        "class Late:\n    def __del__(self):\n        1 / 0\n"
        "cli.version.command.callback = lambda **options: Late() and None"
    ),
    "a warning": "import warnings\ncli.version.command.callback = lambda **options: warnings.warn('late')",
}
CODES = {"a command": 1}
FAULT = "error: internal error in kubectl stepup: ZeroDivisionError"
SAID = {"a command": FAULT, "a thread": FAULT}
PROGRAM = """
import sys
import kubectl_stepup.cli.version
from kubectl_stepup import __main__ as main, cli
%s
sys.argv = ["kubectl-stepup", "version"]
sys.exit(main.main())
"""


@pytest.mark.parametrize("where", FAULTS)
def test_no_traceback_reaches_the_screen(tmp_path: Path, where: str) -> None:
    program = PROGRAM % FAULTS[where]
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert ran.returncode == CODES.get(where, 0), ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stderr.startswith(SAID.get(where, ""))
    if where not in SAID:
        assert ran.stderr == ""
    assert "division by zero" not in ran.stderr
