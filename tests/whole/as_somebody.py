"""The program for a user whose home, in the user database, is the first argument: `as_somebody.py HOME exec -- …`."""

from __future__ import annotations

import os
import pwd
import sys
from types import SimpleNamespace

from kubectl_stepup.__main__ import main


def somebody(uid: int) -> SimpleNamespace:
    """Stand in for the user database."""
    assert uid == os.getuid()
    if not home:
        raise KeyError(uid)
    return SimpleNamespace(pw_dir=home)


home = sys.argv.pop(1)
sys.argv[0] = os.path.join(os.path.dirname(sys.executable), "kubectl-stepup")
pwd.getpwuid = somebody  # type: ignore[assignment]
sys.exit(main())
