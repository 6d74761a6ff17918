"""Every line of the corpus under a policy that asks for everything: no miss, and no prompt where nothing happens.

`tests/data/corpus/README.md` says what the classes mean and how a row is evaluated.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubectl_stepup.kubectl.command import read
from kubectl_stepup.policy.decision import Decision
from kubectl_stepup.policy.document import policy_from
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.model import Policy, Target
from kubectl_stepup.yaml_edit import yaml_file

CORPUS = Path(__file__).resolve().parents[2] / "data" / "corpus"
ROWS = [json.loads(line) for line in (CORPUS / "commands.jsonl").read_text().splitlines()]


def strict_policy() -> Policy:
    return policy_from(yaml_file.read(CORPUS / "strict-policy.yaml"))


def decision(argv: list[str]) -> Decision:
    return decide(strict_policy(), read(argv), Target())


def allowed_effects(row: dict[str, Any]) -> set[str]:
    classes = set(row["classes"])
    if not classes:
        return {"allow"} if row["rc"] == 0 else {"allow", "refuse"}
    if classes in ({"kubeconfig"}, {"redirect-credentials"}):
        return {"allow", "refuse"}
    if classes == {"dryrun-server"}:
        return {"allow", "stepup", "refuse"}
    return {"stepup", "refuse"}


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_the_decision_fits_what_kubectl_really_sent(row: dict[str, Any]) -> None:
    """POL-38."""
    assert decision(row["argv"]).effect in allowed_effects(row)


METHODS = {
    "GET": {"get", "list", "watch"},
    "POST": {"create"},
    "PUT": {"update"},
    "PATCH": {"patch"},
    "DELETE": {"delete", "deletecollection"},
}


def sent(observed: str) -> tuple[str, str, str]:
    """Return method, resource and namespace of a recorded request."""
    method, path = observed.split()[:2]
    parts = [part for part in path.partition("?")[0].split("/") if part]
    parts = parts[2:] if parts[0] == "api" else parts[3:]
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 2:
        namespace, parts = parts[1], parts[2:]
    return method, parts[0], namespace


COMPARED = [row for row in ROWS if read(row["argv"]).known and ".." not in str(row["observed"])]


@pytest.mark.parametrize("row", COMPARED, ids=[row["name"] for row in COMPARED])
def test_every_write_that_kubectl_sent_was_foreseen(row: dict[str, Any]) -> None:
    command = read(row["argv"])
    foreseen = {(entry.verb, entry.resource.name) for entry in command.requests}
    names = {name for _, name in foreseen}
    for line in row["observed"]:
        method, resource, namespace = sent(line)
        if method == "GET" or "*" in names or "example.com" in line:
            continue
        assert any(verb in METHODS[method] and name == resource for verb, name in foreseen), line
        assert namespace in {"", "default"} or namespace in {
            command.namespace,
            *(entry.namespace for entry in command.requests),
        }


def test_a_rule_can_tell_a_server_side_dry_run() -> None:
    document = (
        (CORPUS / "strict-policy.yaml").read_bytes().replace(b"needs: mfa", b"where: {dryRun: server}, needs: mfa")
    )
    policy = policy_from(yaml_file.parse(document, "policy.yaml"))
    dry = read(["delete", "pod", "x", "--dry-run=server"])
    assert decide(policy, dry, Target()).effect == "stepup"
    assert decide(policy, read(["delete", "pod", "x"]), Target()).effect == "allow"
