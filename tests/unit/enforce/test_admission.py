"""ValidatingAdmissionPolicies: what a rule becomes. (What they do is tested on a real API server.)"""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.enforce.targets.admission import Gate, objects
from kubectl_stepup.enforce.targets.requests_cel import ACTIONS
from kubectl_stepup.policy.actions import NAMES
from tests.unit.enforce.policies import PROD, policy

PEOPLE = "request.userInfo.?extra[?'kubectl-stepup.github.io/issuer'].hasValue()"


def compiled(*rules: str, break_glass: str | None = None) -> dict[tuple[str, str], dict[str, Any]]:
    gate = Gate(
        cluster=PROD,
        policy=policy(*rules),
        acr_values={"mfa": ("gold", "silver")},
        annotations={"digest": "d"},
        break_glass=break_glass,
    )
    return {(one["kind"].removeprefix("ValidatingAdmission"), one["metadata"]["name"]): one for one in objects(gate)}


def spec_of(rule: str, *, break_glass: str | None = None) -> dict[str, Any]:
    found = compiled(f"name: a, {rule}", break_glass=break_glass)
    spec: dict[str, Any] = found["Policy", "kubectl-stepup-a"]["spec"]
    return spec


def variable(spec: dict[str, Any], name: str) -> str:
    (found,) = (str(one["expression"]) for one in spec["variables"] if one["name"] == name)
    return found


def test_a_rule_becomes_a_policy_and_its_binding() -> None:
    found = compiled("name: deletes, do: [delete], needs: mfa")

    made = found["Policy", "kubectl-stepup-deletes"]
    assert made["spec"]["failurePolicy"] == "Fail"
    assert made["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "kubectl-stepup"}
    assert made["metadata"]["annotations"] == {"digest": "d", "kubectl-stepup.github.io/rule": "deletes"}
    assert found["PolicyBinding", "kubectl-stepup-deletes"]["spec"] == {
        "policyName": "kubectl-stepup-deletes",
        "validationActions": ["Deny"],
    }


def test_what_we_publish_is_protected_by_the_highest_level_whatever_the_rules() -> None:
    spec = compiled("name: a, do: [shell], needs: mfa")["Policy", "kubectl-stepup-own-objects"]["spec"]

    assert variable(spec, "steppedUp") == "request.userInfo.groups.exists(group, group in ['stepup:critical'])"


@pytest.mark.parametrize(("mode", "actions"), [("enforce", "Deny"), ("warn", "Warn"), ("audit", "Audit")])
def test_the_mode_is_the_bindings(mode: str, actions: str) -> None:
    found = compiled(f"name: a, do: [delete], needs: mfa, mode: {mode}")

    assert found["PolicyBinding", "kubectl-stepup-a"]["spec"]["validationActions"] == [actions]


@pytest.mark.parametrize(
    "rule",
    ["do: [read-secrets], needs: mfa", "do: [delete], where: {all: true}, needs: mfa", "verbs: [get], needs: mfa, "
     "resources: [configmaps]"],
)  # fmt: skip
def test_what_admission_does_not_see_makes_no_policy(rule: str) -> None:
    assert ("Policy", "kubectl-stepup-a") not in compiled(f"name: a, {rule}")


@pytest.mark.parametrize("action", [name for name in NAMES if name != "read-secrets"])
def test_every_other_action_is_seen(action: str) -> None:
    spec = spec_of(f"do: [{action}], needs: mfa")

    assert spec["matchConstraints"]["resourceRules"]
    assert action in ACTIONS


def test_webhooks_are_protected_although_policies_themselves_are_exempt() -> None:
    spec = spec_of("do: [protect], needs: critical")

    assert "admissionregistration.k8s.io" in spec["matchConstraints"]["resourceRules"][0]["apiGroups"]
    assert "'admissionregistration.k8s.io'" in variable(spec, "protect")


def test_a_stronger_level_will_do() -> None:
    spec = spec_of("do: [delete], needs: mfa")

    assert "group in ['stepup:mfa', 'stepup:critical']" in variable(spec, "steppedUp")


def test_only_people_are_asked() -> None:
    assert spec_of("do: [delete], needs: mfa")["matchConditions"] == [{"name": "people", "expression": PEOPLE}]


def test_break_glass_passes_with_a_certificate_and_is_annotated() -> None:
    spec = spec_of("do: [delete], needs: mfa", break_glass="sre")

    assert "group == 'sre'" in spec["matchConditions"][0]["expression"]
    assert variable(spec, "breakGlass").startswith(f"!{PEOPLE} && ")
    assert "BREAK-GLASS" in spec["auditAnnotations"][0]["valueExpression"]


def test_the_message_is_for_people_and_programs() -> None:
    (validation,) = spec_of("do: [delete], needs: mfa, message: see the runbook")["validations"]

    assert validation["reason"] == "Forbidden"
    assert validation["message"] == (
        "step-up to mfa needed (rule a: see the runbook); "
        'error="insufficient_user_authentication", acr_values="gold silver", max_age="900"; '
        "run: kubectl stepup exec -- ...; help: ask the platform team"
    )
    assert "\n" not in validation["message"]
    assert validation["messageExpression"].startswith("'step-up to mfa needed (rule a: see the runbook); ")


def test_a_level_without_acr_names_none() -> None:
    (validation,) = spec_of("do: [delete], needs: critical")["validations"]

    assert 'error="insufficient_user_authentication", max_age="300"' in validation["message"]


@pytest.mark.parametrize(
    ("selector", "condition"),
    [
        ("namespaces: [prod]", "(variables.namespaceName == '' ? true : variables.namespaceName == 'prod')"),
        ("names: ['web-*']", "(variables.name == '' ? true : variables.name.startsWith('web-'))"),
        (
            "except: {namespaces: ['sandbox-*'], clusters: ['prod-*']}",
            "!((variables.namespaceName == '' ? false : variables.namespaceName.startsWith('sandbox-')))",
        ),
        ("except: {clusters: [other], namespaces: [x]}", "variables.delete"),
    ],
)
def test_what_has_no_namespace_is_in_every_one_and_in_no_exception(selector: str, condition: str) -> None:
    spec = spec_of(f"do: [delete], needs: mfa, {selector}")

    assert variable(spec, "sensitive").endswith(condition)


def test_change_is_what_no_other_action_is() -> None:
    names = [one["name"] for one in spec_of("do: [change], needs: mfa")["variables"]]

    assert names.index("change") > max(names.index(name) for name in ("delete", "stop", "node", "protect"))
    assert "!variables.mint" in variable(spec_of("do: [change], needs: mfa"), "change")


@pytest.mark.parametrize(
    ("rule", "shown", "condition"),
    [
        (
            "verbs: [update], apiGroups: [example.com], resources: [widgets/status]",
            {"apiGroups": ["example.com"], "operations": ["UPDATE"], "resources": ["widgets/status"]},
            "request.resource.resource == 'widgets' && variables.part != '' && variables.part == 'status'",
        ),
        (
            "verbs: [delete, deletecollection], apiGroups: ['*.example.com'], resources: ['w*']",
            {"apiGroups": ["*"], "operations": ["DELETE"], "resources": ["*/*"]},
            "request.resource.resource.startsWith('w') && variables.part == ''",
        ),
        (
            "verbs: [get, create], apiGroups: [''], resources: [pods/exec]",
            {"apiGroups": [""], "operations": ["CREATE", "CONNECT"], "resources": ["pods/exec"]},
            "variables.operation == 'CONNECT' && variables.kind in ['pods/exec']",
        ),
        (
            "verbs: ['*']",
            {"apiGroups": ["*"], "operations": ["CREATE", "DELETE", "UPDATE", "CONNECT"], "resources": ["*/*"]},
            "'services/proxy'",
        ),
    ],
)
def test_rules_by_name(rule: str, shown: dict[str, list[str]], condition: str) -> None:
    spec = spec_of(f"{rule}, needs: mfa")

    assert spec["matchConstraints"]["resourceRules"] == [{"apiVersions": ["*"], "scope": "*", **shown}]
    assert condition in variable(spec, "named")
