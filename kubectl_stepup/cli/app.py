"""The App of this process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kubectl_stepup.stepup.app import App

if TYPE_CHECKING:
    from kubectl_stepup.stepup.options import Settings


def app_for(settings: Settings, *, from_credential: bool = False) -> App:
    """Return the App for the common options of a command, and the environment of this process."""
    return App(settings, dict(os.environ), from_credential=from_credential)
