"""Every finding of `policy lint`: one policy that has it, and one a hair's breadth away that has not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_stepup.kubectl.command import read
from kubectl_stepup.policy.covering import covers
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.lint import Enrolled, Finding, lint
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Policy, Rule, Selector, Target, Where
from tests.support.values import policy_of

NOBODY = Enrolled(clusters={}, proven={})
CORP = Enrolled(
    clusters={"prod-eu": {"env": "prod"}, "dev": {}},
    proven={"corp": frozenset({"mfa", "strong", "critical"})},
)
ALL_NEEDED = "".join(
    f"  - {{name: z{at}, verbs: [get], resources: [z{at}], needs: {level}}}\n"
    for at, level in enumerate(("mfa", "strong", "critical"))
)


def findings(rules: str, enrolled: Enrolled = NOBODY, more: str = "") -> list[Finding]:
    return list(lint(policy_of(f"rules:\n{rules}{ALL_NEEDED}{more}"), enrolled))


def messages(rules: str, enrolled: Enrolled = NOBODY, more: str = "") -> list[str]:
    return [f"{one.severity} {one.code} {one.about}: {one.message}" for one in findings(rules, enrolled, more)]


def test_the_policy_that_comes_with_the_program_is_clean() -> None:
    assert lint(load(None, None), NOBODY) == ()


def test_a_finding_has_its_place() -> None:
    (one,) = findings("  - {name: a, do: [delete], where: {all: true}, needs: mfa}\n")

    assert (one.severity, one.code, one.file, one.line, one.about) == (
        "note",
        "client-only",
        "policy.yaml",
        9,
        "rule a",
    )


COVERED = [
    ("{name: a, do: [delete], needs: mfa}", "{name: b, do: [delete, stop], needs: mfa}"),
    ("{name: a, do: [delete], needs: mfa}", "{name: b, do: [delete], needs: critical}"),
    ("{name: a, do: [delete], clusters: [p], needs: mfa}", "{name: b, do: [delete], needs: mfa}"),
    ("{name: a, do: [delete], clusters: [p], needs: mfa}", '{name: b, do: [delete], clusters: ["*"], needs: mfa}'),
    ("{name: a, do: [delete], labels: {e: p}, needs: mfa}", "{name: b, do: [delete], labels: {e: [p, q]}, needs: mfa}"),
    ("{name: a, do: [delete], where: {all: true}, needs: mfa}", "{name: b, do: [delete], needs: mfa}"),
    ("{name: a, do: [delete], except: {names: [n]}, needs: mfa}", "{name: b, do: [delete], needs: mfa}"),
    ("{name: a, verbs: [get], resources: [w], needs: mfa}", '{name: b, verbs: ["*"], resources: [w, v], needs: mfa}'),
    (
        "{name: a, verbs: [update], resources: [w], needs: mfa}",
        '{name: b, verbs: [update], resources: ["*"], needs: mfa}',
    ),
    ("{name: a, verbs: [update], resources: [w/s], needs: mfa}", "{name: b, verbs: [update], needs: mfa}"),
]
NOT_COVERED = [
    ("{name: a, do: [delete, stop], needs: mfa}", "{name: b, do: [delete], needs: mfa}"),
    ("{name: a, do: [delete], needs: critical}", "{name: b, do: [delete], needs: mfa}"),
    ("{name: a, do: [delete], needs: mfa}", "{name: b, do: [delete], clusters: [p], needs: mfa}"),
    ("{name: a, do: [delete], needs: mfa}", "{name: b, do: [delete], where: {all: true}, needs: mfa}"),
    ("{name: a, do: [delete], needs: mfa}", "{name: b, do: [delete], except: {names: [n]}, needs: mfa}"),
    ("{name: a, do: [delete], needs: mfa}", "{name: b, do: [delete], needs: mfa, mode: warn}"),
    ("{name: a, do: [delete], needs: mfa, mode: audit}", "{name: b, do: [delete], needs: mfa}"),
    ("{name: a, do: [delete], needs: mfa, ticket: 'OPS-*'}", "{name: b, do: [delete], needs: mfa}"),
    ("{name: a, do: [delete], needs: mfa, message: why}", "{name: b, do: [delete], needs: mfa}"),
    ("{name: a, do: [delete], needs: mfa, reason: required}", "{name: b, do: [delete], needs: mfa}"),
    ("{name: a, verbs: [get], resources: [w], needs: mfa}", "{name: b, do: [delete], needs: mfa}"),
    # As in Kubernetes, `*` is no subresource.
    ("{name: a, verbs: [get], resources: [w/s], needs: mfa}", '{name: b, verbs: [get], resources: ["*"], needs: mfa}'),
    ("{name: a, verbs: [get], needs: mfa}", '{name: b, verbs: [get], resources: ["*"], needs: mfa}'),
]


@pytest.mark.parametrize(("rule", "other"), COVERED)
def test_a_rule_that_decides_nothing(rule: str, other: str) -> None:
    for order in (f"  - {rule}\n  - {other}\n", f"  - {other}\n  - {rule}\n"):
        never = [one for one in findings(order) if one.code == "never-decides"]
        assert [one.about for one in never] == ["rule a"]
        assert never[0].message.startswith("decides nothing: rule b asks for ")


@pytest.mark.parametrize(("rule", "other"), NOT_COVERED)
def test_a_rule_that_decides_something(rule: str, other: str) -> None:
    assert [
        one for one in findings(f"  - {rule}\n  - {other}\n") if (one.code, one.about) == ("never-decides", "rule a")
    ] == []


def test_of_two_that_are_the_same_the_later_one_decides_nothing() -> None:
    same = "do: [delete], needs: mfa}\n"
    found = findings(f"  - {{name: a, {same}  - {{name: b, {same}")

    assert [(one.about, one.message) for one in found] == [
        ("rule b", "decides nothing: rule a asks for mfa in all of its cases")
    ]


NAMES = st.lists(st.sampled_from(["a", "b", "*"]), max_size=2).map(tuple)
SELECTORS = st.builds(Selector, clusters=NAMES, namespaces=NAMES, names=NAMES)
RULES = st.builds(
    Rule,
    name=st.just("r"),
    needs=st.just("mfa"),
    actions=st.sets(st.sampled_from(["delete", "shell"]), min_size=1).map(frozenset),
    selector=SELECTORS,
    excluded=st.lists(SELECTORS.filter(lambda one: one != Selector()), max_size=1).map(tuple),
    where=st.builds(Where, all=st.none() | st.booleans()),
)
COMMANDS = [
    "delete pod a",
    "delete pod b -n a",
    "delete pods --all -n b",
    "exec a -n b -- date",
    "delete pods --all -A",
]
PLACES = st.builds(Target, cluster=st.sampled_from([None, "a", "c"]), namespace=st.sampled_from([None, "a", "c"]))


@given(RULES, RULES, st.sampled_from(COMMANDS), PLACES)
def test_what_covers_decides_wherever_the_other_does(wide: Rule, narrow: Rule, command: str, place: Target) -> None:
    if covers(wide, narrow):
        levels = policy_of("").levels
        asked = [
            decide(Policy(who="people", levels=levels, rules=(rule,), commands={}), read(command.split()), place).effect
            for rule in (wide, narrow)
        ]
        assert asked != ["allow", "stepup"]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("verbs: [get], resources: [pod]", "resource 'pod' is no plural name: nothing is called so; write pods"),
        ("verbs: [get], resources: [po/log]", "resource 'po' is no plural name: nothing is called so; write pods"),
        ("verbs: [list], resources: [pods/exec]", "no request can match: list on pods/exec; it knows create, get"),
        (
            "verbs: [update, delete], resources: [deployments/scale]",
            "these never come: delete on deployments/scale; it knows get, patch, update",
        ),
        ("verbs: [create], resources: [users]", "no request can match: create on users; it knows impersonate"),
    ],
)
def test_a_rule_that_no_request_can_match(what: str, message: str) -> None:
    assert messages(f"  - {{name: a, {what}, needs: mfa}}\n") == [f"warning matches-nothing rule a: {message}"]


@pytest.mark.parametrize(
    "what",
    [
        "verbs: [get], resources: [pods]",
        'verbs: [get], resources: ["po*"]',
        "verbs: [get], resources: [widget]",
        'verbs: ["*"], resources: [pods/exec]',
        "verbs: [update], resources: [widgets/whatever]",
        "verbs: [impersonate], resources: [users]",
    ],
)
def test_a_rule_that_some_request_can_match(what: str) -> None:
    assert messages(f"  - {{name: a, {what}, needs: mfa}}\n") == []


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ('clusters: ["prod-*", "prd-*"]', "no enrolled cluster is called prd-* (enrolled: dev, prod-eu)"),
        ("labels: {env: staging}", "no enrolled cluster has the label env=staging"),
        ("labels: {tier: [a, b]}", "no enrolled cluster has the label tier=a,b"),
        ("except: {clusters: [prod-us]}", "except: no enrolled cluster is called prod-us (enrolled: dev, prod-eu)"),
    ],
)
def test_a_selector_that_selects_no_enrolled_cluster(where: str, message: str) -> None:
    rule = f"  - {{name: a, do: [delete], {where}, needs: mfa}}\n"

    assert messages(rule, CORP) == [f"warning selects-nothing rule a: {message}"]
    assert messages(rule) == []


def test_a_level_that_nothing_proves_and_one_that_nobody_needs() -> None:
    enrolled = CORP.replace(proven={"corp": frozenset({"mfa"}), "other": frozenset({"mfa", "critical", "strong"})})
    policy = policy_of("rules:\n  - {name: a, do: [delete], needs: critical}\n")

    assert [(one.severity, one.about, one.message) for one in lint(policy, enrolled)] == [
        ("note", "level mfa", "no rule needs it"),
        ("note", "level strong", "no rule needs it"),
        ("warning", "level critical", "nothing proves it at corp: commands that need it are refused there"),
    ]


def test_a_command_that_is_kubectls_own() -> None:
    assert messages("", more="commands: {delete: allow, stern: allow}\n") == [
        "warning own-command command delete: is kubectl's own command: rules decide about it, and this never counts"
    ]
