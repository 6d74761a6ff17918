"""A team's tests of its policy: the file, the comparison, and how the outcome is told."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from kubectl_stepup.cli.policy import schema_of
from kubectl_stepup.errors import PolicyError
from kubectl_stepup.kubectl.command import read
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.model import Target
from kubectl_stepup.policy.policy_tests import KIND, TARGET, Case, Verdict, cases_from, verdict
from kubectl_stepup.ui import case_reports
from kubectl_stepup.yaml_edit import yaml_file
from tests.support.values import POLICY

HEAD = "apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: PolicyTest\n"


def cases(text: str) -> tuple[Case, ...]:
    return cases_from(yaml_file.parse((HEAD + text).encode(), "cases.yaml", error=PolicyError), POLICY)


def verdicts(text: str) -> list[Verdict]:
    return [verdict(case, decide(POLICY, read(case.words), case.target)) for case in cases(text)]


def test_a_case_has_words_an_expectation_and_a_target() -> None:
    first, second, third = cases(
        """\
target: {cluster: prod-eu, labels: {env: prod}, namespace: shop}
cases:
  - {command: "kubectl delete pod 'a b'", expect: mfa}
  - {command: [get, pods], expect: allow, namespace: other, rules: []}
  - {command: frobnicate, expect: refuse, cluster: dev, rules: [deletes, shells]}
"""
    )
    assert first.words == ("delete", "pod", "a b")
    assert (first.expect, first.rules, first.file, first.line) == ("mfa", None, "cases.yaml", 5)
    assert first.target == Target(cluster="prod-eu", labels={"env": "prod"}, namespace="shop")
    assert (second.words, second.rules) == (("get", "pods"), frozenset())
    assert second.target == first.target.replace(namespace="other")
    assert (third.target.cluster, third.rules) == ("dev", frozenset({"deletes", "shells"}))
    assert first.command == "kubectl delete pod 'a b'"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cases: []", "cases.yaml:3: cases: must not be empty: there is nothing to test"),
        ("case: []", "cases.yaml:3: unknown key 'case'"),
        ("cases: [{command: get pods}]", "cases.yaml:3: cases[0]: 'expect' is missing"),
        ("cases: [{expect: allow}]", "cases.yaml:3: cases[0]: 'command' is missing"),
        ("cases: [{command: kubectl, expect: allow}]", "cases.yaml:3: cases[0].command: must not be empty"),
        (
            'cases: [{command: "a \'b", expect: allow}]',
            "cases.yaml:3: cases[0].command: cannot be split into words: no cl",
        ),
        (
            "cases: [{command: get pods, expect: gold}]",
            "cases.yaml:3: cases[0].expect: 'gold' is not one of allow, refuse, mfa, strong, critical",
        ),
        (
            "cases: [{command: get pods, expect: allow, rules: [delets]}]",
            "cases.yaml:3: cases[0].rules[0]: 'delets' is not one of deletes, shells, power",
        ),
        ("target: {context: a}\ncases: []", "cases.yaml:3: target: unknown key 'context'"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        cases(text)
    assert caught.value.message.startswith(message)


def test_the_target_counts() -> None:
    here, elsewhere = verdicts(
        """\
cases:
  - {command: delete pod x, expect: mfa, cluster: prod-eu, rules: [deletes]}
  - {command: delete pod x, expect: allow, cluster: dev, rules: []}
"""
    )
    assert (here.problems, elsewhere.problems) == ((), ())


FAILING = """\
cases:
  - {command: get pods, expect: allow}
  - {command: get pods, expect: mfa}
  - {command: delete pod x, expect: mfa, rules: [shells]}
"""


def test_a_failure_says_what_came_out_and_why() -> None:
    passed, other, rules = verdicts(FAILING)

    assert passed.problems == ()
    assert other.problems == ("expected mfa, got allow: no rule is about this command",)
    assert rules.problems == ("expected the rules shells, matched deletes",)


def test_lines_name_what_failed_and_the_sum() -> None:
    assert case_reports.lines(verdicts(FAILING)) == [
        "FAIL   cases.yaml:5   kubectl get pods   expected mfa, got allow: no rule is about this command",
        "FAIL   cases.yaml:6   kubectl delete pod x   expected the rules shells, matched deletes",
        "1 passed, 2 failed",
    ]


def test_objects_have_every_case() -> None:
    first, second, _ = case_reports.objects(verdicts(FAILING))

    assert (first["got"], first["problems"]) == ("allow", [])
    assert second == {
        "command": "kubectl get pods",
        "file": "cases.yaml",
        "line": 5,
        "expected": "mfa",
        "got": "allow",
        "why": "no rule is about this command",
        "problems": ["expected mfa, got allow: no rule is about this command"],
    }


def test_junit_is_what_a_build_server_reads() -> None:
    suite = ElementTree.fromstring(case_reports.junit(verdicts(FAILING), name="cases.yaml"))

    assert suite.tag == "testsuite"
    assert {name: suite.get(name) for name in ("name", "tests", "failures", "errors")} == {
        "name": "cases.yaml",
        "tests": "3",
        "failures": "2",
        "errors": "0",
    }
    assert [case.get("name") for case in suite] == ["kubectl get pods", "kubectl get pods", "kubectl delete pod x"]
    (failure,) = suite[1]
    assert failure.get("message") == "expected mfa, got allow: no rule is about this command"


def test_junit_holds_words_that_xml_does_not() -> None:
    (failed,) = verdicts('cases: [{command: [delete, pod, "a\\x01<b>\\u202e"], expect: allow}]')
    suite = ElementTree.fromstring(case_reports.junit([failed], name="cases.yaml"))

    assert suite[0].get("name") == r"kubectl delete pod 'a\u{1}<b>\u{202e}'"
    assert "\u202e" not in case_reports.lines([failed])[0]


def test_the_schema_and_the_reader_know_the_same() -> None:
    schema = json.loads(schema_of("PolicyTest"))
    case = schema["$defs"]["case"]
    assert set(schema["properties"]) == {"apiVersion", "kind", "cases", "target"}
    assert set(schema["properties"]["target"]["properties"]) == set(TARGET)
    assert set(case["properties"]) == {"command", "expect", "rules", *TARGET}
    assert case["required"] == ["command", "expect"]
    assert schema["properties"]["kind"] == {"const": KIND}
