"""Find out whether kubectl's own settings file may lead commands to another cluster or namespace (the filesystem).

A kuberc gives flags their defaults, `--context` and `--server` too: the command then goes elsewhere than the kubeconfig
says. Only such names are looked for. One too many costs a needless prompt or denial, and nothing worse.

Spec: https://kubernetes.io/docs/reference/kubectl/kuberc/ (kubectl 1.33 and later).
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.errors import ConfigError
from kubectl_stepup.yaml_edit import foreign_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_BYTES = 1 << 20

_CLUSTER = frozenset({"context", "cluster", "server", "kubeconfig"})
_NAMESPACE = frozenset({"namespace", "all-namespaces"})
_NAME = frozenset({"name", None})
"""None is an alias, which may be anything."""


def leading_elsewhere(environ: Mapping[str, str]) -> str | None:
    """Return the kuberc in force, where it may say to which cluster commands go; None where it does not, or is off."""
    file = _in_force(environ)
    return file if file and _CLUSTER & _defaults(file) else None


def namespace_defaults(environ: Mapping[str, str]) -> frozenset[str]:
    """Return which of `namespace` and `all-namespaces` may have a default by the kuberc in force."""
    file = _in_force(environ)
    return _NAMESPACE & _defaults(file) if file else frozenset()


def _in_force(environ: Mapping[str, str]) -> str | None:
    named = environ.get(environment.KUBERC, "")
    if named == "off" or environ.get(environment.KUBECTL_KUBERC, "").lower() == "false":
        return None
    home = environ.get(environment.HOME, "")
    return named or (os.path.join(home, ".kube", "kuberc") if home else None)


def _defaults(file: str) -> frozenset[str]:
    """Return the flags that say where a command goes and may have a default: all of them where that cannot be read."""
    anything = _CLUSTER | _NAMESPACE
    try:
        # NOTE: O_NONBLOCK, or a FIFO that nobody writes would hold us for ever.
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with open(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return anything
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError):  # kubectl may read it all the same
        return anything
    if len(data) > MAX_BYTES:
        return anything
    try:
        found = _named(foreign_yaml.words_of(data, file))
    except ConfigError:  # kubectl may read it all the same
        return anything
    return anything if None in found else frozenset(word for word in found if word is not None)


def _named(words: Iterable[str | None]) -> set[str | None]:
    """Return the words that stand behind `name`, however either is written."""
    found: set[str | None] = set()
    before: str | None = ""
    for word in words:
        if before in _NAME:
            found.add(word)
        before = word
    return found
