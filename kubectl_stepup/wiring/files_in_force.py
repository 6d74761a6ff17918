"""The files that decide what a session is worth: config, policy, and what clusters publish."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import kubectl_stepup
from kubectl_stepup import environment
from kubectl_stepup.config import files, places
from kubectl_stepup.sessions import rests_on

if TYPE_CHECKING:
    from collections.abc import Mapping


def files_in_force(environ: Mapping[str, str], *, config: str | None, policy: str | None) -> str:
    """Return what the files are known by now, whether they are there or not, as a record keeps it (rests_on.py).

    `config` and `policy` are what the flags of these names name.
    """
    platform = sys.platform
    named = (
        files.config_path(environ, config),
        places.system_config(environ, platform=platform),
        policy or environ.get(environment.POLICY) or places.user_policy(environ, platform=platform),
        places.system_policy(environ, platform=platform),
        os.path.join(os.path.dirname(kubectl_stepup.__file__), "policy", "default-policy.yaml"),
        places.published_policies(environ, platform=platform),
    )
    return rests_on.line_of([_absolute(path) for path in named if path is not None])


def _absolute(path: str) -> str:
    try:
        return os.path.abspath(path)
    except OSError:  # the working directory is gone, and with it a file that is named from there
        return path
