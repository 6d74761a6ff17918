"""Recorded and generated commands with plain kubectl on a guarded server: what it takes each request for.

The policy has a rule for each action, so an everyday login is refused every write, nothing changes, and the audit log
names the actions that the server saw. The client must have foreseen all of them.
"""

from __future__ import annotations

import contextlib
import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import Any

import pytest

from kubectl_stepup.errors import UsageError
from kubectl_stepup.kubectl.command import read
from kubectl_stepup.kubectl.manifest import expand
from kubectl_stepup.policy.decision import Decision
from kubectl_stepup.policy.document import policy_from
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.model import Target
from kubectl_stepup.yaml_edit import yaml_file
from tests.system.differential.generator import generated
from tests.system.guarded.cluster import CLUSTER, EVERYDAY, Guarded, enforce, wait_for_guards
from tests.system.guarded.corpus import Bench, Outcome, Seen, opened_bench
from tests.system.guarded.policies import DEFAULT, EACH
from tests.system.guarded.roles import allow_everything
from tests.system.parts import kubectls
from tests.system.recorder import fixture
from tests.system.recorder.running import DATA

pytestmark = pytest.mark.system

ROWS = [json.loads(line) for line in (DATA / "recorded" / "commands.jsonl").read_text().splitlines()]
COMMANDS = [row for row in ROWS if kubectls.NEWEST in row["kubectl"]]
POLICY = policy_from(yaml_file.parse(EACH.encode(), "policy.yaml"))
HERE = Target(cluster=CLUSTER, labels={"env": "prod"}, namespace=fixture.SHOP)
PASSED_BY = ("--as", "admissionpolic")
"""In commands that no admission policy is asked about: acting as others, and its own policies."""

NOT_THERE = {400, 404}
"""No such object, or not such an object: the server says so before it asks anybody."""

GENERATED, SEED = 300, 7_077


@pytest.fixture(scope="module")
def bench(guarded_by: Callable[[str], Guarded], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    guarded = guarded_by(DEFAULT)
    allow_everything(guarded.api.admin, "dev")
    fixture.restore(guarded.api.admin)
    enforce(guarded, EACH)
    body = {"metadata": {"name": "probe"}}
    wait_for_guards(guarded, "POST", "/api/v1/namespaces/shop/configmaps?dryRun=All", body, rule="change")
    with opened_bench(guarded, tmp_path_factory.mktemp("recorded")) as opened:
        yield opened


def decision(bench: Bench, argv: Sequence[str]) -> Decision | None:
    """Decide as `exec` does; None where a file is not there."""
    with contextlib.chdir(bench.directory), contextlib.suppress(UsageError):
        kubectl = str(kubectls.kubectl(kubectls.NEWEST))
        return decide(POLICY, expand(read(argv), kubectl=kubectl, stdin=BytesIO())[0], HERE)
    return None


def run(bench: Bench, argv: Sequence[str]) -> Outcome:
    token = bench.guarded.token(aud=EVERYDAY, acr="silver")
    return bench.run(list(argv), token, namespace=fixture.SHOP)


def faults(bench: Bench, argv: Sequence[str], outcome: Outcome) -> list[str]:
    """Say where client and server disagree about a command, or the server lets something pass."""
    reached = [one for one in outcome.seen if one.gated and one.code not in {*NOT_THERE, 409, 422}]
    found = [f"passed: {one}" for one in reached if not one.by_our_objects]
    found += [f"refused without need: {one}" for one in outcome.denials if not one.gated]
    client = decision(bench, argv)
    if client is None or client.effect == "refuse":
        return found
    if client.effect == "allow" and outcome.denials:
        found.append(f"the client allows it: {client.why}")
    unforeseen = {action for one in outcome.denials for action in one.missed} - set(client.actions)
    return found + [f"the client does not see: {action}" for action in sorted(unforeseen)]


def recorded(row: dict[str, Any]) -> list[Seen]:
    """Return what an administrator's kubectl sent."""
    fields = ("verb", "group", "resource", "subresource")
    return [Seen(**dict(zip(fields, request, strict=False)), code=200, message="") for request in row["requests"]]


@pytest.mark.parametrize("row", COMMANDS, ids=[row["command"] for row in COMMANDS])
def test_every_write_is_refused_and_was_foreseen(bench: Bench, row: dict[str, Any]) -> None:
    """SRV-01, SRV-06."""
    argv = shlex.split(row["command"])
    outcome = run(bench, argv)

    assert faults(bench, argv, outcome) == []
    if any(one.gated for one in recorded(row)) and not any(word in row["command"] for word in PASSED_BY):
        assert outcome.denials or any(one.gated and one.code in NOT_THERE for one in outcome.seen), outcome


def test_generated_commands(bench: Bench) -> None:
    refused, wrong = 0, []
    for argv in generated(GENERATED, SEED):
        outcome = run(bench, argv)
        refused += bool(outcome.denials)
        wrong += [(shlex.join(argv), fault) for fault in faults(bench, argv, outcome)]

    assert wrong == []
    assert refused >= GENERATED / 5
