"""What an elevated kubectl starts for the person, an editor or a differ, runs with the everyday login.

kubectl starts our own program in its place, which first restores the person's environment (kubectl_stepup.unelevated).

Spec: kubectl's `pkg/cmd/util/editor` (`KUBE_EDITOR`, then `EDITOR`) and `pkg/cmd/diff` (`KUBECTL_EXTERNAL_DIFF`).
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence

from kubectl_stepup import environment

EDITORS = (environment.KUBE_EDITOR, environment.EDITOR, environment.VISUAL)
DIFFER = "unelevated-differ"
"""The word that follows the two directories: kubectl drops every argument but plain words, and puts it last."""

_DEFAULT_EDITOR, _DEFAULT_SHELL = "vi", "/bin/bash"
_PLAIN = re.compile("[a-zA-Z0-9-=]+")


def with_everyday_programs(
    elevated: Mapping[str, str], caller: Mapping[str, str], *, editor: Sequence[str], differ: str | None
) -> dict[str, str]:
    """Return the elevated child's environment with our own programs as editor and differ.

    `caller` is the environment that we were started in. The variables in which the two differ go along in one of ours.
    """
    everyday = everyday_environment(caller)
    started = dict(elevated)
    for name in EDITORS:
        if name == environment.KUBE_EDITOR or everyday.get(name):
            started[name] = shlex.join((*editor, name))
    if differ is not None:  # also where kubectl would take the `diff` of PATH by itself
        started[environment.EXTERNAL_DIFF] = f"{differ} {DIFFER}"
    names = sorted({*everyday, *started} - {environment.EVERYDAY})
    changed = {name: everyday.get(name) for name in names if everyday.get(name) != started.get(name)}
    started[environment.EVERYDAY] = json.dumps(changed)
    return started


def everyday_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment as it was before the elevated run that we are inside of; the same where we are in none."""
    everyday = dict(environ)
    for name, value in _changed(everyday.pop(environment.EVERYDAY, "")).items():
        everyday.pop(name, None)
        if value is not None:
            everyday[name] = value
    return everyday


def _changed(text: str) -> dict[str, str | None]:
    try:
        changed = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(changed, dict):
        return {}
    return {name: value for name, value in changed.items() if value is None or isinstance(value, str)}


def editor_command(name: str, files: Sequence[str], everyday: Mapping[str, str]) -> list[str]:
    """Return the words that start the person's editor for a variable, read as kubectl reads it."""
    value = everyday.get(name) or everyday.get(environment.EDITOR) or _DEFAULT_EDITOR
    if " " not in value:
        return [value, *files]
    if not any(character in value for character in "\"'\\"):
        return [*value.split(" "), *files]
    return [everyday.get("SHELL") or _DEFAULT_SHELL, "-c", f"{value} {shlex.join(files)}"]


def differ_command(directories: Sequence[str], everyday: Mapping[str, str]) -> list[str]:
    """Return the words that start the person's differ, read as kubectl reads them."""
    named = everyday.get(environment.EXTERNAL_DIFF)
    if not named:
        return ["diff", "-u", "-N", *directories]
    program, *words = named.split(" ")
    return [program or "diff", *directories, *(word for word in words if _PLAIN.fullmatch(word))]
