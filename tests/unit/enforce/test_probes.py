"""Requests without effect: which, for which rule, and what their answers mean."""

from __future__ import annotations

import pytest

from kubectl_stepup.enforce.verify import probes
from kubectl_stepup.enforce.verify.answers import KubectlAnswer
from kubectl_stepup.enforce.verify.probes import Probe, Sample
from kubectl_stepup.enforce.verify.results import ENFORCED, GAP, NOT_CHECKED, Login, VerifyResult
from tests.unit.enforce.policies import PROD, policy
from tests.unit.enforce.test_answers import ANOTHER, DENIED, LOOK, RBAC, WARNED

SHOP = Sample(
    namespace="shop",
    objects=("configmap/a", "pod/web-0", "deployment.apps/web", "serviceaccount/default", "widget.example.com/w1"),
)
EVERYWHERE = Sample(namespace=None, objects=("node/worker-1", "customresourcedefinition.apiextensions.k8s.io/x.y"))
SANDBOX = Sample(namespace="sandbox", objects=("configmap/a",))
POSSIBLE = tuple(probes.probes([SANDBOX, SHOP, EVERYWHERE]))
EVERYDAY, MFA = Login(level=None), Login(level="mfa", rank=0)


def kinds(rule: str) -> dict[str, str | None]:
    made = policy(f"name: one, needs: critical, {rule}")
    found = probes.of_rule(made.rules[0], made, PROD, POSSIBLE)
    return {one.kind: one.namespace for one in found}


@pytest.mark.parametrize("probe", [*POSSIBLE, probes.OWN], ids=lambda probe: f"{probe.kind} {probe.namespace}")
def test_no_probe_can_have_an_effect(probe: Probe) -> None:
    words = probe.words
    if words[0] == "get":  # the upgrade that would start a program is not asked for
        assert words[:2] == ("get", "--raw")
    elif words[:2] == ("create", "--raw") and words[2].endswith("/token"):
        # A token is bound to a Secret that is not there.
        assert '"boundObjectRef": {"apiVersion": "v1", "kind": "Secret", "name": "kubectl-stepup-verify"}' in str(
            probe.stdin
        )
    elif words[:2] == ("create", "--raw"):
        assert words[2].endswith("?dryRun=All")
        assert '"dryRun": ["All"]' in str(probe.stdin)
    else:
        assert "--dry-run=server" in words


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            "do: [delete], except: {namespaces: [sandbox]}",
            {"delete a configmap": "shop", "delete a pod": "shop", "evict a pod": "shop"},
        ),
        ("do: [stop]", {"scale to zero": "shop", "cordon a node": None}),
        ("do: [shell]", {"open a shell": "shop"}),
        ("do: [read-secrets]", {}),
        ("do: [grant]", {"grant a role": "sandbox"}),
        ("do: [mint], namespaces: [shop]", {"get a token": "shop"}),
        ("do: [protect]", {"change a CRD": None}),
        ("do: [node]", {"change a node": None}),
        ("do: [run-as]", {"mount a secret": "sandbox"}),
        ("do: [delete], names: [web-0]", {"delete a pod": "shop", "evict a pod": "shop"}),
        ("do: [delete], clusters: [dev-*]", {}),
        ("verbs: [patch], apiGroups: [example.com], resources: [widgets]", {"change a widget": "shop"}),
        ("verbs: [get], resources: [configmaps]", {}),
    ],
)
def test_the_policy_chooses(rule: str, expected: dict[str, str | None]) -> None:
    found = kinds(rule)

    assert {kind: found.get(kind) for kind in expected} == expected
    assert expected or not found


def test_a_rule_about_one_action_is_not_tried_by_another() -> None:
    assert set(kinds("do: [delete]")) == {"delete a configmap", "delete a pod", "evict a pod"}


def evaluated_answers(*answers: KubectlAnswer, mode: str = "enforce", kind: str = "delete a pod") -> VerifyResult:
    made = policy(f"name: deletes, do: [delete], needs: critical, mode: {mode}")
    probe = next(one for one in POSSIBLE if one.kind == kind and one.namespace == "shop")
    told = dict(zip((EVERYDAY, MFA), answers, strict=False))
    return probes.evaluated(made.rules[0], probe, tuple(told), lambda login, _: told[login], fix="apply")


REFUSED, PASSED = KubectlAnswer(code=1, err=DENIED), KubectlAnswer(code=0)
OTHER_RULE = KubectlAnswer(code=1, err=DENIED.replace("kubectl-stepup-deletes", "kubectl-stepup-all"))


@pytest.mark.parametrize(
    ("answers", "point", "state", "detail"),
    [
        ((REFUSED, REFUSED), "admission", ENFORCED, "everyday: refused; mfa: refused"),
        ((OTHER_RULE,), "admission", ENFORCED, "everyday: refused by rule all, which it meets too"),
        ((KubectlAnswer(code=1, err=RBAC),), "rbac", ENFORCED, "everyday: RBAC refuses it already"),
        ((PASSED, REFUSED), "admission", GAP, "everyday: the server lets it pass"),
        ((REFUSED, PASSED), "admission", GAP, "mfa: the server lets it pass"),
        ((KubectlAnswer(code=1, err=LOOK),), "admission", NOT_CHECKED, "everyday: may not even look at the object"),
        ((KubectlAnswer(code=1, err=ANOTHER),), "admission", NOT_CHECKED, "everyday: Error from server (Forbidden)"),
        (
            (KubectlAnswer(code=1, err='pods "web-0" not found'), PASSED),
            "admission",
            GAP,
            "mfa: the server lets it pass",
        ),
    ],
)
def test_what_the_answers_mean(answers: tuple[KubectlAnswer, ...], point: str, state: str, detail: str) -> None:
    row = evaluated_answers(*answers)

    assert (row.point, row.state) == (point, state)
    assert row.detail.startswith(detail)
    assert row.fix == ("apply" if state == GAP else "")


@pytest.mark.parametrize(
    ("kind", "err", "state"),
    [
        ("open a shell", "Error from server (BadRequest): pod web-0 does not have a host assigned", GAP),
        ("open a shell", 'Error from server (NotFound): pods "web-0" not found', NOT_CHECKED),
        ("get a token", 'Error from server (NotFound): secrets "kubectl-stepup-verify" not found', GAP),
        ("get a token", 'Error from server (NotFound): serviceaccounts "default" not found', NOT_CHECKED),
        ("evict a pod", "Error from server (TooManyRequests): would violate the pod's disruption budget", GAP),
        ("evict a pod", "Error from server (TooManyRequests): the server has received too many requests", NOT_CHECKED),
        ("open a shell", 'Error from server (BadRequest): admission webhook "x" denied the request: no', NOT_CHECKED),
    ],
)
def test_an_error_that_comes_after_admission_is_a_hole(kind: str, err: str, state: str) -> None:
    assert evaluated_answers(KubectlAnswer(code=1, err=err), kind=kind).state == state


@pytest.mark.parametrize(
    ("answer", "state"), [(KubectlAnswer(code=0, err=WARNED), ENFORCED), (PASSED, GAP), (REFUSED, ENFORCED)]
)
def test_a_rule_that_warns_lets_pass_and_says_so(answer: KubectlAnswer, state: str) -> None:
    assert evaluated_answers(answer, mode="warn").state == state
