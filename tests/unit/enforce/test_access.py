"""What RBAC is asked about, and what its answers mean."""

from __future__ import annotations

import json

import pytest

from kubectl_stepup.enforce.targets import access
from kubectl_stepup.enforce.targets.access import Question, Topic
from kubectl_stepup.enforce.verify.results import ENFORCED, GAP, NOT_CHECKED, Login
from tests.unit.enforce.policies import PROD, policy

EVERYDAY, MFA, CRITICAL = Login(level=None), Login(level="mfa", rank=0), Login(level="critical", rank=1)
KNOWN = ("shop", "sandbox", "kube-system")


def topics(*rules: str, break_glass: str | None = None) -> dict[tuple[str, str], Topic]:
    found = access.topics(policy(*rules), PROD, KNOWN, break_glass=break_glass)
    return {(one.subject, one.what): one for one in found}


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ("", ["", "shop", "sandbox", "kube-system"]),
        (", namespaces: ['s*']", ["shop", "sandbox"]),
        (", except: {namespaces: [sandbox]}", ["shop", "kube-system"]),
        (", namespaces: [elsewhere]", []),
    ],
)
def test_secrets_are_asked_about_where_the_rule_is(more: str, where: list[str]) -> None:
    topic = topics(f"name: secrets, do: [read-secrets], needs: mfa{more}")["secrets", "read-secrets: get, list, watch"]

    assert list(dict.fromkeys(one.namespace for one in topic.questions)) == where
    assert {one.verb for one in topic.questions} == ({"get", "list", "watch"} if where else set())
    assert topic.needs == 0


def test_of_many_namespaces_it_says_how_many_were_looked_at() -> None:
    known = tuple(f"team-{number}" for number in range(30))
    made = policy("name: secrets, do: [read-secrets], needs: mfa", "name: power, do: [protect], needs: critical")
    secrets, power, *_ = access.topics(made, PROD, known, break_glass=None)

    assert len({one.namespace for one in secrets.questions}) == 11
    nothing = dict.fromkeys((*secrets.questions, *power.questions), False)
    assert access.evaluated(secrets, [(EVERYDAY, nothing)]).detail == "refused: everyday, in 10 of 30 namespaces"
    assert access.evaluated(power, [(EVERYDAY, nothing)]).detail == "refused: everyday"


def test_a_service_account_may_be_impersonated_in_one_namespace() -> None:
    asked = topics("name: a, do: [delete], needs: mfa")["bypass", "impersonate"].questions

    assert [one.namespace for one in asked if one.resource == "serviceaccounts"] == ["", *KNOWN]


def test_a_rule_of_another_mode_or_place_is_not_asked_about() -> None:
    found = topics(
        "name: a, do: [read-secrets], needs: mfa, mode: audit", "name: b, do: [read-secrets], clusters: [x], needs: mfa"
    )
    assert {subject for subject, _ in found} == {"bypass"}


def test_what_removes_admission_policies_is_checked_whatever_the_rules() -> None:
    found = topics("name: a, do: [delete], needs: mfa", break_glass="sre")
    asked = {
        one.as_review()["spec"]["resourceAttributes"]["resource"] for topic in found.values() for one in topic.questions
    }

    assert {subject for subject, _ in found} == {"bypass"}
    assert {"validatingadmissionpolicybindings", "users", "groups", "clusterroles", "signers"} <= asked
    names = {one.name for one in found["bypass", "impersonate"].questions}
    assert names == {"", "stepup:mfa", "stepup:critical", "sre"}
    assert all(topic.needs == 1 for topic in found.values())


def test_certificates_are_rbacs_matter_unless_admission_gates_them_at_the_highest_level() -> None:
    what = ("bypass", "approve and sign certificates")

    assert what not in topics("name: a, do: [mint], needs: critical")
    for rule in (
        "do: [mint], needs: mfa",
        "do: [mint], needs: critical, mode: warn",
        "do: [mint], names: [x], needs: critical",
    ):
        assert what in topics(f"name: a, {rule}")


@pytest.mark.parametrize(
    ("resource", "parts"),
    [
        ("secrets", ("secrets", "", "")),
        ("pods/exec", ("pods", "", "exec")),
        ("deployments.apps/scale", ("deployments", "apps", "scale")),
        ("widgets/status.example.com", ("widgets", "example.com", "status")),
        ("roles.rbac.authorization.k8s.io", ("roles", "rbac.authorization.k8s.io", "")),
    ],
)
def test_a_resource_is_read_in_each_of_its_forms(resource: str, parts: tuple[str, str, str]) -> None:
    assert access.parsed(resource) == parts


def test_questions_and_their_answers_keep_their_order() -> None:
    asked = (
        Question(verb="get", group="", resource="secrets", namespace="shop"),
        Question(verb="list", group="", resource="secrets"),
    )
    sent = json.loads(access.stream(asked))

    assert [one["spec"]["resourceAttributes"] for one in sent["items"]] == [
        {"verb": "get", "resource": "secrets", "namespace": "shop"},
        {"verb": "list", "resource": "secrets"},
    ]
    answers = [{**one, "status": {"allowed": at == 1}} for at, one in enumerate(sent["items"])]
    assert access.allowed(answers, asked) == {asked[0]: False, asked[1]: True}
    assert access.allowed(answers[:1], asked) is None


ASKED = tuple(
    Question(verb=verb, group="", resource="secrets", namespace=where)
    for where in ("shop", "dev")
    for verb in ("get", "list")
)
TOPIC = Topic(subject="secrets", what="reads", needs=0, questions=ASKED)
NOTHING, ALL = dict.fromkeys(ASKED, False), dict.fromkeys(ASKED, True)


def test_nothing_allowed_is_enforced_and_an_elevated_login_is_not_asked() -> None:
    row = access.evaluated(TOPIC, [(EVERYDAY, NOTHING), (MFA, ALL)])

    assert (row.state, row.detail, row.point) == (ENFORCED, "refused: everyday", "rbac")


def test_what_is_allowed_is_told_shortly() -> None:
    row = access.evaluated(TOPIC, [(EVERYDAY, ALL)])

    assert (row.state, row.detail) == (GAP, "everyday may get, list secrets in shop, dev")
    assert "rbac audit --fix" in row.fix


def test_a_lower_level_counts_for_what_needs_a_higher_one() -> None:
    question = Question(
        verb="delete", group="admissionregistration.k8s.io", resource="validatingadmissionpolicybindings"
    )
    topic = Topic(subject="bypass", what="write", needs=1, questions=(question,))
    row = access.evaluated(
        topic, [(EVERYDAY, {question: False}), (MFA, {question: True}), (CRITICAL, {question: True})]
    )

    assert row.detail == "mfa may delete validatingadmissionpolicybindings.admissionregistration.k8s.io"


@pytest.mark.parametrize(
    ("topic", "told", "detail"),
    [
        (TOPIC, None, "the server did not answer everyday"),
        (TOPIC.replace(note="patterns cannot be asked about: x*"), NOTHING, "patterns cannot be asked about: x*"),
        (TOPIC.replace(questions=()), {}, "no namespace that the rule is about is known"),
    ],
)
def test_what_could_not_be_asked_is_not_called_enforced(
    topic: Topic, told: dict[Question, bool] | None, detail: str
) -> None:
    row = access.evaluated(topic, [(EVERYDAY, told)])

    assert (row.state, row.detail) == (NOT_CHECKED, detail)
