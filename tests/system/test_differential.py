"""The command reader against real kubectls: 300 generated commands, and the server that they are run against."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sent import matters
from tests.system.differential.families import asked_family, refused_family
from tests.system.differential.generator import generated
from tests.system.differential.request_info import request_info
from tests.system.differential.run import VERSIONS, run
from tests.system.differential.runner import Runner, runner, workplace
from tests.system.parts import kubectls
from tests.system.recorder.cluster import GENERATED

pytestmark = pytest.mark.system

COMMANDS, SEED = 300, 20_260
RECORDED = Path(__file__).parents[1] / "data" / "recorded" / "commands.jsonl"
ROWS = [json.loads(line) for line in RECORDED.read_text().splitlines()]
EARLIER = (
    *("apply", "auth reconcile", "autoscale", "certificate", "cordon", "create", "debug", "edit", "expose", "label"),
    *("patch -f", "rollout", "run", "set", "taint"),
)
"""Commands that depend on what earlier ones of the recording left behind."""

RUNNING = (
    *("cluster-info dump", "delete all", "delete events", "delete pods --all", "delete pods -l"),
    *("delete pods,services", "delete pvc", "describe pods", "drain", "logs -l", "wait"),
)
"""Commands that depend on what the controllers had made at that moment, or wait for one to do its work."""

SAMPLE = [
    row
    for row in ROWS
    if row["requests"]
    and row["rc"] in {0, 1}
    and kubectls.NEWEST in row["kubectl"]
    and not row["command"].startswith((*EARLIER, *RUNNING))
    and "--as" not in row["command"]  # the server lets everybody do everything
][::4]


@pytest.fixture(scope="module")
def newest() -> Iterator[Runner]:
    with workplace() as directory, runner(kubectls.kubectl(kubectls.NEWEST), directory) as opened:
        yield opened


def test_nothing_is_missed() -> None:
    done = run(COMMANDS, SEED)
    verdicts = [verdict for _, verdict in done.verdicts]

    assert len(verdicts) == COMMANDS
    assert {version for version, _ in done.verdicts} == set(VERSIONS)
    assert sum(verdict.mattered for verdict in verdicts) >= COMMANDS / 4
    assert [(version, shlex.join(missed.words), missed.missed) for version, missed in done.missed] == []
    assert [shlex.join(one.words) for one in verdicts if one.asked and not asked_family(one)] == []
    assert [shlex.join(one.words) for one in verdicts if one.refused and not refused_family(one)] == []


def test_a_seed_gives_the_same_commands() -> None:
    drawn = list(generated(50, 3))
    assert len(set(drawn)) == 50
    assert drawn == list(generated(50, 3))
    assert drawn != list(generated(50, 4))


@pytest.mark.parametrize("row", SAMPLE, ids=[row["command"] for row in SAMPLE])
def test_the_server_sees_what_a_real_one_saw(row: dict[str, object], newest: Runner) -> None:
    outcome = newest.run(shlex.split(str(row["command"])))
    came = {(*request[:5], GENERATED.sub(r"\1-*", request[5])) for request in outcome.requests}

    assert outcome.code == row["rc"], outcome.said
    assert sorted(came) == sorted(map(tuple, row["requests"]))  # type: ignore[call-overload]


@pytest.mark.parametrize("command", ["delete pod web-0", "exec web-0 -- ls", "get secret database"])
def test_the_server_forgets(command: str, newest: Runner) -> None:
    first = newest.run(shlex.split(command))
    assert any(map(matters, first.requests))
    assert newest.run(shlex.split(command)).requests == first.requests


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("GET /api/v1/pods", ("list", "", "pods", "", "", "")),
        ("GET /api/v1/pods?watch=1", ("watch", "", "pods", "", "", "")),
        ("GET /api/v1/pods?watch=false", ("list", "", "pods", "", "", "")),
        ("GET /api/v1/namespaces/a/pods?fieldSelector=metadata.name%3Dx", ("list", "", "pods", "", "a", "x")),
        ("GET /api/v1/namespaces/a/pods/x/log", ("get", "", "pods", "log", "a", "x")),
        ("GET /api/v1/namespaces/a", ("get", "", "namespaces", "", "a", "a")),
        ("PUT /api/v1/namespaces/a/finalize", ("update", "", "namespaces", "finalize", "a", "a")),
        ("POST /api/v1/namespaces/a/pods/x/proxy/b/c", ("create", "", "pods", "proxy", "a", "x")),
        ("GET /api/v1/watch/namespaces/a/pods/x", ("watch", "", "pods", "", "a", "x")),
        ("DELETE /apis/apps/v1/namespaces/a/deployments", ("deletecollection", "apps", "deployments", "", "a", "")),
        ("PATCH /apis/apps/v1/namespaces/a/deployments/x/scale", ("patch", "apps", "deployments", "scale", "a", "x")),
        ("DELETE /api/v1/namespaces/a/s%65crets/x", ("delete", "", "secrets", "", "a", "x")),
        ("GET /api/v1", None),
        ("GET /apis/apps/v1", None),
        ("GET /version", None),
    ],
)
def test_which_request_a_path_is(request_line: str, expected: tuple[str, ...] | None) -> None:
    method, _, url = request_line.partition(" ")
    info = request_info(method, url)
    found = info and (info.verb, info.group, info.resource, info.subresource, info.namespace, info.name)
    assert found == expected
