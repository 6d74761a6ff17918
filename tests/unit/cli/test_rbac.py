"""`rbac audit`: where it reads, what it prints, and how it ends."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from tests.rbac.weaknesses import STOCK, WEAKNESSES

from .conftest import Cli

FILES = ("--from", str(STOCK[-1]), "--from", str(WEAKNESSES))
POLICY = """
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
rules:
  - {name: secrets, do: [read-secrets], clusters: ["prod-*"], labels: {env: [prod]}, needs: mfa}
"""
CONFIG = """
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Config
providers:
  - {name: corp, issuer: "https://login.example.com", clientID: kubectl, elevatedClientID: kubectl-elevated,
     preset: keycloak, evidence: {mfa: {acr: [mfa]}}}
clusters:
  - {name: prod-eu, labels: {env: prod}, context: eu, server: "https://a.example.com", provider: corp, account: a}
  - {name: dev, labels: {env: dev}, context: dev, server: "https://b.example.com", provider: corp, account: a}
"""


def ids(out: str) -> set[str]:
    return {one["id"] for one in json.loads(out)["items"]}


def test_the_table_ends_with_the_sum(cli: Cli) -> None:
    found = cli("rbac", "audit", *FILES)
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith("SEVERITY   FINDING")
    assert found.out.splitlines()[-1].startswith("46 findings: 11 critical, ")


@pytest.mark.parametrize(
    ("fail_on", "subject", "code"),
    [("critical", "ops", 1), ("critical", "lookers", 0), ("high", "lookers", 1), ("low", "nobody", 0), ("low", "*", 1)],
)
def test_it_fails_on_what_it_is_told_to(cli: Cli, fail_on: str, subject: str, code: int) -> None:
    assert cli("rbac", "audit", *FILES, "--fail-on", fail_on, "--subject", subject).code == code
    assert cli("rbac", "audit", *FILES, "--subject", subject).code == 0


def test_filters(cli: Cli) -> None:
    assert ids(cli("rbac", "audit", *FILES, "-o", "json", "--subject", "carol").out) == {"secrets-read"}
    assert ids(cli("rbac", "audit", *FILES, "-o", "json", "--subject", "User *", "--severity", "high").out) == {
        "wildcard-everything",
        "secrets-read",
    }
    scopes = {
        one["scope"] for one in json.loads(cli("rbac", "audit", *FILES, "-o", "json", "-n", "team-b").out)["items"]
    }
    assert scopes == {"cluster", "team-b"}


def test_json_and_yaml_are_one_object(cli: Cli) -> None:
    as_json, as_yaml = (cli("rbac", "audit", *FILES, "-o", form).out for form in ("json", "yaml"))
    assert json.loads(as_json) == yaml.safe_load(as_yaml)
    assert json.loads(as_json)["kind"] == "RbacFindingList"


def test_sarif(cli: Cli) -> None:
    log = json.loads(cli("rbac", "audit", *FILES, "-o", "sarif").out)
    assert (log["version"], len(log["runs"][0]["results"])) == ("2.1.0", 46)


def test_the_fix_is_yaml_with_words_above(cli: Cli) -> None:
    found = cli("rbac", "audit", *FILES, "--fix")
    objects = [one for one in yaml.safe_load_all(found.out) if one]
    assert {one["kind"] for one in objects} == {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}
    assert found.out.startswith("# What closes the gaps")
    nothing = cli("rbac", "audit", *FILES, "--fix", "--subject", "nobody")
    assert (nothing.code, nothing.out) == (0, "# Nothing was found that RBAC can close.\n")
    refused = cli("rbac", "audit", *FILES, "--fix", "-o", "sarif")
    assert (refused.code, refused.out) == (2, "")


def test_standard_input(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(WEAKNESSES.read_bytes())))
    assert "cluster-role-write" in ids(cli("rbac", "audit", "--from", "-", "-o", "json").out)
    assert cli("rbac", "audit", "--from", "-", "--from", "-").code == 2


def test_the_cluster_selects_the_rules_of_the_policy(cli: Cli, write: Callable[..., str]) -> None:
    files = ("--config", write("config.yaml", CONFIG), "--policy", write("policy.yaml", POLICY), *FILES, "-o", "json")
    everywhere = ids(cli("rbac", "audit", *files).out)
    assert {"secrets-read", "cluster-admin"} <= everywhere
    assert not everywhere & {"pod-exec", "bind", "node-proxy"}
    for flags in (("--cluster", "prod-eu"), ("--cluster", "eu"), ("--context", "eu")):
        found = cli("rbac", "audit", *files, *flags)
        assert ids(found.out) == everywhere
        assert json.loads(found.out)["cluster"] == "prod-eu"
    dev = ids(cli("rbac", "audit", *files, "--cluster", "dev").out)
    assert dev == {"system-masters", "level-grants", "pretended-level", "dangling-role", "dangling-service-account"}
    other = json.loads(cli("rbac", "audit", *files, "--context", "other").out)
    assert {one["id"] for one in other["items"]} == everywhere
    assert any("context other is not enrolled" in note for note in other["notes"])
    unknown = cli("rbac", "audit", *files, "--cluster", "nosuch")
    assert (unknown.code, unknown.error["code"]) == (1, "not-enrolled")


@pytest.mark.parametrize(
    ("text", "code"),
    [("kind: ConfigMap\napiVersion: v1\n", "rbac-invalid"), ("a: [", "rbac-invalid"), ("[]", "rbac-invalid")],
)
def test_a_file_that_says_nothing_about_rbac_is_an_error(
    cli: Cli, write: Callable[..., str], text: str, code: str
) -> None:
    found = cli("rbac", "audit", "--from", write("rbac.yaml", text), "-o", "json")
    assert (found.code, found.out, found.error["code"]) == (1, "", code)


def test_a_missing_file_is_an_error(cli: Cli, tmp_path: Path) -> None:
    found = cli("rbac", "audit", "--from", str(tmp_path / "none.yaml"), "-o", "json")
    assert (found.code, found.error["code"]) == (1, "rbac-invalid")
    assert found.error["message"].endswith("none.yaml: no such file or directory")


def test_a_cluster_is_read_with_ones_own_kubectl(
    cli: Cli, write: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f"""#!/bin/sh
echo "$@" >> "$(dirname "$0")/asked"
case "$2" in
  clusterroles*) cat "{STOCK[-1]}" ;;
  *) exit 1 ;;
esac
"""
    path = Path(write("bin/kubectl", script))
    path.chmod(0o700)
    monkeypatch.setenv("PATH", f"{path.parent}:/bin:/usr/bin")
    monkeypatch.delenv("KUBECTL_PATH", raising=False)
    config = write("config.yaml", CONFIG)
    found = cli("rbac", "audit", "--config", config, "--cluster", "prod-eu", "--kubeconfig", "/k", "-o", "json")
    assert ids(found.out) == {"system-masters"}
    assert len(json.loads(found.out)["notes"]) == 2
    asked = (path.parent / "asked").read_text().splitlines()
    assert len(asked) == 3
    assert all(line.endswith("--context=eu --kubeconfig=/k") for line in asked)
