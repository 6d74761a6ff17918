"""Every command of the corpus with plain kubectl on a guarded server: what it refuses, and that the client agrees.

RBAC allows the person everything, so whatever is refused is refused by what the policy was compiled to.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest

from kubectl_stepup.enforce.plan import TargetCluster, points
from kubectl_stepup.enforce.targets.requests_cel import EXEMPT_KINDS
from kubectl_stepup.kubectl.command import read
from kubectl_stepup.kubectl.manifest import expand
from kubectl_stepup.kubectl.request import ResourceAttributes
from kubectl_stepup.kubectl.resources import ANY
from kubectl_stepup.policy.actions import actions_of
from kubectl_stepup.policy.decision import Decision
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.expansion import ADMISSION
from kubectl_stepup.policy.model import Target
from tests.support.sent import STREAMS, WRITES
from tests.system.guarded.cluster import CLUSTER, EVERYDAY, Guarded, wait_for_guards
from tests.system.guarded.corpus import CORPUS, Bench, Outcome, opened_bench
from tests.system.guarded.corpus_objects import restore
from tests.system.guarded.policies import STRICT
from tests.system.guarded.roles import allow_everything
from tests.system.parts import kubectls
from tests.unit.kubectl.test_corpus import strict_policy

pytestmark = pytest.mark.system

ROWS = [json.loads(line) for line in (CORPUS / "commands.jsonl").read_text().splitlines()]
every_row = pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
POLICY = strict_policy()
HERE = Target(cluster=CLUSTER, labels={"env": "prod"}, namespace="default")
BEYOND_ADMISSION = {
    "del-as": "impersonating is up to RBAC; then another person asks",
}
"""Rows that change something and that no admission policy can refuse."""

NOTHING_CAME = {
    "apply-prune+noval": "kubectl finds no object with that label",
    "newline-in-name": "no pod can have such a name",
    "proxy-url-flag": "it waits for requests",
    "server-flag-glued": "the request goes elsewhere",
}
"""Rows for which the client asks (or which it refuses), and of which no write reached the server."""


@pytest.fixture(scope="module")
def bench(guarded_by: Callable[[str], Guarded], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    guarded = guarded_by(STRICT)
    allow_everything(guarded.api.admin, "dev")
    wait_for_guards(guarded, "DELETE", "/api/v1/namespaces/shop/pods/web-0?dryRun=All")
    with opened_bench(guarded, tmp_path_factory.mktemp("bench")) as opened:
        yield opened


def run(bench: Bench, row: dict[str, Any], token: str) -> Outcome:
    outcome = bench.run(row["argv"], token, variables(row))
    if outcome.changed:
        restore(bench.guarded.api.admin, outcome.changed)
    return outcome


def variables(row: dict[str, Any]) -> dict[str, str]:
    return dict(part.split("=", 1) for part in row["env"].split(",")) if row["env"] else {}


def decision(bench: Bench, row: dict[str, Any]) -> Decision:
    """Decide as `exec` does, in the same folder."""
    stdin = variables(row).get("STDIN")
    given = BytesIO((CORPUS / stdin).read_bytes() if stdin else b"")
    with contextlib.chdir(bench.directory):
        command, _ = expand(read(row["argv"]), kubectl=str(kubectls.kubectl(kubectls.NEWEST)), stdin=given)
    return decide(POLICY, command, HERE)


def is_refused_by_server(entry: ResourceAttributes) -> bool:
    """Whether the compiled policy says that admission control refuses a request that the client foresees."""
    cluster = TargetCluster(name=CLUSTER, labels={"env": "prod"})
    by_admission = {point.what for point in points(POLICY, cluster) if point.by == ADMISSION}
    if entry.resource.name in EXEMPT_KINDS or (entry.verb not in WRITES and entry.subresource not in STREAMS):
        return False
    return entry.resource.name != ANY and bool(actions_of(entry) & by_admission)


@every_row
def test_an_everyday_login_is_refused_what_the_client_would_ask_for(bench: Bench, row: dict[str, Any]) -> None:
    """SRV-01, SRV-06."""
    outcome = run(bench, row, bench.guarded.token(aud=EVERYDAY, acr="silver"))
    client = decision(bench, row)
    # There is no such object, or it was no such object: the server says so before it asks anybody.
    reached = [one for one in outcome.seen if one.gated and one.code not in {400, 404}]

    # Whatever came that a policy can be asked about was refused, and nothing else was.
    assert [one for one in reached if not one.by_our_objects] == []
    assert [one for one in outcome.denials if not one.gated] == []
    if client.effect == "allow":
        assert not outcome.denials
    expected = client.effect == "stepup" and any(map(is_refused_by_server, client.requests))
    expected |= sent_a_write(row)
    assert bool(outcome.denials) == (expected and row["name"] not in {*BEYOND_ADMISSION, *NOTHING_CAME}), outcome


def sent_a_write(row: dict[str, Any]) -> bool:
    """Whether an older kubectl sent a write or a connection when the corpus was recorded."""
    return any(
        (not line.startswith("GET") and "/selfsubject" not in line) or line.endswith(" UPG") or "/proxy/" in line
        for line in row["observed"]
    )


@every_row
def test_an_elevation_passes(bench: Bench, row: dict[str, Any]) -> None:
    outcome = run(bench, row, bench.guarded.token())

    assert outcome.denials == ()
    assert "kubectl-stepup-" not in outcome.said
    if is_refused(row):
        assert any(one.gated for one in outcome.seen), outcome


def is_refused(row: dict[str, Any]) -> bool:
    """Whether an everyday login must be refused a row, by what was recorded of an older kubectl."""
    return sent_a_write(row) and row["name"] not in {*BEYOND_ADMISSION, *NOTHING_CAME}


def test_enough_of_them_are_refused() -> None:
    assert len(ROWS) == 118
    assert sum(map(is_refused, ROWS)) == 70
