"""Find out whether kubectl's own settings file may lead commands to another cluster (the filesystem).

A kuberc gives flags their defaults, `--context` and `--server` too: the command then goes elsewhere than the kubeconfig
says. It is looked at for that alone: a mention too many is a refusal too many, and nothing worse.

Spec: https://kubernetes.io/docs/reference/kubectl/kuberc/ (kubectl 1.33 and later).
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.documents import foreign_yaml
from kubectl_stepup.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BYTES = 1 << 20

_NAME = frozenset({"name", None})
_FLAGS = frozenset({"context", "cluster", "server", "kubeconfig", None})
"""None is an alias."""


def leading_elsewhere(environ: Mapping[str, str]) -> str | None:
    """Return the kuberc in force, where it may say to which cluster commands go; None where it does not, or is off."""
    named = environ.get(environment.KUBERC, "")
    if named == "off" or environ.get(environment.KUBECTL_KUBERC, "").lower() == "false":
        return None
    home = environ.get(environment.HOME, "")
    file = named or (os.path.join(home, ".kube", "kuberc") if home else "")
    return file if file and _may_lead(file) else None


def _may_lead(file: str) -> bool:
    try:
        # NOTE: O_NONBLOCK, or a FIFO that nobody writes would hold us for ever.
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with open(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return True
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return False
    except (OSError, ValueError):  # kubectl may read it all the same
        return True
    return len(data) > MAX_BYTES or _names_a_flag(data, file)


def _names_a_flag(data: bytes, file: str) -> bool:
    """Whether `name` stands before one of the flags, however either is written: an alias may be any of them."""
    before: str | None = ""
    try:
        for word in foreign_yaml.words_of(data, file):
            if before in _NAME and word in _FLAGS:
                return True
            before = word
    except ConfigError:  # kubectl may read it all the same
        return True
    return False
