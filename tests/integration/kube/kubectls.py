"""The kubectls of this machine."""

from __future__ import annotations

import os

from kubectl_stepup.errors import KubectlNotFound
from kubectl_stepup.kubectl.process import find


def kubectls() -> list[str]:
    """Find the kubectl of PATH and that of the wheel; more may be named in STEPUP_TEST_KUBECTLS."""
    found = [path for path in os.environ.get("STEPUP_TEST_KUBECTLS", "").split(os.pathsep) if path]
    for environ in (dict(os.environ), {}):
        try:
            found.append(find(environ, also_wheel=True))
        except KubectlNotFound:
            continue
    return list(dict.fromkeys(os.path.realpath(path) for path in found))


KUBECTLS = kubectls()
