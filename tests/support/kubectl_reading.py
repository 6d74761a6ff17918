"""What kubectl reads out of kubeconfig files, and what we do."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubectl_stepup.errors import KubeconfigError
from kubectl_stepup.kubeconfig import load
from kubectl_stepup.yaml_edit.foreign_yaml import MAX_DEPTH
from tests.grammar.choices import Seeded, chance, pick
from tests.support.unusual_kubeconfigs import kubeconfig as unusual_kubeconfig

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.grammar.choices import Choices

BEYOND = (f"nested deeper than {MAX_DEPTH}",)
"""Ends of messages about what kubectl reads and we refuse to."""

_BYTES = {"certificate-authority-data", "client-certificate-data", "client-key-data"}
_RESOLVED_ELSEWHERE = ("certificate", ": no such file", ": not a regular file", ".cluster.server: is missing")
"""Parts of messages about a context whose files or server kubectl looks at only when it connects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Files of one seed, and how kubectl is told of them."""

    seed: int
    environ: Mapping[str, str]
    flag: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What came of a case: what is wrong (nothing: all is well), and whether kubectl could read it."""

    seed: int
    wrong: str | None
    is_read: bool


def compared(seeds: range, kubectl: Path, directory: Path) -> list[Reading]:
    """Hold our reading of every seed's files against kubectl's; it is started twice for each."""
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        return list(workers.map(lambda seed: _compared(_case(seed, directory / str(seed)), kubectl), seeds))


def _case(seed: int, directory: Path) -> Case:
    choices: Choices = Seeded(seed)
    directory.mkdir(parents=True)
    files = []
    for number in range(1 + choices.below(3) // 2 + choices.below(4) // 3):
        file = directory / f"config-{number}"
        file.write_bytes(unusual_kubeconfig(choices))
        files.append(str(file))
    home = {"HOME": str(directory / "home"), "PATH": "/nonexistent"}
    if chance(choices, 4):
        return Case(seed=seed, environ=home, flag=files[0])
    for unusual in ("", "/no/such/file", files[0], os.devnull, f"{directory}/./config-0"):
        if chance(choices, 6):
            files.insert(choices.below(len(files) + 1), unusual)
    if chance(choices, 40):
        files.append(str(pick(choices, (directory, "/etc/passwd/x"))))
    return Case(seed=seed, environ={**home, "KUBECONFIG": os.pathsep.join(files)}, flag=None)


def _compared(case: Case, kubectl: Path) -> Reading:
    theirs = _view(kubectl, case)
    try:
        ours = load.load(case.environ, case.flag)
    except KubeconfigError as exc:
        wrong = None if theirs is None or exc.message.endswith(BEYOND) else f"kubectl reads it: {exc.message}"
        return Reading(seed=case.seed, wrong=wrong, is_read=theirs is not None)
    if theirs is None:
        return Reading(seed=case.seed, wrong=None, is_read=False)
    seen, expected = _ours(ours), _theirs(theirs)
    if seen != expected:
        return Reading(seed=case.seed, wrong=f"we read {seen}, kubectl {expected}", is_read=True)
    contexts = sorted(ours.contexts) or ["nowhere"]
    wrong = _context_wrong(ours, contexts[case.seed % len(contexts)], kubectl, case)
    return Reading(seed=case.seed, wrong=wrong, is_read=True)


def _context_wrong(ours: load.Kubeconfig, name: str, kubectl: Path, case: Case) -> str | None:
    """Compare where a context leads."""
    theirs = _view(kubectl, case, "--minify", f"--context={name}")
    try:
        resolved = ours.resolve(name)
    except KubeconfigError as exc:
        if theirs is None or any(part in exc.message for part in _RESOLVED_ELSEWHERE):
            return None
        return f"kubectl finds context {name!r}: {exc.message}" if theirs.get("clusters") else None
    if theirs is None or not resolved.cluster:  # it is stricter here than where it connects, and shows less
        return None
    (cluster,), (context,) = theirs["clusters"], theirs["contexts"]
    seen = (resolved.cluster, resolved.user, resolved.server, resolved.namespace or "")
    expected = (
        *(cluster["name"], context["context"].get("user", ""), cluster["cluster"]["server"]),
        context["context"].get("namespace", ""),
    )
    return None if seen == expected else f"context {name!r} leads to {seen}, in kubectl to {expected}"


def _view(kubectl: Path, case: Case, *words: str) -> dict[str, Any] | None:
    """Return what `kubectl config view` prints; None where it refuses."""
    flag = [] if case.flag is None else [f"--kubeconfig={case.flag}"]
    done = subprocess.run(
        [kubectl, "config", "view", "--raw", "--output=json", *words, *flag],
        env=dict(case.environ),
        capture_output=True,
        timeout=60,
        check=False,
    )
    return json.loads(done.stdout) if done.returncode == 0 else None


def _theirs(found: Mapping[str, Any]) -> dict[str, Any]:
    lists = {
        kind: {entry["name"]: _plain(entry[kind[:-1]]) for entry in found.get(kind) or ()}
        for kind in ("contexts", "clusters", "users")
    }
    return {"current-context": found["current-context"], **lists}


def _ours(found: load.Kubeconfig) -> dict[str, Any]:
    lists = {
        kind: {name: _plain(entry.value) for name, entry in getattr(found, kind).items()}
        for kind in ("contexts", "clusters", "users")
    }
    return {"current-context": found.current_context or "", **lists}


def _plain(value: Any, key: str = "") -> Any:
    """Leave out what is empty, as Go prints some of that and not the rest."""
    if isinstance(value, dict):
        plain = {name: _plain(member, name) for name, member in value.items() if name != "extensions"}
        return {name: member for name, member in plain.items() if member not in (None, "", b"", False, [], {})}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    if key in _BYTES:
        return base64.b64decode(value)
    return value
