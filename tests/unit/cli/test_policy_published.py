"""What clusters published, on the screens of `policy`; and `policy forget`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Cli

HEAD = "apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: Policy\n"
LEVELS = "levels: [{name: mfa, signedInWithin: 15m, askAgainAfter: 10m}]\n"
OWN = f"{HEAD}{LEVELS}rules:\n  - {{name: deletes, do: [delete], needs: mfa}}\n"
THEIRS = (
    f"{HEAD}levels: [{{name: mfa, signedInWithin: 15m, askAgainAfter: 5m}}, "
    "{name: gold, signedInWithin: 1m, askAgainAfter: 0s}]\n"
    "rules:\n  - {name: deletes, do: [delete], needs: mfa}\n"
    "  - {name: loud, do: [shell], needs: gold, message: 'see https://evil.example.com or say ABCD-EFGH'}\n"
)
CONFIG = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Config
providers:
  - {name: corp, issuer: "https://login.example.com", clientID: kubectl, elevatedClientID: kubectl-elevated,
     preset: generic, evidence: {mfa: {acr: [mfa]}}}
clusters:
  - {name: dev, labels: {env: dev}, context: dev, server: "https://dev.example.com", provider: corp, account: alice}
"""
KUBECONFIG = """\
{apiVersion: v1, kind: Config, current-context: dev,
 clusters: [{name: dev, cluster: {server: "https://dev.example.com"}}],
 contexts: [{name: dev, context: {cluster: dev, user: a}}], users: [{name: a, user: {token: t}}]}
"""


@pytest.fixture
def kept(tmp_path: Path, write: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Put what clusters published where it is kept, beside a person's own files."""
    state = tmp_path / "state"
    (state / "kubectl-stepup").mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    monkeypatch.setenv("KUBECTL_STEPUP_CONFIG", write("config.yaml", CONFIG))
    monkeypatch.setenv("KUBECTL_STEPUP_POLICY", write("policy.yaml", OWN))
    monkeypatch.setenv("KUBECONFIG", write("kubeconfig", KUBECONFIG))

    def keep(**texts: str) -> Path:
        path = state / "kubectl-stepup" / "published.json"
        path.write_text(json.dumps(texts))
        path.chmod(0o600)
        return path

    return keep


def test_show_lists_a_rule_once_and_the_levels_that_are_others_on_a_cluster(
    cli: Cli, kept: Callable[..., Path]
) -> None:
    kept(dev=THEIRS)
    lines = cli("policy", "show").out.splitlines()

    (deletes,) = [line for line in lines if line.startswith("deletes ")]
    assert deletes.endswith("policy.yaml:5 (also published by cluster dev)")
    assert [line.split() for line in lines if line.startswith("dev ")] == [
        ["dev", "mfa", "15m", "5m", "<none>"],
        ["dev", "gold", "1m", "each", "command", "<none>"],
    ]
    assert any(line.startswith("loud ") and line.endswith("dev (published):6") for line in lines)


def test_what_is_shown_as_a_document_could_be_read(cli: Cli, kept: Callable[..., Path], tmp_path: Path) -> None:
    kept(dev=THEIRS)
    shown = tmp_path / "shown.yaml"
    shown.write_text(cli("policy", "show", "-o", "yaml").out.replace("name: deletes", "name: again", 1))
    shown.chmod(0o600)
    kept()

    assert cli("policy", "check", "--policy", str(shown), "--", "get", "pods").code == 0


def test_explain_tells_a_rule_once_and_quotes_what_is_published(cli: Cli, kept: Callable[..., Path]) -> None:
    kept(dev=THEIRS)
    out = cli("policy", "explain", "--", "delete", "pod", "x").out
    shell = cli("policy", "explain", "--", "exec", "web-0", "--", "sh").out

    assert [line for line in out.splitlines() if line.startswith("RULE")] == [
        line for line in out.splitlines() if "policy.yaml:5  (also published by cluster dev)" in line
    ]
    quoted = 'message of rule loud, published by cluster dev: "see [address left out] or say [code left out]"'
    assert quoted in shell
    assert "evil" not in shell


def test_check_has_what_is_published_as_data(cli: Cli, kept: Callable[..., Path]) -> None:
    kept(dev=THEIRS)
    found = json.loads(cli("policy", "check", "-o", "json", "--", "exec", "web-0", "--", "sh").out)

    assert (found["level"], found["rules"]) == ("gold", ["loud"])
    assert found["messages"] == [
        {
            "what": "message of rule loud",
            "source": "published by cluster dev",
            "text": "see https://evil.example.com or say ABCD-EFGH",
        }
    ]


def test_lint_warns_of_nothing_that_only_the_cluster_can_mend_but_of_what_stops_people(
    cli: Cli, kept: Callable[..., Path]
) -> None:
    kept(dev=THEIRS.replace("gold, signedInWithin: 1m", "gold, serverWindow: 1s, signedInWithin: 1m"))
    found = {(one["code"], one["about"]): one for one in json.loads(cli("policy", "lint", "-o", "json").out)}

    assert ("never-decides", "rule deletes") not in found
    window = found["window-too-short", "level gold"]
    assert (window["severity"], window["file"]) == ("warning", "dev (published)")
    assert ("no-evidence", "level gold") in found


def test_a_policy_that_cannot_be_used_stands_for_its_cluster(cli: Cli, kept: Callable[..., Path]) -> None:
    kept(dev=THEIRS, lab="kind: Policy")

    assert cli("policy", "check", "--context", "dev", "--", "get", "pods").code == 0
    unknown = cli("policy", "check", "--context", "nowhere", "--", "get", "pods")
    assert (unknown.code, "hint: kubectl stepup policy forget --cluster lab" in unknown.err) == (1, True)
    (finding,) = [one for one in json.loads(cli("policy", "lint", "-o", "json").out) if one["code"] == "not-usable"]
    assert (finding["about"], finding["severity"]) == ("cluster lab", "warning")
    assert "what cluster lab published cannot be used: lab (published):1: " in cli("policy", "show").out


def test_forget_drops_one_cluster_and_says_so(cli: Cli, kept: Callable[..., Path]) -> None:
    path = kept(dev=THEIRS, lab=THEIRS)
    assert cli("policy", "check", "--", "exec", "web-0", "--", "sh").code == 4

    assert cli("policy", "forget", "--cluster", "dev").out == "Forgot the policy that cluster dev published\n"
    assert list(json.loads(path.read_text())) == ["lab"]
    again = cli("policy", "forget", "--cluster", "dev")
    assert (again.code, again.out) == (0, "Nothing is kept that cluster dev published\n")
    assert json.loads(cli("policy", "forget", "--all", "-o", "json").out) == {"forgotten": ["lab"]}
    assert cli("policy", "check", "--", "exec", "web-0", "--", "sh").code == 0
    assert cli("policy", "forget", "--all").out == "Nothing is kept that a cluster published\n"


def test_the_hint_for_a_damaged_file_mends_it(cli: Cli, kept: Callable[..., Path]) -> None:
    kept().write_text("{")
    refused = cli("policy", "check", "--", "get", "pods")
    (hint,) = [line.removeprefix("hint: ") for line in refused.err.splitlines() if line.startswith("hint: ")]

    assert cli(*shlex.split(hint)[2:]).code == 0
    assert cli("policy", "check", "--", "get", "pods").code == 0


@pytest.mark.parametrize("words", [(), ("--all", "--cluster", "dev")])
def test_forget_wants_to_know_what(cli: Cli, words: tuple[str, ...]) -> None:
    refused = cli("policy", "forget", *words)

    assert (refused.code, "one of --cluster NAME and --all is needed" in refused.err) == (2, True)
