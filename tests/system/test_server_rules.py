"""Selectors, exceptions, globs and rules by name on a real server, and that the client says the same."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import pytest
import requests

from kubectl_stepup.kubectl.command import read
from kubectl_stepup.policy.document import policy_from
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.model import Target
from kubectl_stepup.yaml_edit import yaml_file
from tests.system.guarded.cluster import CLUSTER, Guarded, enforce, wait_for_guards
from tests.system.guarded.policies import DEFAULT, RULES
from tests.system.guarded.roles import allow_everything
from tests.system.guarded.rows import Row, rows, things
from tests.system.parts.kube_api import KubeAPI
from tests.system.recorder import fixture

pytestmark = pytest.mark.system

ROWS = list(rows())
every_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
COMMANDS = [row for row in ROWS if row.command]
POLICY = policy_from(yaml_file.parse(RULES.encode(), "policy.yaml"))


@pytest.fixture(scope="module")
def guarded(guarded_by: Callable[[str], Guarded]) -> Guarded:
    found = guarded_by(DEFAULT)
    admin = found.api.admin
    allow_everything(admin, "dev")
    fixture.restore(admin)
    for path, thing in things():
        admin.create(path, thing)
    enforce(found, RULES)
    wait_for_guards(found, "DELETE", "/api/v1/namespaces/shop/pods/web-0?dryRun=All", rule="team")
    return found


def send(api: KubeAPI, row: Row) -> requests.Response:
    mark = "&" if "?" in row.path else "?"
    path = row.path if row.method == "GET" else f"{row.path}{mark}dryRun=All"  # a connection cannot be tried
    return api.request(row.method, path, row.body, row.content_type)


@every_row
def test_the_rule_refuses_an_everyday_login_and_no_elevation(guarded: Guarded, row: Row) -> None:
    everyday = send(guarded.everyday(), row)
    elevated = send(guarded.elevated("critical"), row)

    assert "kubectl-stepup-" not in elevated.text
    if row.rule is None:
        assert "kubectl-stepup-" not in everyday.text
        assert everyday.status_code == elevated.status_code
    else:
        assert everyday.status_code == 403, everyday.text
        assert f"ValidatingAdmissionPolicy 'kubectl-stepup-{row.rule}'" in everyday.json()["message"]


@pytest.mark.parametrize("row", COMMANDS, ids=[row.command for row in COMMANDS])
def test_the_client_says_the_same_of_the_command(row: Row) -> None:
    decision = decide(POLICY, read(shlex.split(row.command)), Target(cluster=CLUSTER, labels={}, namespace="default"))

    assert decision.effect == ("allow" if row.rule is None else "stepup"), decision.why
    assert row.rule is None or row.rule in {found.name for found in decision.rules}


def test_there_are_enough_of_them() -> None:
    assert len({(row.name, str(row.body)) for row in ROWS}) == len(ROWS) >= 90
    assert {row.rule for row in ROWS if row.rule} == {rule.name for rule in POLICY.rules}
