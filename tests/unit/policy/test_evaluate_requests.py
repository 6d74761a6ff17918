"""Requests are evaluated whoever sends them: no command line is needed, only what the API server is sent or logs."""

from __future__ import annotations

import pytest

from kubectl_stepup.kubectl.command import read
from kubectl_stepup.kubectl.request import ResourceAttributes
from kubectl_stepup.kubectl.resources import Resource, resources_named
from kubectl_stepup.policy.evaluate import RequestFacts, decide, evaluate_requests
from kubectl_stepup.policy.model import Target
from tests.support.values import policy_of

RULES = """\
rules:
  - {name: deletes, do: [delete], except: {namespaces: ["sandbox-*"]}, needs: mfa}
  - {name: mass, do: [delete], where: {all: true}, needs: critical}
  - {name: many, do: [delete], where: {objects: 10}, needs: strong}
  - {name: widgets, verbs: [update], apiGroups: [example.com], resources: [widgets/status], needs: strong}
"""
POLICY = policy_of(rules=RULES)
PROD = Target(cluster="prod-eu", labels={"env": "prod"}, namespace="shop")
POD = resources_named("pods")[0]


def test_an_admission_review_is_evaluated() -> None:
    """`request` of an AdmissionReview: operation DELETE of pods in shop, one object."""
    review = ResourceAttributes(verb="delete", resource=POD, name="web-0", namespace="shop")
    decision = evaluate_requests(POLICY, [review], PROD, RequestFacts(object_count=1))
    assert (decision.effect, decision.level, decision.own_rules) == ("stepup", "mfa", ("deletes",))


def test_an_audit_event_is_evaluated() -> None:
    """`objectRef` of an audit event: a custom resource's subresource, which no command line names."""
    widget = Resource(group="example.com", name="widgets", kind="Widget", namespaced=True, built_in=False)
    event = ResourceAttributes(verb="update", resource=widget, subresource="status", name="w", namespace="shop")
    decision = evaluate_requests(POLICY, [event], PROD)
    assert (decision.level, decision.own_rules) == ("strong", ("widgets",))
    allowed = evaluate_requests(POLICY, [event.replace(subresource="")], PROD)
    assert (allowed.effect, allowed.why) == ("allow", "no rule is about this command")


def test_facts_count_where_a_rule_asks_for_them() -> None:
    request = ResourceAttributes(verb="deletecollection", resource=POD, namespace="sandbox-1")
    assert evaluate_requests(POLICY, [request], PROD, RequestFacts(all=True, object_count=1)).level == "critical"
    assert evaluate_requests(POLICY, [request], PROD, RequestFacts(object_count=10)).level == "strong"
    assert evaluate_requests(POLICY, [request], PROD, RequestFacts(object_count=9)).effect == "allow"
    # A number that nobody knows may be large.
    assert evaluate_requests(POLICY, [request], PROD).level == "strong"


@pytest.mark.parametrize("line", ["delete pod web-0", "delete pods --all", "get pods", "delete pod a b -n sandbox-1"])
def test_a_command_is_evaluated_by_its_requests(line: str) -> None:
    command = read(line.split())
    facts = RequestFacts(all="all" in command.traits, object_count=command.object_count)
    decided = decide(POLICY, command, PROD)
    requests = decided.requests
    assert evaluate_requests(POLICY, requests, PROD, facts) == decided
