"""The user's policy file, as `policy init` makes it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.config import places
from kubectl_stepup.documents import edited_file
from kubectl_stepup.errors import ConfigError, PolicyError

if TYPE_CHECKING:
    from kubectl_stepup.wiring.application import Application


def write_new(application: Application, text: str) -> str:
    """Write the user's policy file where there is none yet; give its path.

    Raises:
        PolicyError: there is one, which is left as it is, or it cannot be written.
        ConfigError: the environment knows no place for it.
    """
    named = application.settings.policy or application.environ.get(environment.POLICY)
    path = named or places.user_policy(application.environ, platform=sys.platform)
    if path is None:
        raise ConfigError("there is no place for the policy: neither HOME nor XDG_CONFIG_HOME is set")
    place = path

    def first(before: bytes | None) -> bytes:
        if before is not None:
            raise PolicyError(f"{place}: exists already", hint="kubectl stepup policy init --dry-run")
        return text.encode()

    edited_file.change(place, first, clock=application.clock, error=PolicyError)
    return place
