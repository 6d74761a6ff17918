"""Decisions: which rules a command meets, and which of their answers wins."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_stepup.kubectl.command import read
from kubectl_stepup.policy.actions import NAMES
from kubectl_stepup.policy.decision import Decision
from kubectl_stepup.policy.document import policy_from
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.explain import explain
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Policy, Target
from kubectl_stepup.policy.rule_index import index_of
from kubectl_stepup.policy.summary import summary_of
from kubectl_stepup.yaml_edit import yaml_file

HEAD = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
  - {name: critical, signedInWithin: 5m, askAgainAfter: 0s, reason: required}
"""
PROD = Target(cluster="prod-eu", labels={"env": "prod"}, namespace="default")


def policy(rules: str, more: str = "") -> Policy:
    return policy_from(yaml_file.parse(f"{HEAD}rules:\n{rules}{more}".encode(), "policy.yaml"))


def decided(rules: str, text: str, target: Target = PROD, more: str = "") -> Decision:
    return decide(policy(rules, more), read(shlex.split(text)), target)


def actions(text: str) -> set[str]:
    return set(decided("  - {name: a, do: [delete], needs: mfa}\n", text).actions)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("delete pod x", {"delete"}),
        ("drain n1", {"delete", "stop"}),
        ("cordon n1", {"stop"}),
        ("uncordon n1", {"change"}),
        ("taint node n1 a=b:NoExecute", {"node"}),
        ("label node n1 a=b", {"node"}),
        ("delete node n1", {"delete", "node"}),
        ("debug node/n1 --image=i", {"node", "run-as"}),
        ("scale deploy x --replicas=0", {"stop", "change"}),
        ("scale deploy x --replicas 0", {"stop", "change"}),
        ("scale deploy x --replicas=0x0", {"stop", "change"}),
        ("scale deploy x --replicas=1", {"change"}),
        ('patch deploy x -p \'{"spec":{"replicas":0}}\'', {"stop", "change"}),
        ('patch deploy x -p \'{"spec":{"replicas":2}}\'', {"change"}),
        ("patch deploy x -p 'spec: {replicas: 0}'", {"stop", "change"}),
        ('patch deploy x --type=json -p \'[{"op":"replace","path":"/spec/replicas","value":0}]\'', {"stop", "change"}),
        ('patch deploy x -p \'{"spec":{"\\u0072eplicas":0}}\'', {"stop", "change"}),
        ("patch deploy x --patch-file=p.yaml", {"stop", "change", "run-as"}),
        ("rollout undo deploy/x", {"stop", "change"}),
        ("rollout pause deploy/x", {"stop", "change"}),
        ("rollout restart deploy/x", {"change"}),
        ('patch deploy x -p \'{"spec":{"paused":true}}\'', {"stop", "change"}),
        ("patch deploy x -p 'spec: {paused: true}'", {"stop", "change"}),
        ('patch cm x -p \'{"data":{"paused":"true"}}\'', {"change"}),
        ('patch node n1 -p \'{"spec":{"unschedulable":true}}\'', {"stop"}),
        ('patch node n1 -p \'{"spec":{"unschedulable":null}}\'', {"change"}),
        ('patch node n1 --type=json -p \'[{"op":"add","path":"/spec/unschedulable","value":true}]\'', {"stop"}),
        ('patch node n1 --type=json -p \'[{"op":"remove","path":"/spec/unschedulable"}]\'', {"change"}),
        ('patch node n1 -p \'{"spec":{"unschedulable":true,"taints":[]}}\'', {"stop", "node"}),
        ('patch node n1 --subresource=status -p \'{"spec":{"unschedulable":true}}\'', {"node"}),
        ("edit node n1", {"stop", "node"}),
        ("exec x -- ls", {"shell"}),
        ("attach x", {"shell"}),
        ("port-forward x 80", {"shell"}),
        ("cp x:/a b", {"shell"}),
        # What it lends depends on the version of kubectl.
        ("debug x --image=i", {"shell", "run-as"}),
        ("debug x --image=i --profile=baseline", {"shell"}),
        ("debug x --image=i --profile=restricted --custom=f", {"shell", "run-as"}),
        ("debug x --image=i --profile=restricted --copy-to=y", {"change", "run-as"}),
        ("get --raw /api/v1/nodes/n1/proxy/pods", {"shell", "read-secrets"}),
        ("get --raw /api/v1/namespaces/x/services/y/proxy/", {"shell", "read-secrets"}),
        ("get secret", {"read-secrets"}),
        ("get all,secret", {"read-secrets"}),
        ("get pods", set()),
        ("get all", set()),
        ("get widgets", set()),
        ("describe secret x", {"read-secrets"}),
        ("edit secret x", {"read-secrets", "change"}),
        ("get --raw /version", {"read-secrets"}),
        ("get --raw /api/v1/namespaces/default/../kube-system/%73ecrets", {"read-secrets", "shell"}),
        ("cluster-info dump", {"read-secrets"}),
        ("create role x --verb=get --resource=pods", {"grant"}),
        ("delete clusterrolebinding x", {"delete", "grant"}),
        ("set subject rolebinding x --user=me", {"grant"}),
        ("get pods --as=bob", {"grant"}),
        ("create token x", {"mint"}),
        ("certificate approve x", {"mint"}),
        ("create secret generic x --type=kubernetes.io/service-account-token", {"mint"}),
        ("create secret generic x", {"change"}),
        ("delete validatingadmissionpolicy x", {"delete", "protect"}),
        ("label crd x a=b", {"protect"}),
        ("delete apiservice x", {"delete", "protect"}),
        ("delete cm kubectl-stepup-policy", {"delete", "protect"}),
        ("label cm other a=b", {"change"}),
        ("run x --image=i", {"change"}),
        ("run x --image=i --privileged", {"change", "run-as"}),
        ("set sa deploy/x y", {"change", "run-as"}),
        ("auth can-i get pods", set()),
        ("create --raw /apis/authorization.k8s.io/v1/selfsubjectaccessreviews -f -", {"change"}),
        ("config view --raw", {"read-secrets"}),
        ("config view", set()),
        ("logs x", set()),
        ("delete pod x --dry-run=client", set()),
        ("delete pod x --dry-run=server", {"delete"}),
        ("proxy", {"shell"}),
        ("apply -f x.yaml --dry-run=client", set()),
        ("get -f x.yaml", {"read-secrets"}),
    ],
)
def test_actions(text: str, expected: set[str]) -> None:
    assert actions(text) == expected


DELETES = "  - {name: deletes, do: [delete], needs: mfa%s}\n"


@pytest.mark.parametrize(
    ("selector", "text", "target", "effect"),
    [
        (', clusters: ["prod-*"]', "delete pod x", PROD, "stepup"),
        (', clusters: ["dev-*"]', "delete pod x", PROD, "allow"),
        (', clusters: ["dev-*"]', "delete pod x", Target(), "stepup"),
        (", labels: {env: prod}", "delete pod x", PROD, "stepup"),
        (", labels: {env: [dev, test]}", "delete pod x", PROD, "allow"),
        (", labels: {region: eu}", "delete pod x", PROD, "allow"),
        (", labels: {region: eu}", "delete pod x", Target(), "stepup"),
        (', namespaces: ["shop-*"]', "delete pod x -n shop-1", PROD, "stepup"),
        (', namespaces: ["shop-*"]', "delete pod x", PROD, "allow"),
        (', namespaces: ["shop-*"]', "delete pod x", Target(), "stepup"),
        (', namespaces: ["shop-*"]', "delete pods --all -A", PROD, "stepup"),
        (', namespaces: ["shop-*"]', "delete node x", PROD, "stepup"),
        (', namespaces: ["shop-*"]', "delete ns shop-1", PROD, "stepup"),
        (', namespaces: ["shop-*"]', "delete ns other", PROD, "allow"),
        (', namespaces: ["shop-*"]', "delete ns --all", PROD, "stepup"),
        (', names: ["web-*"]', "delete pod web-0", PROD, "stepup"),
        (', names: ["web-*"]', "delete pod db-0", PROD, "allow"),
        (', names: ["web-*"]', "delete pods --all", PROD, "stepup"),
        (', except: {namespaces: ["sandbox-*"]}', "delete pod x -n sandbox-1", PROD, "allow"),
        (', except: {namespaces: ["sandbox-*"]}', "delete pod x -n other", PROD, "stepup"),
        (', except: {namespaces: ["sandbox-*"]}', "delete pod x", Target(), "stepup"),
        (', except: {namespaces: ["sandbox-*"]}', "delete pods --all -A -n sandbox-1", PROD, "stepup"),
        (', except: {namespaces: ["sandbox-*"]}', "delete node x -n sandbox-1", PROD, "stepup"),
        (', except: {namespaces: ["sandbox-*"]}', "delete ns sandbox-1", PROD, "allow"),
        (', except: {namespaces: ["sandbox-*"]}', "delete widget x -n sandbox-1", PROD, "stepup"),
        (', except: {clusters: ["dev-*"]}', "delete pod x", Target(cluster="dev-1"), "allow"),
        (', except: {clusters: ["dev-*"]}', "delete pod x", Target(), "stepup"),
        (', except: [{clusters: [x]}, {names: ["tmp-*"]}]', "delete pod tmp-1", PROD, "allow"),
        (', except: {clusters: [x], names: ["tmp-*"]}', "delete pod tmp-1", PROD, "stepup"),
        (", where: {all: true}", "delete pods --all", PROD, "stepup"),
        (", where: {all: true}", "delete pod x", PROD, "allow"),
        (", where: {force: true}", "delete pod x --force", PROD, "stepup"),
        (", where: {force: true}", "delete pod x", PROD, "allow"),
        (", where: {objects: 2}", "delete pod x y", PROD, "stepup"),
        (", where: {objects: 3}", "delete pod x y", PROD, "allow"),
        (", where: {objects: 3}", "delete pods -l a=b", PROD, "stepup"),
        (", where: {dryRun: server}", "delete pod x --dry-run=server", PROD, "stepup"),
        (", where: {dryRun: none}", "delete pod x --dry-run=server", PROD, "allow"),
    ],
)
def test_selectors(selector: str, text: str, target: Target, effect: str) -> None:
    assert decided(DELETES % selector, text, target).effect == effect


WIDGETS = "  - {name: widgets, verbs: [update], apiGroups: [example.com], resources: [%s], needs: mfa}\n"


@pytest.mark.parametrize(
    ("resources", "text", "effect"),
    [
        ("widgets/status", "patch widgets.example.com x --subresource=status -p {}", "stepup"),
        ("widgets/status", "patch widgets.example.com x -p {}", "allow"),
        ("widgets", "label widget x a=b", "stepup"),
        ("widgets", "label wd x a=b", "stepup"),
        ("widgets", "label widget.other.com x a=b", "allow"),
        ("widgets", "label pod x a=b", "allow"),
        ("widgets", "get widget x", "allow"),
        ('"*"', "label widget x a=b", "stepup"),
        ('"*/*"', "label widget x a=b", "allow"),
        ("widgets", "replace --raw /apis/example.com/v1/namespaces/x/widgets/y -f -", "stepup"),
        ("widgets", "replace -f x.yaml", "stepup"),
    ],
)
def test_rules_by_verb_and_resource(resources: str, text: str, effect: str) -> None:
    assert decided(WIDGETS % resources, text).effect == effect


def test_every_match_counts_and_the_strictest_wins() -> None:
    rules = (
        "  - {name: power, do: [protect], needs: critical}\n"
        "  - {name: deletes, do: [delete], needs: mfa, reason: optional, ticket: 'OPS-*', message: ask first}\n"
        "  - {name: watched, do: [delete], needs: critical, mode: audit}\n"
        "  - {name: soon, do: [delete], needs: critical, mode: warn}\n"
    )
    strict = decided(rules, "delete crd x")
    assert (strict.effect, strict.level, strict.reason_required) == ("stepup", "critical", True)
    assert [found.name for found in strict.rules] == ["power", "deletes"]
    assert [found.name for found in strict.audited] == ["watched"]
    assert strict.warnings == ("rule soon will ask for critical: delete customresourcedefinitions/x",)
    mild = decided(rules, "delete pod x")
    assert (mild.effect, mild.level, mild.reason_required) == ("stepup", "mfa", False)
    assert [ticket.text for ticket in mild.tickets] == ["OPS-*"]
    assert [(message.what, message.text) for message in mild.messages] == [("message of rule deletes", "ask first")]


def test_audit_and_warn_allow() -> None:
    rules = (
        "  - {name: a, do: [delete], needs: mfa, mode: audit}\n  - {name: w, do: [delete], needs: mfa, mode: warn}\n"
    )
    found = decided(rules, "delete pod x")
    assert (found.effect, found.level, found.rules) == ("allow", None, ())
    assert [match.name for match in found.audited] == ["a"]
    assert found.warnings == ("rule w will ask for mfa: delete pods/x in namespace default",)
    assert found.to_json()["rules"] == ["w", "a"]
    assert found.why == "delete pods/x in namespace default meets rule a (delete) and 1 more, in audit mode only"


def test_the_json_of_a_decision() -> None:
    assert decided(DELETES % "", "delete pod web-0 -n prod --wait=false").to_json() == {
        "decision": "stepup",
        "level": "mfa",
        "rules": ["deletes"],
        "requests": [
            {
                "verb": "delete",
                "apiGroup": "",
                "resource": "pods",
                "subresource": "",
                "namespace": "prod",
                "name": "web-0",
            }
        ],
        "actions": ["delete"],
        "summary": "delete pods in prod",
        "why": "delete pods/web-0 in namespace prod meets rule deletes (delete)",
    }


@pytest.mark.parametrize(
    ("text", "code", "why", "hint"),
    [
        (
            "delete pod x --token=t -s https://evil",
            "redirecting-flags",
            "--server, --token in a command that needs level mfa: the elevated token goes to nobody else",
            None,
        ),
        (
            "stern x",
            "unknown-command",
            "unknown command 'stern': the policy cannot tell what it would do",
            "run it with kubectl itself, without elevation, or name its first word under commands in the policy",
        ),
        (
            "kustomize x --enable-helm",
            "runs-programs",
            "kubectl kustomize with these flags runs programs that the kustomization names",
            "run it with kubectl itself, without elevation",
        ),
        (
            "proxy",
            "proxy-refused",
            "kubectl proxy is not run elevated: everybody who reaches its port would be",
            "kubectl stepup exec -- get --raw PATH",
        ),
        (
            "__complete get secret ''",
            "completion-refused",
            "completion does not ask for a step-up",
            None,
        ),
        (
            "config view --raw",
            "kubeconfig-refused",
            "kubectl config view --raw shows the kubeconfig's credentials and is not run elevated",
            None,
        ),
    ],
)
def test_refusals(text: str, code: str, why: str, hint: str | None) -> None:
    found = decided("  - {name: a, do: [delete, shell, read-secrets], needs: mfa}\n", text)
    assert (found.effect, found.code, found.why, found.hint) == ("refuse", code, why, hint)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("kubectl delete pod x", "leave out the word kubectl after --"),
        ("create secret x", "kubectl create secret --help"),
        ("--bogus", "kubectl --help"),
    ],
)
def test_what_to_do_about_an_unknown_command(text: str, hint: str) -> None:
    assert decided(DELETES % "", text).hint == hint


@pytest.mark.parametrize("text", ["proxy", "__complete get secret ''", "config view --raw"])
def test_what_is_never_elevated_runs_where_no_rule_is_about_it(text: str) -> None:
    assert decided(DELETES % "", text).effect == "allow"


@pytest.mark.parametrize(
    ("rules", "text", "why"),
    [
        (DELETES % "", "config view", "nothing is sent to the API server"),
        (DELETES % "", "get pods", "no rule is about this command"),
        ("  - {name: a, do: [read-secrets], needs: mfa}\n", "__complete get pods ''", "no rule is about this command"),
        (
            "  - {name: seen, do: [read-secrets], needs: mfa, mode: audit}\n",
            "config view --raw",
            "get kubeconfig meets rule seen (read-secrets), in audit mode only",
        ),
        (
            "  - {name: nodes, do: [node, delete], needs: mfa}\n",
            "delete node x --wait=false",
            "delete nodes/x meets rule nodes (delete, node)",
        ),
        (
            "  - {name: out, do: [stop, delete], needs: mfa}\n",
            "drain n1",
            "patch nodes/n1 and 1 more meets rule out (delete, stop)",
        ),
        (
            "  - {name: widgets, verbs: [update], resources: [widgets], needs: mfa}\n",
            "label widget x a=b",
            "patch widget/x in namespace default meets rule widgets",
        ),
        (
            "  - {name: weak, do: [delete], needs: mfa}\n"
            "  - {name: seen, do: [protect], needs: critical, mode: audit}\n"
            "  - {name: strong, do: [protect], needs: critical}\n",
            "delete crd x --wait=false",
            "delete customresourcedefinitions/x meets rule strong (protect) and 2 more",
        ),
    ],
)
def test_one_sentence_says_why(rules: str, text: str, why: str) -> None:
    assert decided(rules, text).why == why


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (
            "stern x",
            "run it with kubectl itself, without elevation, or name its first word under commands in the policy",
        ),
        ("rollout abort x", "kubectl rollout --help"),
        ("get pods --bogus", "kubectl get --help"),
        ("kubectl get pods", "leave out the word kubectl after --"),
    ],
)
def test_what_is_unknown_is_refused_with_what_to_do(text: str, hint: str) -> None:
    found = decided(DELETES % "", text)
    assert (found.effect, found.hint) == ("refuse", hint)


def test_unknown_words_run_only_where_the_policy_names_them() -> None:
    more = "commands: {stern: allow, foo: critical}\n"
    stern, foo = (decided(DELETES % "", text, more=more) for text in ("stern x", "foo delete"))
    assert (stern.effect, stern.level, stern.why) == ("allow", None, "the policy's commands allow 'stern'")
    assert (foo.effect, foo.level, foo.reason_required) == ("stepup", "critical", True)
    assert foo.why == "the policy's commands give 'foo' the level critical"
    assert not decided(DELETES % "", "foo", more="commands: {foo: mfa}\n").reason_required
    assert decided(DELETES % "", "bar", more=more).effect == "refuse"
    assert decided(DELETES % "", "delete pod x", more="commands: {delete: allow}\n").effect == "stepup"


@pytest.mark.parametrize("text", ["delete pod x --no-such-flag", "delete pod x --dry-run=maybe", "delete pods -A"])
def test_a_policy_that_names_kubectls_own_word_allows_nothing_that_cannot_be_read(text: str) -> None:
    decision = decided(DELETES % "", text, more="commands: {delete: allow}\n")
    assert (decision.effect, decision.code, decision.hint) == ("refuse", "unknown-command", "kubectl delete --help")


def test_a_kustomization_runs_its_programs_only_where_the_policy_allows_kustomize() -> None:
    for named, effect in (("kustomize: allow", "allow"), ("kustomize: mfa", "refuse"), ("stern: allow", "refuse")):
        found = decided(DELETES % "", "kustomize x --enable-helm", more=f"commands: {{{named}}}\n")
        assert found.effect == effect
        assert (found.why == "the policy's commands allow 'kustomize'") == (effect == "allow")


def test_the_default_policy() -> None:
    default = load(None, None)
    for text, level in {
        "get pods": None,
        "apply -f x.yaml --dry-run=client": None,
        "label pod x a=b": None,
        "rollout restart deploy/x": None,
        "delete pod x": "mfa",
        "get secret x": "mfa",
        "exec x -- sh": "mfa",
        "delete ns x": "critical",
        "delete pv x": "critical",
        "create clusterrolebinding x --clusterrole=y": "critical",
        "create token x": "critical",
        "drain n1": "mfa",
        "taint node n1 a=b:NoExecute": "critical",
    }.items():
        assert decide(default, read(text.split()), PROD).level == level, text


def test_summaries() -> None:
    assert summary_of(decided(DELETES % "", "delete pod x -n prod")) == "delete pods in prod"
    assert summary_of(decided(DELETES % "", "delete node x")) == "delete nodes"
    assert summary_of(decided(DELETES % "", "delete -f x.yaml")) == "delete any resource"


def test_explanations() -> None:
    rules = (
        "  - {name: prod-deletes, do: [delete], clusters: ['prod-*'], namespaces: ['shop*'], needs: mfa}\n"
        "  - {name: widgets, verbs: [update], resources: [widgets], needs: mfa}\n"
    )
    command = read(["delete", "pod", "web-0", "-n", "shop", "--wait=false"])
    found = decide(policy(rules), command, PROD)
    assert explain(policy(rules), command, found, PROD, context="prod-eu") == (
        ("REQUEST", "delete pods/web-0 in namespace shop, context prod-eu"),
        ("SUMMARY", "delete pods in shop"),
        ("DECISION", "step-up to mfa, sign-in at most 15m old"),
        ("RULE", "prod-deletes   policy.yaml:7"),
        (
            "WHY",
            "delete pods/web-0 in namespace shop is delete; cluster prod-eu matches prod-*; "
            "namespace shop matches shop*",
        ),
    )
    command = read(["get", "pods"])
    assert explain(policy(rules), command, decide(policy(rules), command, PROD), PROD) == (
        ("REQUEST", "list pods in namespace default"),
        ("DECISION", "allowed, runs as it is"),
        ("WHY", "no rule is about this command"),
    )
    command = read(["label", "widget", "x", "a=b"])
    lines = explain(policy(rules), command, decide(policy(rules), command, Target()), Target())
    assert lines[-1] == ("WHY", "verb patch in [update]; widget in [widgets]")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("", ""),
        ("reason: required, ", ", with a reason"),
        ("ticket: 'OPS-*', ", ", with a reason that names a ticket like OPS-*"),
        ("reason: required, ticket: 'OPS-*', ", ", with a reason that names a ticket like OPS-*"),
    ],
)
def test_what_else_it_takes_is_explained(fields: str, said: str) -> None:
    found = policy(f"  - {{name: a, do: [delete], {fields}needs: mfa}}\n")
    level = found.levels[0]
    for timed, also in (
        (found, ""),
        (found.replace(levels=(level.replace(max_duration_s=5400), *found.levels[1:])), ", ended after 1h30m"),
    ):
        command = read(["delete", "pod", "x"])
        lines = dict(explain(timed, command, decide(timed, command, PROD), PROD))
        assert lines["DECISION"] == f"step-up to mfa, sign-in at most 15m old{said}{also}"


def test_a_decision_over_a_thousand_rules_and_names_ends() -> None:
    rules = "".join(f"  - {{name: r{n}, do: [delete], names: ['*a*a*a*a*b{n}'], needs: mfa}}\n" for n in range(500))
    found = decided(rules, "delete pod --wait=false " + " ".join("a" * 60 + str(n) for n in range(50)))
    assert found.effect == "allow"


def test_the_rules_that_are_looked_at_are_those_of_the_index_or_all_of_them() -> None:
    found, command = policy(DELETES % ""), read(["delete", "pod", "x"])
    for index, effect in ((found.index, "stepup"), (None, "stepup"), (index_of(()), "allow")):
        assert decide(found.replace(index=index), command, PROD).effect == effect


FLAGS = [
    ["-n", "prod"],
    ["--wait=false"],
    ["--context=c"],
    ["-v", "3"],
    ["--grace-period", "0"],
    ["--force"],
    ["-l=a=b"],
]


@settings(derandomize=True, max_examples=150, deadline=None, database=None)
@given(order=st.permutations(range(len(FLAGS))), places=st.lists(st.integers(0, 2), min_size=7, max_size=7))
def test_the_place_of_a_flag_makes_no_difference(order: list[int], places: list[int]) -> None:
    """Flags may stand behind the command, between its words or, where kubectl allows it, before it."""
    groups: list[list[str]] = [[], [], []]
    for number, place in zip(order, places, strict=True):
        swallows = FLAGS[number] == ["--force"]  # before the command it would take the next word for its value
        groups[1 if swallows and place == 0 else place].extend(FLAGS[number])
    argv = [*groups[0], "delete", *groups[1], "pod", *groups[2]]
    strict = policy("  - {{name: all, do: [{}], needs: mfa}}\n".format(", ".join(NAMES)))
    found = decide(strict, read(argv), PROD)
    behind = read(["delete", "pod", *(word for flag in FLAGS for word in flag)])
    assert found.to_json() == decide(strict, behind, PROD).to_json()
    assert found.effect == "stepup"
