"""The whole bundle: which files, in what order, and always the same bytes."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.enforce import advice, bundle
from kubectl_stepup.enforce.bundle import CompileRequest, compile_bundle
from kubectl_stepup.enforce.issuer_trust import Trust, TrustedLevel
from kubectl_stepup.enforce.targets import policy_config_map
from kubectl_stepup.oidc.requirement import AuthTime, Evidence
from kubectl_stepup.policy.document_of import document_of
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Policy
from kubectl_stepup.yaml_edit import yaml_file
from tests.unit.enforce.policies import PROD, policy

RULES = (
    "name: deletes, do: [delete, stop], clusters: ['prod-*'], except: {namespaces: [sandbox]}, needs: mfa",
    "name: elsewhere, do: [delete], clusters: [dev], needs: mfa",
    "name: secrets, do: [read-secrets], labels: {env: prod}, needs: mfa",
)
GRANTS = """\
grants:
  - {level: mfa, group: dev, role: prod-operator, namespaces: [prod, shop]}
  - {level: critical, group: sre, role: cluster-admin}
"""


def trust(**changes: object) -> Trust:
    values: dict[str, object] = {
        "issuer": "https://login.example.com",
        "everyday": "kubectl",
        "elevated": "kubectl-elevated",
        "levels": (TrustedLevel(name="mfa", evidence=Evidence(acr=("gold",)), window_s=1260),),
        "auth_time": AuthTime.REQUIRED,
    }
    return Trust(**{**values, **changes})  # type: ignore[arg-type]


def request(made: Policy | None = None, **changes: Any) -> CompileRequest:
    values: dict[str, Any] = {
        "policy": made or policy(*RULES),
        "cluster": PROD,
        "trust": trust(),
        "acr_values": {"mfa": ("gold",)},
    }
    return CompileRequest(**{**values, **changes})


def compiled(made: Policy | None = None, **changes: object) -> bundle.Bundle:
    return compile_bundle(request(made, **changes), text_of=yaml_file.text_of)


def test_the_files_in_their_order() -> None:
    assert [file.name for file in compiled().files] == [
        "authentication-configuration.yaml",
        "policies.yaml",
        "bindings.yaml",
        "published-policy.yaml",
        "audit-policy.yaml",
        "kustomization.yaml",
    ]


def test_the_kustomization_names_what_kubectl_applies_and_nothing_else() -> None:
    (document,) = compiled(policy(*RULES, more=GRANTS)).files[-1].documents

    assert document.content["resources"] == ["policies.yaml", "bindings.yaml", "published-policy.yaml", "rbac.yaml"]


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("authentication", ["authentication-configuration.yaml"]),
        ("audit", ["audit-policy.yaml"]),
        ("rbac", []),
        ("admission", ["policies.yaml", "bindings.yaml", "published-policy.yaml", "kustomization.yaml"]),
    ],
)
def test_one_target_alone(target: str, names: list[str]) -> None:
    assert [file.name for file in compiled(targets=(target,)).files] == names


def test_the_same_policy_gives_the_same_bundle_and_another_one_another_digest() -> None:
    assert compiled() == compiled()
    assert compiled().digest == compiled().digest != compiled(policy(*RULES[:1])).digest
    assert compiled().digest.startswith("sha256:")


def test_every_applied_object_names_the_digest() -> None:
    made = compiled(policy(*RULES, more=GRANTS))
    named = [one for one in made.objects if one["kind"] not in ("Role", "RoleBinding")]

    assert len(named) >= 6
    for one in named:
        assert one["metadata"]["annotations"]["kubectl-stepup.github.io/policy-digest"] == made.digest


def test_what_is_published_is_the_clusters_part_and_can_be_loaded() -> None:
    made = compiled()
    (config_map,) = (one for one in made.objects if one["kind"] == "ConfigMap")
    loaded = load(("published", config_map["data"]["policy.yaml"].encode()), None)

    ours = [rule for rule in loaded.rules if rule.file == "published"]
    assert [rule.name for rule in ours] == ["deletes", "secrets"]
    assert all(not rule.selector.clusters and not rule.selector.labels for rule in ours)
    assert ours[0].excluded[0].namespaces == ("sandbox",)
    # The window that the server tests, so that the client says Approved by the same.
    assert [level.server_window_s for level in loaded.levels] == [1260, None]


def test_the_digest_is_that_of_what_is_published() -> None:
    made = compiled()
    on_cluster = policy_config_map.policy_on(policy(*RULES), PROD, windows={"mfa": 1260})

    assert made.digest == policy_config_map.digest_of(document_of(on_cluster))


def test_grants_are_bound_to_derived_groups() -> None:
    made = compiled(policy(*RULES, more=GRANTS))
    bound = [
        (one["kind"], one["metadata"].get("namespace"), one["roleRef"]["name"], one["subjects"][0]["name"])
        for one in made.objects
        if "grant" in one["metadata"]["name"]
    ]
    assert bound == [
        ("RoleBinding", "prod", "prod-operator", "stepup:mfa:dev"),
        ("RoleBinding", "shop", "prod-operator", "stepup:mfa:dev"),
        ("ClusterRoleBinding", None, "cluster-admin", "stepup:critical:sre"),
    ]


def test_the_order_begins_with_authentication_and_ends_with_the_old_grants() -> None:
    old = (bundle.Document(comment="", content={"kind": "RoleBinding", "metadata": {"name": "a"}}),)
    steps = advice.order(compiled(old_grants=old), directory="server", cluster="prod-eu", merged=False)
    there = steps[: steps.index("To take it back:")]

    found = [next(at for at, step in enumerate(there) if word in step) for word in (
        "authentication-configuration", "policies.yaml", "only the bindings are missing", "bindings.yaml",
        "verify --cluster prod-eu    (proves", "old-grants.yaml",
    )]  # fmt: skip
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        ({}, {}),
        (
            {"break_glass": "sre", "token_life_s": 300},
            {"kubectl-stepup.github.io/break-glass": "sre", "kubectl-stepup.github.io/token-lifetime": "300"},
        ),
    ],
)
def test_objects_say_by_which_choices_they_come_out_again(changes: dict[str, Any], more: dict[str, str]) -> None:
    (config_map,) = (one for one in compiled(**changes).objects if one["kind"] == "ConfigMap")
    said = config_map["metadata"]["annotations"]

    expected = {"kubectl-stepup.github.io/policy-digest", "kubectl-stepup.github.io/version", *more}
    assert set(said) == expected
    assert more.items() <= said.items()


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({}, "level critical: the provider has no evidence for it"),
        ({}, "rule secrets: read-secrets (get, list, watch) on secrets is enforced by RBAC alone"),
        ({}, "rule deletes: stop (patch) is enforced by the client alone (only: rollout undo)"),
        ({}, "no rule asks for critical before protect"),
        ({"policy": policy("name: a, do: [protect], needs: mfa")}, "no rule asks for critical before protect"),
        ({"trust": trust(elevated="kubectl")}, "one client serves both logins"),
        (
            {"trust": trust(levels=(TrustedLevel(name="mfa", evidence=Evidence(acr=("gold",)), window_s=4560),))},
            "level mfa: a token stays elevated for up to 76m after the sign-in",
        ),
        (
            {"trust": trust(levels=(TrustedLevel(name="mfa", evidence=Evidence(scope=("x",)), window_s=900),))},
            "the server sees them only if the ID token repeats them",
        ),
        (
            {"policy": policy("name: a, do: [delete], needs: mfa, mode: audit")},
            "rule a: mode audit, nothing is refused",
        ),
    ],
)
def test_what_the_server_will_not_do_is_said(changes: dict[str, Any], warning: str) -> None:
    assert any(warning in one for one in advice.warnings(request(**changes)))


def test_admission_policies_that_the_highest_level_protects_need_no_warning() -> None:
    protecting = policy("name: a, do: [protect], needs: critical")

    assert not any("before protect" in one for one in advice.warnings(request(protecting)))


def test_a_rule_about_another_cluster_is_not_spoken_of() -> None:
    assert not any("elsewhere" in one for one in advice.warnings(request()))
