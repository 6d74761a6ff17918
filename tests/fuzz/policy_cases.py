"""The files of `policy test`: any bytes are cases, or an error that names file and line."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kubectl_stepup.errors import PolicyError
from kubectl_stepup.kubectl.command import read
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.policy_tests import cases_from, verdict
from kubectl_stepup.yaml_edit import yaml_file
from tests.fuzz.policies import FULL
from tests.fuzz.policy import shape
from tests.fuzz.unusual_yaml import damaged
from tests.grammar.choices import pick

if TYPE_CHECKING:
    from tests.fuzz.watch import Watch
    from tests.grammar.choices import Bytes

TEXT = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: PolicyTest
target: {cluster: prod-eu, labels: {env: prod}, namespace: default}
cases:
  - {command: get pods, expect: allow}
  - {command: kubectl delete pod web-0 -n prod, expect: mfa, rules: [prod]}
  - command: ["delete", "ns", "prod"]
    expect: critical
  - {command: "delete 'pod' \\"x\\"", expect: refuse, cluster: lab, namespace: x, labels: {a: b}}
  - {command: stern x, expect: allow, rules: []}
"""
KEYS = ("apiVersion", "kind", "target", "cases", "command", "expect", "rules", "cluster", "labels", "namespace", "x")
COMMANDS = ("kubectl", "'", '"', "\\", "get pods '", "[]", "[kubectl]", "[1, 2]", "['', '']", '"\\0"', "__complete ''")


def one(choices: Bytes, watch: Watch) -> str:
    """Read one file of cases, and evaluate them."""
    text = TEXT.replace("get pods", pick(choices, ("get pods", *COMMANDS)), 1)
    try:
        cases = cases_from(yaml_file.parse(damaged(choices, text, KEYS), "cases.yaml", error=PolicyError), FULL)
    except PolicyError as exc:
        return shape(str(exc), "cases.yaml")
    found = []
    for case in cases:
        decision = watch.decision(partial(decide, FULL, read(case.words), case.target))
        found.append(verdict(case, decision).got)
        assert case.command
    return " ".join(found)
