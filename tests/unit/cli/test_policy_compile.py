"""`policy compile` from the outside: what it prints, writes and refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from .conftest import Cli, Result

CONFIG = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Config
providers:
  - name: corp
    issuer: https://login.example.com/realms/prod
    clientID: kubectl
    elevatedClientID: kubectl-elevated
    preset: keycloak
    evidence: {mfa: {acr: [mfa, gold]}, critical: {acr: [phr]}}
clusters:
  - {name: prod-eu, context: prod, server: "https://api.example.com", provider: corp, account: alice}
"""
FILES = [
    "authentication-configuration.yaml",
    "policies.yaml",
    "bindings.yaml",
    "published-policy.yaml",
    "audit-policy.yaml",
    "kustomization.yaml",
]


@pytest.fixture
def compile_policy(cli: Cli, write: Callable[[str, str], str]) -> Callable[..., Result]:
    config = write("config.yaml", CONFIG)

    def call(*words: str) -> Result:
        return cli("policy", "compile", "--config", config, "--cluster", "prod-eu", *words)

    return call


def test_everything_is_printed_as_one_stream_of_documents(compile_policy: Callable[..., Result]) -> None:
    made = compile_policy("--no-break-glass")

    assert made.code == 0
    kinds = [one["kind"] for one in yaml.safe_load_all(made.out) if one]
    assert kinds[0] == "AuthenticationConfiguration"
    assert {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ConfigMap", "Policy"} <= set(kinds)
    assert kinds[-1] == "Kustomization"
    assert "warning: rule secrets: read-secrets (get, list, watch) on secrets is enforced by RBAC alone" in made.err
    assert "To put it in force:\n  1. Authentication:" in made.err


def test_files_are_written_and_named(compile_policy: Callable[..., Result], tmp_path: Path) -> None:
    made = compile_policy("--no-break-glass", "--output-dir", str(tmp_path / "server"))

    assert made.out.split() == [str(tmp_path / "server" / name) for name in FILES]
    for name in FILES:
        text = (tmp_path / "server" / name).read_text()
        assert text.startswith("# kubectl-stepup ")
        assert "cluster prod-eu, policy sha256:" in text.splitlines()[0]
        assert all(one for one in yaml.safe_load_all(text))


def test_the_same_bytes_every_time_wherever_one_stands(
    compile_policy: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    compile_policy("--no-break-glass", "--output-dir", "server")
    before = {name: (tmp_path / "server" / name).read_bytes() for name in FILES}
    compile_policy("--no-break-glass", "--output-dir", str(tmp_path / "again"))

    assert {name: (tmp_path / "again" / name).read_bytes() for name in FILES} == before
    assert not list(tmp_path.rglob("*.lock"))


@pytest.mark.parametrize(("version", "served"), [("1.33", "v1beta1"), ("1.34", "v1"), ("v1.36.2", "v1")])
def test_the_form_is_the_servers(compile_policy: Callable[..., Result], version: str, served: str) -> None:
    made = compile_policy("--target", "authentication", "--kubernetes", version)

    assert yaml.safe_load(made.out)["apiVersion"] == f"apiserver.config.k8s.io/{served}"


def test_the_names_are_those_of_the_server(compile_policy: Callable[..., Result]) -> None:
    flags = ("--username-claim", "email", "--username-prefix", "oidc:", "--groups-claim", "roles")
    made = yaml.safe_load(compile_policy("--target", "authentication", *flags).out)

    mappings = made["jwt"][0]["claimMappings"]
    assert mappings["username"] == {"claim": "email", "prefix": "oidc:"}
    assert "claims[?'roles']" in mappings["groups"]["expression"]


def test_a_configuration_in_force_is_merged_into(
    compile_policy: Callable[..., Result], write: Callable[[str, str], str]
) -> None:
    existing = write(
        "auth.yaml",
        """\
apiVersion: apiserver.config.k8s.io/v1beta1
kind: AuthenticationConfiguration
jwt:
  - issuer: {url: https://ci.example.com, audiences: [ci]}
    claimMappings: {username: {claim: sub, prefix: "ci:"}}
""",
    )
    result = compile_policy("--target", "authentication", "--authentication-config", existing)
    made = yaml.safe_load(result.out)

    assert "It replaces the whole file" not in result.err
    assert "It replaces the whole file" in compile_policy("--target", "authentication").err
    assert [one["issuer"]["url"] for one in made["jwt"]] == [
        "https://ci.example.com",
        "https://login.example.com/realms/prod",
    ]


BINDINGS = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: developer}
rules:
  - {apiGroups: [""], resources: [pods, secrets], verbs: [get, list, delete]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: devs, namespace: prod}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: developer}
subjects:
  - {apiGroup: rbac.authorization.k8s.io, kind: Group, name: dev}
  - {kind: ServiceAccount, name: ci, namespace: ci}
"""


def test_readers_of_secrets_are_bound_anew_and_nothing_else_is_touched(
    compile_policy: Callable[..., Result], write: Callable[[str, str], str], tmp_path: Path
) -> None:
    flags = ("--target", "rbac", "--from-bindings", write("bindings.yaml", BINDINGS))
    made = compile_policy(*flags, "--output-dir", str(tmp_path / "server"))

    new = {
        (one["kind"], one["metadata"]["name"]): one
        for one in yaml.safe_load_all((tmp_path / "server/rbac.yaml").read_text())
        if one
    }
    # Deleting is admission's to refuse: only the reads leave the everyday role.
    assert new["Role", "developer-stepup-mfa"]["rules"] == [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}
    ]
    assert new["RoleBinding", "devs-stepup-mfa"]["subjects"][0]["name"] == "stepup:mfa:dev"
    assert {"apiGroups": [""], "resources": ["secrets"], "verbs": ["delete"]} in new["Role", "developer-everyday"][
        "rules"
    ]
    (old,) = (one for one in yaml.safe_load_all((tmp_path / "server/old-grants.yaml").read_text()) if one)
    assert old["subjects"] == [{"kind": "ServiceAccount", "name": "ci", "namespace": "ci"}]
    kustomization = yaml.safe_load((tmp_path / "server/kustomization.yaml").read_text())
    assert kustomization["resources"] == ["rbac.yaml"]
    assert "2. Last, when people have tried the new roles: kubectl apply -f" in made.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ((), 2, "who may pass the admission policies when the identity provider is down?"),
        (("--no-break-glass", "--break-glass-group", "a"), 2, "exclude each other"),
        (("--break-glass-group", "system:masters"), 2, "'system:masters': groups of Kubernetes"),
        (("--target", "audit", "--kubernetes", "1.29"), 2, "'1.29' is no version of 1.30 or later"),
        (("--target", "audit", "--token-lifetime", "5"), 2, "'5' is no duration such as 5m"),
        (("--target", "authentication", "--authentication-config", "/nowhere"), 1, "/nowhere: no such file"),
        (("--target", "rbac", "--from-bindings", "/nowhere"), 1, "/nowhere: no such file"),
        (("--cluster", "other", "--target", "audit"), 1, "context other is not enrolled"),
        (("--no-break-glass", "--output-dir", "/dev/null"), 2, "'/dev/null' is no directory"),
    ],
)
def test_what_is_wrong_is_said(
    compile_policy: Callable[..., Result], words: tuple[str, ...], code: int, message: str
) -> None:
    made = compile_policy(*words)

    assert (made.code, made.out) == (code, "")
    assert message in made.err
