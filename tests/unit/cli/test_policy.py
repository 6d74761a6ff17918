"""`policy check` and `policy explain`: the contract that other programs rely on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Cli

POLICY = """
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
rules:
  - {name: prod-deletes, do: [delete], clusters: ["prod-*"], except: {namespaces: ["sandbox-*"]}, needs: mfa}
commands: {stern: allow, foo: mfa}
"""


@pytest.mark.parametrize(
    ("words", "code", "effect"),
    [
        (("get", "pods"), 0, "allow"),
        (("config", "view"), 0, "allow"),
        (("delete", "pod", "web-0"), 4, "stepup"),
        (("create", "clusterrolebinding", "x", "--clusterrole=admin", "--user=me"), 4, "stepup"),
        (("frobnicate",), 5, "refuse"),
        (("delete", "pod", "x", "--token=y"), 5, "refuse"),
        (("proxy",), 5, "refuse"),
    ],
)
def test_the_exit_code_is_the_decision(cli: Cli, words: tuple[str, ...], code: int, effect: str) -> None:
    as_json, as_name, as_table = (
        cli("policy", "check", "-o", form, "--", *words) for form in ("json", "name", "table")
    )
    assert [found.code for found in (as_json, as_name, as_table)] == [code] * 3
    assert [found.err for found in (as_json, as_name, as_table)] == [""] * 3
    decision = json.loads(as_json.out)
    assert decision["decision"] == effect
    assert as_name.out == f"{effect}\n"
    level = f" {decision['level']}" if decision["level"] else ""
    assert as_table.out == f"{effect}{level}: {decision['why']}\n"


def test_the_object_is_one_line_with_these_members_alone(cli: Cli) -> None:
    out = cli("policy", "check", "-o", "json", "--", "delete", "pod", "web-0", "-n", "prod").out
    assert out.count("\n") == 1
    decision = json.loads(out)
    assert list(decision) == ["decision", "level", "rules", "requests", "actions", "summary", "why"]
    assert {name: decision[name] for name in ("decision", "level", "rules", "actions")} == {
        "decision": "stepup",
        "level": "mfa",
        "rules": ["deletes"],
        "actions": ["delete"],
    }
    pod = {"apiGroup": "", "resource": "pods", "subresource": "", "namespace": "prod", "name": "web-0"}
    assert {"verb": "delete", **pod} in decision["requests"]


def test_needs_no_kubeconfig_and_no_network(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, write: Callable[..., str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere:/etc")
    assert cli("policy", "check", "--context", "nowhere", "--", "delete", "pod", "x").code == 4
    monkeypatch.setenv("KUBECONFIG", write("kubeconfig", "not: [a, kubeconfig"))
    assert cli("policy", "check", "--", "get", "pods").code == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("delete", "pod", "x"), 4),  # cluster and namespace are not known: every include, no exclude
        (("delete", "pod", "x", "-n", "sandbox-1"), 0),
        (("delete", "pods", "--all", "-A"), 4),
        (("delete", "node", "x", "-n", "sandbox-1"), 4),  # cluster-scoped: a namespace excludes nothing
        (("delete", "namespace", "sandbox-1"), 0),
        (("stern", "web"), 0),
        (("foo",), 4),
        (("bar",), 5),
    ],
)
def test_a_policy_of_ones_own(cli: Cli, write: Callable[..., str], words: tuple[str, ...], code: int) -> None:
    assert cli("policy", "check", "--policy", write("policy.yaml", POLICY), "--", *words).code == code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: Policy\n", "apiVersion"),
        (POLICY.replace("needs: mfa", "needs: gold"), ":7:"),
        (POLICY.replace("do: [delete]", "do: [delte]"), "delete"),
        ("a: [\n", ":"),
    ],
)
def test_a_policy_that_does_not_load_is_said_with_file_and_line(
    cli: Cli, write: Callable[..., str], text: str, message: str
) -> None:
    path = write("policy.yaml", text)
    found = cli("policy", "check", "--policy", path, "-o", "json", "--", "get", "pods")
    assert (found.code, found.out, found.error["code"]) == (1, "", "policy-invalid")
    assert found.error["message"].startswith(f"{path}:")
    assert message in found.error["message"]


def test_a_policy_that_others_can_write_is_refused(cli: Cli, write: Callable[..., str]) -> None:
    """POL-35."""
    path = write("open/policy.yaml", POLICY)
    Path(path).chmod(0o666)
    found = cli("policy", "check", "--policy", path, "--", "get", "pods")
    assert found.code == 1
    assert "can be changed by other users" in found.err


def test_explain_names_rule_place_and_reason(cli: Cli, write: Callable[..., str]) -> None:
    path = write("policy.yaml", POLICY)
    found = cli("policy", "explain", "--policy", path, "-n", "prod", "--", "delete", "pod", "web-0")
    assert (found.code, found.err) == (0, "")
    lines = [line.split("   ", 1) for line in found.out.splitlines()]
    shown = {label.strip(): text.strip() for label, text in lines}
    assert shown["DECISION"] == ("step-up to mfa, sign-in at most 15m old; not asked for: the context is not enrolled")
    assert shown["RULE"] == f"prod-deletes   {path}:7"
    assert shown["REQUEST"].startswith("delete pods/web-0")
    assert shown["SESSION"] == "the context is not enrolled: runs with your everyday login"


@pytest.mark.parametrize(("words", "said"), [(("get", "pods"), "allowed, runs as it is"), (("bar",), "refused")])
def test_explain_says_what_is_allowed_and_what_is_refused(cli: Cli, words: tuple[str, ...], said: str) -> None:
    found = cli("policy", "explain", "--", *words)
    assert found.code == 0
    assert f"DECISION   {said}" in found.out


def test_foreign_words_are_shown_safely(cli: Cli) -> None:
    for form in (("check",), ("explain",)):
        found = cli("policy", *form, "--", "delete", "pod", "a\x1b]52;c;x\x07\u202e")
        assert not any(letter in found.out for letter in "\x1b\x07\u202e")


@pytest.mark.parametrize(("flags", "changes"), [((), 0), (("--profile", "read-only"), 4)])
def test_init_writes_a_policy_that_counts(cli: Cli, tmp_path: Path, flags: tuple[str, ...], changes: int) -> None:
    path = tmp_path / "home/.config/kubectl-stepup/policy.yaml"
    done = cli("policy", "init", *flags)

    assert (done.code, done.out, done.err) == (0, f"Wrote {path}\n", "")
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert cli("policy", "check", "--", "label", "pod", "x", "a=b").code == changes
    assert cli("policy", "check", "--", "delete", "pod", "x").code == 4


def test_init_leaves_a_policy_that_is_there(cli: Cli, write: Callable[..., str]) -> None:
    path = write("mine.yaml", POLICY)
    done = cli("policy", "init", "--policy", path)

    assert (done.code, done.out) == (1, "")
    assert done.err == f"error: {path}: exists already\nhint: kubectl stepup policy init --dry-run\n"
    assert Path(path).read_text() == POLICY


def test_init_can_only_show(cli: Cli, tmp_path: Path) -> None:
    done = cli("policy", "init", "--dry-run")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("# yaml-language-server: ")
    assert not (tmp_path / "home/.config").exists()


def test_init_needs_a_place(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    done = cli("policy", "init")

    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: there is no place for the policy: neither HOME nor XDG_CONFIG_HOME is set")


CASES = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: PolicyTest
target: {cluster: prod-eu}
cases:
  - {command: delete pod web-0, expect: mfa, rules: [prod-deletes]}
  - {command: delete pod web-0 -n sandbox-1, expect: allow}
  - {command: delete pods --all -A, expect: mfa}
  - {command: delete pod web-0, expect: allow, cluster: dev}
  - {command: stern web, expect: allow}
  - {command: foo, expect: mfa}
  - {command: proxy, expect: allow}
"""


@pytest.mark.parametrize(("change", "code", "last"), [("", 0, "7 passed, 0 failed"), ("2", 1, "6 passed, 1 failed")])
def test_a_teams_tests_of_its_policy(cli: Cli, write: Callable[..., str], change: str, code: int, last: str) -> None:
    policy, cases = write("policy.yaml", POLICY), write("cases.yaml", CASES.replace("sandbox-1", f"sandbox{change}-1"))
    done = cli("policy", "test", "--policy", policy, cases)

    assert (done.code, done.err, done.out.splitlines()[-1]) == (code, "", last)
    results = json.loads(cli("policy", "test", "-o", "json", "--policy", policy, cases).out)
    assert len([one for one in results if one["problems"]]) == code
    junit = cli("policy", "test", "-o", "junit", "--policy", policy, cases)
    assert (junit.code, f'failures="{code}"' in junit.out) == (code, True)


def test_a_file_of_cases_that_does_not_load(cli: Cli, write: Callable[..., str]) -> None:
    cases = write("cases.yaml", CASES.replace("PolicyTest", "Policy"))
    done = cli("policy", "test", cases)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"error: {cases}:2: kind: 'Policy' is not one of PolicyTest")

    missing = cli("policy", "test", "nowhere.yaml")
    assert (missing.code, missing.err) == (1, "error: nowhere.yaml: no such file or directory\n")


def test_show_gives_a_policy_that_decides_the_same(cli: Cli, write: Callable[..., str]) -> None:
    mine = write("mine.yaml", POLICY)
    shown = cli("policy", "show", "-o", "yaml", "--policy", mine)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith(f"# {mine}\napiVersion: kubectl-stepup.github.io/v1alpha1\n")
    same = write("same.yaml", shown.out)

    assert json.loads(cli("policy", "show", "-o", "json", "--policy", same).out) == json.loads(
        cli("policy", "show", "-o", "json", "--policy", mine).out
    )
    table = cli("policy", "show", "--policy", mine).out
    assert "prod-deletes   mfa     do delete   clusters=prod-* not (namespaces=sandbox-*)   enforce" in table


def test_show_has_the_systems_rules_too(cli: Cli, write: Callable[..., str]) -> None:
    system = write("etc/policy.yaml", POLICY.replace("prod-deletes", "of-the-machine"))
    shown = json.loads(cli("policy", "show", "-o", "json").out)

    assert [rule["name"] for rule in shown["rules"]][:2] == ["of-the-machine", "deletes"]
    assert f"{system}:7" in cli("policy", "show").out


@pytest.mark.parametrize("output", ["table", "yaml", "json"])
def test_show_expands_the_actions(cli: Cli, output: str) -> None:
    shown = cli("policy", "show", "--expand", "-o", output)

    assert (shown.code, shown.err) == (0, "")
    assert "pods/eviction" in shown.out
    assert {"admission", "rbac", "client"} <= set(re.findall(r"\w+", shown.out))


LINT_CONFIG = """
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Config
providers:
  - {name: corp, issuer: "https://login.example.com", clientID: kubectl, elevatedClientID: up,
     evidence: {gold: {acr: [gold]}}}
clusters:
  - {name: prod-eu, context: prod-eu, server: "https://api.example.com", caSHA256: "", provider: corp, account: alice}
"""


def test_lint_knows_what_is_enrolled(cli: Cli, write: Callable[..., str]) -> None:
    policy = write("policy.yaml", POLICY.replace('["prod-*"]', '["prd-*"]'))
    config = write("config.yaml", LINT_CONFIG.replace(', caSHA256: ""', f', caSHA256: "{"0" * 64}"'))
    done = cli("policy", "lint", "--policy", policy, "--config", config)

    assert (done.code, done.err) == (1, "")
    rule, level, total = done.out.splitlines()
    nowhere = "no enrolled cluster is called prd-* (enrolled: prod-eu)"
    assert rule == f"{policy}:7: warning: rule prod-deletes: {nowhere} [selects-nothing]"
    unproven = "nothing proves it at corp: commands that need it are refused there"
    assert level == f"{policy}: warning: level mfa: {unproven} [no-evidence]"
    assert total == "2 warnings, no notes"
    found = json.loads(cli("policy", "lint", "-o", "json", "--policy", policy, "--config", config).out)
    assert [one["code"] for one in found] == ["selects-nothing", "no-evidence"]
    assert (found[0]["severity"], found[0]["line"]) == ("warning", 7)


def test_lint_of_a_clean_policy(cli: Cli) -> None:
    done = cli("policy", "lint")

    assert (done.code, done.out, done.err) == (0, "no warnings, no notes\n", "")


@pytest.mark.parametrize("kind", ["Policy", "PolicyTest", "Config"])
def test_the_schemas_are_printed(cli: Cli, kind: str) -> None:
    found = cli("policy", "schema", "--kind", kind)
    assert (found.code, found.err) == (0, "")
    assert json.loads(found.out)["properties"]["kind"] == {"const": kind}
    if kind == "Policy":
        assert cli("policy", "schema").out == found.out
