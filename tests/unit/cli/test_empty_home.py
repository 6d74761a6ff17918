"""Commands where nothing is enrolled and nothing was ever run, and where a file of ours is bad."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Cli

CONFIG = "apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: Config\n"


def test_status_shows_no_session(cli: Cli) -> None:
    found = cli("status")
    assert found.code == 0
    assert len(found.out.splitlines()) <= 1  # the titles at most


def test_status_as_json_is_an_empty_list(cli: Cli) -> None:
    found = cli("status", "-o", "json")
    assert (found.code, found.err) == (0, "")
    assert json.loads(found.out) == {
        "apiVersion": "kubectl-stepup.github.io/v1alpha1",
        "kind": "SessionList",
        "items": [],
    }


def test_status_as_names_is_nothing(cli: Cli) -> None:
    assert cli("status", "-o", "name").out == ""


def test_check_without_a_session_needs_a_login(cli: Cli) -> None:
    found = cli("status", "--check")
    assert found.code == 4
    assert found.err.endswith("error: there is no live session\nhint: kubectl stepup login\n")
    as_json = cli("status", "--check", "-o", "json")
    assert (as_json.code, as_json.error["code"], json.loads(as_json.out)["items"]) == (4, "login-needed", [])


def test_check_knows_the_levels(cli: Cli) -> None:
    found = cli("status", "--check", "--level", "gold", "-o", "json")
    assert found.error["message"] == "there is no level 'gold' in the policy; its levels are mfa, critical"


@pytest.mark.parametrize("flags", [(), ("--all",)])
def test_logout_has_nothing_to_end(cli: Cli, flags: tuple[str, ...]) -> None:
    found = cli("logout", *flags)
    assert (found.code, found.out, found.err) == (0, "No elevation session\n", "")
    assert json.loads(cli("logout", "-o", "json", *flags).out) == {
        "apiVersion": "kubectl-stepup.github.io/v1alpha1",
        "kind": "Logout",
        "items": [],
        "failures": [],
    }


def test_audit_list_is_an_empty_table(cli: Cli) -> None:
    found = cli("audit", "list")
    assert (found.code, found.err) == (0, "")
    assert found.out == (
        "TIME   USER   CONTEXT   LEVEL   RESULT   EXIT   COMMAND\n0 records, hash chain ok.  -o json for all fields\n"
    )


def test_audit_list_as_json_is_an_empty_list(cli: Cli) -> None:
    assert json.loads(cli("audit", "list", "-o", "json").out) == {
        "apiVersion": "kubectl-stepup.github.io/v1alpha1",
        "kind": "AuditEventList",
        "items": [],
    }


def test_looking_leaves_nothing_behind_but_a_cache(cli: Cli, tmp_path: Path) -> None:
    for argv in (("status",), ("audit", "list"), ("version",), ("policy", "--help")):
        assert cli(*argv).code == 0
    assert {path.name for path in (tmp_path / "home").iterdir()} <= {".cache"}


@pytest.mark.parametrize("command", ["status", "logout"])
def test_a_context_that_is_not_enrolled_is_said(cli: Cli, command: str) -> None:
    found = cli(command, "--context", "prod")
    assert (found.code, found.out) == (1, "")
    assert found.err == (
        "error: context prod is not enrolled\nhint: kubectl stepup setup --context prod --issuer URL --client-id ID\n"
    )


@pytest.mark.parametrize(
    "argv",
    [
        ("login",),
        ("setup", "--issuer", "https://login.example.com", "--client-id", "x"),
        ("setup", "--remove"),
    ],
)
def test_what_needs_a_context_says_so(cli: Cli, tmp_path: Path, argv: tuple[str, ...]) -> None:
    found = cli(*argv)
    assert (found.code, found.out) == (1, "")
    assert found.err == (
        f"error: no current-context is set in {tmp_path}/home/.kube/config (no such file)\n"
        "hint: kubectl config use-context CONTEXT\n"
    )


def test_credential_is_not_called_by_hand(cli: Cli) -> None:
    found = cli("credential", "--session", "0" * 32)
    assert (found.code, found.out) == (1, "")
    assert found.err.startswith("error: KUBERNETES_EXEC_INFO is not set")


def test_credential_for_an_id_that_nothing_has(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "KUBERNETES_EXEC_INFO",
        '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":{}}}',
    )
    found = cli("credential", "--session", "0" * 32, "--handover", "/nowhere", "--store-directory", "/nowhere")
    assert (found.code, found.out) == (1, "")
    assert found.err.startswith(f"error: session {'0' * 32} belongs to no enrolled cluster and level\n")


BAD = [
    ("kind: Config\n", "missing"),
    (f"{CONFIG}providrs: []\n", "providers"),
    (f"{CONFIG}store: disk\n", "store"),
    (f"{CONFIG}a: &a [1]\nb: [*a\n", ""),
    ("\tx", ""),
]


@pytest.mark.parametrize(("text", "said"), BAD)
@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("status",), 1),
        (("logout",), 1),
        (("policy", "check"), 1),
        (("exec",), 125),
    ],
)
def test_a_config_that_does_not_load_is_said_with_file_and_line(
    cli: Cli, write: Callable[..., str], text: str, said: str, argv: tuple[str, ...], code: int
) -> None:
    path = write("config.yaml", text)
    words = ("--", "delete", "pod", "x") if argv[0] in ("exec", "policy") else ()
    found = cli(*argv, "--config", path, *words)
    assert (found.code, found.out) == (code, "")
    assert found.err.startswith(f"error: {path}:")
    assert said in found.err


def test_a_file_that_is_named_must_exist(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("status", "--config", "/nowhere.yaml").err == "error: /nowhere.yaml: no such file\n"
    monkeypatch.setenv("KUBECTL_STEPUP_CONFIG", "/elsewhere.yaml")
    assert cli("status").err == "error: /elsewhere.yaml: no such file\n"
    monkeypatch.setenv("KUBECTL_STEPUP_POLICY", "/nowhere.yaml")
    assert cli("policy", "check", "--", "get", "pods").code == 1


def test_the_working_directory_is_never_looked_at(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, write: Callable[..., str]
) -> None:
    here = Path(write("repository/config.yaml", "nonsense")).parent
    (here / "policy.yaml").write_text("nonsense")
    monkeypatch.chdir(here)
    assert cli("policy", "check", "--", "get", "pods").code == 0
    assert cli("status").code == 0


def test_without_a_home_there_is_no_place_for_the_audit_log(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    found = cli("audit", "list", "-o", "json")
    assert (found.code, found.error["code"]) == (1, "audit-unavailable")
    assert found.error["message"] == ("there is no place for the audit log: neither HOME nor XDG_STATE_HOME is set")
    assert cli("policy", "check", "--", "get", "pods").code == 0


def test_a_record_that_is_no_file_is_said(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "home/.local/state/kubectl-stepup/audit.jsonl").mkdir(parents=True)
    found = cli("audit", "list", "-o", "json")
    assert (found.code, found.out, found.error["code"]) == (1, "", "audit-unavailable")
