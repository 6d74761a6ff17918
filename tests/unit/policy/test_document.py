"""Policy files: what they may say, and the file and line of every mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kubectl_stepup.policy.load as policy_load
from kubectl_stepup import __version__
from kubectl_stepup.errors import PolicyError
from kubectl_stepup.policy import document, rule_document
from kubectl_stepup.policy.actions import NAMES
from kubectl_stepup.policy.document import merge, policy_from
from kubectl_stepup.policy.model import Policy, Selector, Where
from kubectl_stepup.policy.quoted_text import QuotedText
from kubectl_stepup.yaml_edit import yaml_file

HEAD = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
  - {name: critical, signedInWithin: 5m, askAgainAfter: 0s, reason: required}
"""
FULL = (
    HEAD
    + """\
who: people
rules:
  - name: prod-deletes
    do: [delete, stop]
    clusters: ["prod-*"]
    labels: {env: prod, region: [eu, us]}
    namespaces: ["shop-*"]
    names: ["*"]
    except: {namespaces: ["sandbox-*"]}
    where: {all: true, objects: 10, force: false, dryRun: [none, server]}
    needs: mfa
    mode: warn
    reason: required
    ticket: "OPS-*"
    message: "ask in #ops"
  - {name: widgets, verbs: [update], apiGroups: [example.com, ""], resources: [widgets/status], needs: critical}
commands: {stern: allow, foo: mfa}
grants: [{level: mfa, group: sre, role: debugger, namespaces: [shop]}]
minClientVersion: "0.0"
"""
)


def load(text: str, name: str = "policy.yaml") -> Policy:
    return policy_from(yaml_file.parse(text.encode(), name, error=PolicyError))


def test_every_field_is_read() -> None:
    policy = load(FULL)
    mfa, critical = policy.levels
    assert (mfa.name, mfa.signed_in_within_s, mfa.ask_again_after_s, mfa.reason_required) == ("mfa", 900, 600, False)
    assert (critical.name, critical.ask_again_after_s, critical.reason_required) == ("critical", 0, True)
    rule, widgets = policy.rules
    assert rule.actions == {"delete", "stop"}
    assert rule.selector == Selector(
        clusters=("prod-*",),
        labels=(("env", ("prod",)), ("region", ("eu", "us"))),
        namespaces=("shop-*",),
        names=("*",),
    )
    assert rule.excluded == (Selector(namespaces=("sandbox-*",)),)
    assert rule.where == Where(all=True, objects=10, force=False, dry_run=("none", "server"))
    assert (rule.needs, rule.mode, rule.reason_required, rule.ticket) == ("mfa", "warn", True, "OPS-*")
    assert (rule.file, rule.line) == ("policy.yaml", 8)
    assert rule.message == QuotedText(what="message of rule prod-deletes", text="ask in #ops", file="policy.yaml")
    assert widgets.verbs == {"update"}
    assert (widgets.api_groups, widgets.resources) == (("example.com", ""), ("widgets/status",))
    assert policy.commands == {"stern": "allow", "foo": "mfa"}
    assert [grant.as_dict() for grant in policy.grants] == [
        {"level": "mfa", "group": "sre", "role": "debugger", "namespaces": ("shop",)}
    ]
    assert (policy.who, policy.min_client_version, policy.files) == ("people", "0.0", ("policy.yaml",))


def test_levels_and_their_order() -> None:
    policy = load(HEAD + "rules: []\n")
    assert policy.level("mfa") is policy.levels[0]
    assert [level.name for level in policy.stronger("mfa")] == ["critical"]
    assert policy.stronger("critical") == ()
    with pytest.raises(PolicyError) as caught:
        policy.level("gold")
    assert caught.value.message == "there is no level 'gold' in the policy; its levels are mfa, critical"


RULE = "rules:\n  - {name: a, do: [delete], needs: mfa"
MISTAKES = [
    ("", "p:1: must be a mapping, not nothing", None),
    ("kind: Policy\n", "p:1: 'apiVersion' is missing", None),
    ("apiVersion: v1\nkind: Policy\n", "p:1: apiVersion: 'v1' is not one of kubectl-stepup.github.io/v1alpha1", None),
    (HEAD.replace("kind: Policy", "kind: Config"), "p:2: kind: 'Config' is not one of Policy", None),
    (HEAD + "rule: []\n", "p:6: unknown key 'rule'", "did you mean 'rules'?"),
    (HEAD.split("levels")[0], "p:1: there are no levels, neither here nor in a file before this one", None),
    (HEAD + "who: machines\n", "p:6: who: 'machines' is not one of people", None),
    (HEAD.replace("15m", "15"), "p:4: levels[0].signedInWithin: must be a duration, not a number", None),
    (
        HEAD.replace("signedInWithin: 5m", "signedInWithin: 0s"),
        "p:5: levels[1].signedInWithin: must be more than 0s: a sign-in takes time",
        None,
    ),
    (
        HEAD.replace("name: critical", "name: mfa"),
        "p:5: levels[1].name: 'mfa' is already the name of the one in line 4",
        None,
    ),
    (
        HEAD.replace("name: critical", "name: Critical"),
        "p:5: levels[1].name: 'Critical' is not a name: lower-case letters, digits and dashes, at most 63",
        None,
    ),
    (HEAD.replace("required", "yes"), "p:5: levels[1].reason: must be a text, not true or false", None),
    (
        HEAD + RULE + ", neds: x}\n",
        "p:7: rules[0]: unknown key 'neds'",
        "did you mean 'needs'?",
    ),
    (
        HEAD + "rules:\n  - {name: a, do: [delet], needs: mfa}\n",
        "p:7: rules[0].do[0]: 'delet' is not one of delete, stop, shell, read-secrets, grant, mint, protect, node, "
        "run-as, change",
        "did you mean 'delete'?",
    ),
    (
        HEAD + "rules:\n  - {name: a, do: [delete], needs: mfaa}\n",
        "p:7: rules[0].needs: 'mfaa' is not one of mfa, critical",
        "did you mean 'mfa'?",
    ),
    (HEAD + "rules:\n  - {name: a, needs: mfa}\n", "p:7: rules[0]: 'do' or 'verbs' is missing", None),
    (
        HEAD + RULE + ", verbs: [get]}\n",
        "p:7: rules[0].verbs: a rule has either do, or verbs, apiGroups and resources",
        None,
    ),
    (
        HEAD + RULE + "}\n" + "  - {name: a, do: [stop], needs: mfa}\n",
        "p:8: rules[1].name: 'a' is already the name of the one in line 7",
        None,
    ),
    (
        HEAD + RULE + ", clusters: []}\n",
        "p:7: rules[0].clusters: must not be empty; leave the key out for everything",
        None,
    ),
    (HEAD + RULE + ", clusters: prod}\n", "p:7: rules[0].clusters: must be a list, not a text", None),
    (
        HEAD + RULE + ", except: {}}\n",
        "p:7: rules[0].except: must not be empty: it would except everything",
        None,
    ),
    (HEAD + RULE + ", where: {dryRun: maybe}}\n", None, None),
    (HEAD + RULE + ", where: {objects: 0}}\n", "p:7: rules[0].where.objects: 0 is less than 1", None),
    (HEAD + RULE + ", mode: off}\n", "p:7: rules[0].mode: must be a text, not true or false", None),
    (HEAD + "commands: {stern: maybe}\n", "p:6: commands.stern: 'maybe' is not one of allow, mfa, critical", None),
    (HEAD + "commands: {-x: allow}\n", "p:6: commands.-x: '-x' is not the first word of a command", None),
    (HEAD + "minClientVersion: 1.10\n", "p:6: minClientVersion: must be a text, not a number", None),
    (HEAD + "minClientVersion: soon\n", "p:6: minClientVersion: 'soon' is not a version such as 1.2.0", None),
    (
        HEAD + "minClientVersion: '999.1'\n",
        f"p:6: minClientVersion: this policy needs kubectl-stepup 999.1 or later; this is {__version__}",
        "pip install --upgrade kubectl-stepup",
    ),
    (HEAD + "kind: Policy\n", "p:6: the key 'kind' is repeated", None),
]


@pytest.mark.parametrize(("text", "message", "hint"), MISTAKES)
def test_mistakes_are_named_with_file_and_line(text: str, message: str | None, hint: str | None) -> None:
    """POL-34."""
    with pytest.raises(PolicyError) as caught:
        load(text, "p")
    assert caught.value.message.startswith("p:")
    if message is not None:
        assert caught.value.message == message
    if hint is not None:
        assert caught.value.hint == hint


SYSTEM = HEAD + RULE + "}\ncommands: {stern: mfa}\n"
USER = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
levels: [{name: mfa, signedInWithin: 10h, askAgainAfter: 10h}]
rules: [{name: mine, do: [shell], needs: critical}]
commands: {stern: allow, k9s: allow}
"""


def test_a_user_adds_rules_and_weakens_nothing() -> None:
    """POL-36."""
    policy = policy_load.load(("/etc/policy.yaml", SYSTEM.encode()), ("policy.yaml", USER.encode()))
    assert [rule.name for rule in policy.rules] == ["a", "mine"]
    assert policy.level("mfa").signed_in_within_s == 900
    assert policy.commands == {"stern": "mfa", "k9s": "allow"}
    assert policy.files == ("/etc/policy.yaml", "policy.yaml")


def test_a_user_rule_must_name_a_level_that_counts() -> None:
    user = USER.replace("critical", "gold")
    with pytest.raises(PolicyError) as caught:
        policy_load.load(("/etc/policy.yaml", SYSTEM.encode()), ("policy.yaml", user.encode()))
    assert caught.value.message == "policy.yaml:4: rules[0].needs: 'gold' is not one of mfa, critical"


def test_without_a_user_file_the_default_policy_asks_for_all_but_changes() -> None:
    policy = policy_load.load(None, None)
    asked = {action: rule.needs for rule in policy.rules for action in rule.actions}
    assert asked == {
        "delete": "mfa",
        "stop": "mfa",
        "shell": "mfa",
        "read-secrets": "mfa",
        "grant": "critical",
        "mint": "critical",
        "protect": "critical",
        "node": "critical",
    }
    assert [level.name for level in policy.levels] == ["mfa", "critical"]
    assert all(rule.selector == Selector() and not rule.excluded for rule in policy.rules)


def test_the_default_policy_takes_the_system_levels() -> None:
    system = SYSTEM.replace("mfa", "silver").replace("critical", "gold")
    policy = policy_load.load(("/etc/policy.yaml", system.encode()), None)
    assert [level.name for level in policy.levels] == ["silver", "gold"]
    assert {rule.needs for rule in policy.rules} == {"silver", "gold"}


def test_of_what_two_files_say_about_a_command_the_stricter_counts() -> None:
    def commands(answers: str) -> Policy:
        return load(f"{HEAD}commands: {answers}\n")

    one = commands("{stern: allow, ctx: critical, mine: allow}")
    other = commands("{stern: mfa, ctx: mfa, yours: mfa}")
    expected = {"stern": "mfa", "ctx": "critical", "mine": "allow", "yours": "mfa"}
    assert (merge(one, other).commands, merge(other, one).commands) == (expected, expected)
    # Of the weaker level the times and the reason count all the same.
    assert (merge(one, other).also_needed, merge(other, one).also_needed) == ({"ctx": ("mfa",)}, {"ctx": ("mfa",)})


def test_levels_are_few() -> None:
    head = HEAD.partition("levels:")[0]
    levels = [f"  - {{name: a{at}, signedInWithin: 1m, askAgainAfter: 0s}}\n" for at in range(101)]
    assert len(load(head + "levels:\n" + "".join(levels[:100])).levels) == 100
    with pytest.raises(PolicyError, match=r"policy\.yaml:3: levels: there are more than 100 levels"):
        load(head + "levels:\n" + "".join(levels))


def test_thousands_of_rules_load() -> None:
    """POL-34."""
    rule = "  - {name: r%d, do: [delete], names: ['(a+)+$*'], needs: mfa}\n"
    assert len(load(HEAD + "rules:\n" + "".join(rule % number for number in range(2000))).rules) == 2000


def test_the_default_policy_is_shipped_with_the_package() -> None:
    assert Path(policy_load.DEFAULT_POLICY).is_file()


def test_the_schema_and_the_reader_know_the_same() -> None:
    directory = Path(policy_load.__file__).parents[1] / "schemas"
    schema = json.loads((directory / "policy.schema.json").read_text(encoding="utf-8"))
    parts = schema["$defs"]
    rule = parts["rule"]["properties"]
    assert tuple(schema["properties"]) == ("apiVersion", "kind", *document.OPTIONAL)
    assert tuple(parts["level"]["properties"]) == ("name", "signedInWithin", "askAgainAfter", *document.LEVEL_OPTIONAL)
    assert schema["properties"]["levels"]["maxItems"] == document.MOST_LEVELS
    assert set(rule) == {"name", "needs", *rule_document.OPTIONAL}
    assert tuple(rule["do"]["items"]["enum"]) == NAMES
    assert tuple(rule["verbs"]["items"]["enum"]) == rule_document.VERBS
    assert tuple(rule["mode"]["enum"]) == rule_document.MODES
    assert tuple(parts["dryRun"]["enum"]) == rule_document.DRY_RUNS
    assert tuple(parts["exception"]["properties"]) == rule_document.SELECTORS
