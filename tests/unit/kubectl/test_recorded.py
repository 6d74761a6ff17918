"""What real kubectls sent to a real API server: all of it was foreseen, and nobody is asked where nothing happens.

`make corpus` records tests/data/recorded anew (tests/system/recorder).
"""

from __future__ import annotations

import json
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kubectl_stepup.kubectl.command import KubectlCommand, read
from kubectl_stepup.kubectl.manifest import expand
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.matching import resolved
from kubectl_stepup.policy.model import Target
from tests.support.sent import foresees, matters
from tests.unit.kubectl.test_corpus import CORPUS, strict_policy
from tests.unit.kubectl.test_manifest import find_kubectl

RECORDED = Path(__file__).resolve().parents[2] / "data" / "recorded" / "commands.jsonl"
ROWS = [json.loads(line) for line in RECORDED.read_text().splitlines()]
STRICT = strict_policy()
HERE = Target(cluster="lab", labels={}, namespace="shop")
ASKED_ALL_THE_SAME = (
    "get --raw ",  # any path may lead anywhere: always sensitive
    "describe sa",  # another kubectl reads secrets for it
    "edit ",  # nobody knows what the editor will do
    "cluster-info dump",  # it shows whole namespaces
    "config view --raw",  # it shows the kubeconfig's own secrets
)
"""Commands that ask although nothing came this time."""

WAS_SO_ALREADY = {
    "apply --filename man/pod.yaml",
    "apply -f man/crb.json",
    "apply -k kust_in",
    "auth reconcile -f man/crb.json",
    "cordon worker-1",
}
"""Commands that change something, and found nothing to change when they were recorded."""

MATTERED = {row["command"] for row in ROWS if any(map(matters, row["requests"]))}
"""Commands that did something with one kubectl at least."""

every_row = pytest.mark.parametrize("row", ROWS, ids=[f"{row['command']} ({' '.join(row['kubectl'])})" for row in ROWS])


@cache
def understood(command: str) -> KubectlCommand:
    """Read a command as `exec` does, its manifests by a real kubectl."""
    read_so_far = read(shlex.split(command))
    return expand(read_so_far, kubectl=find_kubectl())[0] if read_so_far.manifests else read_so_far


@pytest.fixture(autouse=True)
def beside_the_manifests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CORPUS)


@every_row
def test_what_came_was_foreseen(row: dict[str, Any]) -> None:
    command = understood(row["command"])
    if not command.known:
        # Refused, whatever it does.
        assert decide(STRICT, command, HERE).effect == "refuse"
        return
    ours = resolved(command, HERE)
    missed = [came for came in row["requests"] if matters(came) and not any(foresees(entry, came) for entry in ours)]
    assert missed == []


@every_row
def test_what_came_was_asked_for(row: dict[str, Any]) -> None:
    decision = decide(STRICT, understood(row["command"]), HERE)
    came = [request for request in row["requests"] if matters(request)]

    assert not came or decision.effect in {"stepup", "refuse"}


@every_row
def test_nobody_is_asked_where_nothing_happens(row: dict[str, Any]) -> None:
    decision = decide(STRICT, understood(row["command"]), HERE)
    if row["command"] in MATTERED | WAS_SO_ALREADY or row["rc"] != 0:
        return
    assert decision.effect == "allow" or row["command"].startswith(ASKED_ALL_THE_SAME)


def test_there_are_enough_of_them() -> None:
    assert len({row["command"] for row in ROWS}) >= 400
    assert {version for row in ROWS for version in row["kubectl"]} == {"1.32", "1.36", "1.37"}
