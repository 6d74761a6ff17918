"""What is not understood: exit 2, for `exec` 125, one sentence and what to type, and never a traceback."""

from __future__ import annotations

import pytest

from .conftest import Cli

MISTAKES = [
    (("exec",), 125, "no -- before the kubectl command", "kubectl stepup exec -- get pods"),
    (("exec", "--"), 125, "no kubectl command after --", "kubectl stepup exec -- get pods"),
    (("exec", "get", "--", "pods"), 125, "got unexpected extra argument (get)", "kubectl stepup exec --help"),
    (("exec", "--bogus", "--", "get"), 125, "no such option '--bogus'", "kubectl stepup exec --help"),
    (("exec", "--level", "--", "get"), 125, "option '--level' requires an argument", "kubectl stepup"),
    (("exec", "-o", "wide", "--", "get"), 125, "no such option '-o'", "kubectl stepup exec --help"),
    (("exec", "-n", "a", "--", "get", "-n", "b"), 125, "--namespace is given twice with different values", None),
    (("login", "--scope", "all"), 2, "invalid value for '--scope'", "kubectl stepup login --help"),
    (("login", "prod"), 2, "got unexpected extra argument (prod)", "kubectl stepup login --help"),
    (("status", "-o", "yaml"), 2, "invalid value for '-o' / '--output'", "kubectl stepup status --help"),
    (("logout", "prod"), 2, "got unexpected extra argument (prod)", "kubectl stepup logout --help"),
    (("setup", "--evidence", "acr=gold"), 2, "--evidence 'acr=gold' is not LEVEL:CLAIM=VALUE", "kubectl stepup setup"),
    (("setup", "--label", "env"), 2, "--label 'env' is not KEY=VALUE", None),
    (("setup", "--set", "nonsense=1"), 2, "--set nonsense is no value of a preset", None),
    (("policy", "check"), 2, "no -- before the kubectl command", "kubectl stepup"),
    (("policy", "check", "--"), 2, "no kubectl command after --", "kubectl stepup policy check -- delete pod web-0"),
    (("policy", "explain", "--"), 2, "no kubectl command after --", "kubectl stepup policy"),
    (("policy", "explan"), 2, "no such command 'explan'. Did you mean 'explain'?", "kubectl stepup policy --help"),
    (("audit", "list", "--last", "0"), 2, "invalid value for '--last'", "kubectl stepup audit list --help"),
    (("audit", "list", "--last", "x"), 2, "invalid value for '--last'", "kubectl stepup audit list --help"),
    (("credential",), 2, "missing option '--session'", "kubectl stepup credential --help"),
    (("demo", "--fast"), 2, "no such option '--fast'", "kubectl stepup demo --help"),
    (("version", "1"), 2, "got unexpected extra argument (1)", "kubectl stepup version --help"),
    (("--version",), 2, "no such option '--version'", "kubectl stepup --help"),
    (("nonsense",), 2, "no such command 'nonsense'", "kubectl stepup --help"),
    (("x\x1b[2Jz",), 2, "no such command 'x", "kubectl stepup --help"),
]


@pytest.mark.parametrize(("argv", "code", "message", "hint"), MISTAKES, ids=[" ".join(m[0]) for m in MISTAKES])
def test_a_mistake_is_one_sentence_and_what_to_type(
    cli: Cli, argv: tuple[str, ...], code: int, message: str, hint: str | None
) -> None:
    found = cli(*argv)
    assert (found.code, found.out) == (code, "")
    error, *rest = found.err.splitlines()
    assert error.startswith(f"error: {message}")
    assert not error.endswith(".")
    assert len(rest) == (0 if hint is None else 1)
    if hint is not None:
        assert rest[0].startswith(f"hint: {hint}")
    assert "\x1b" not in found.err


@pytest.mark.parametrize("form", [("-o", "json"), ("-ojson",), ("-o=json",), ("--output", "json"), ("--output=json",)])
def test_errors_are_objects_where_json_is_asked_for(cli: Cli, form: tuple[str, ...]) -> None:
    found = cli("status", *form, "--bogus")
    assert (found.code, found.out) == (2, "")
    assert found.error["message"].startswith("no such option '--bogus'")
    assert {name: found.error[name] for name in ("apiVersion", "kind", "code", "hint")} == {
        "apiVersion": "kubectl-stepup.github.io/v1alpha1",
        "kind": "Error",
        "code": "usage",
        "hint": "kubectl stepup status --help",
    }


def test_the_commands_json_is_not_ours(cli: Cli) -> None:
    assert cli("exec", "-n", "a", "--", "get", "pods", "-o", "json", "-n", "b").err.startswith("error: ")
    assert cli("policy", "check", "--bogus", "--", "get", "-o", "json").err.startswith("error: ")


def test_our_json_before_the_dashes_is_ours(cli: Cli) -> None:
    found = cli("policy", "check", "-o", "json", "-n", "a", "--", "get", "-n", "b")
    assert (found.code, found.error["code"]) == (2, "usage")
    assert found.error["message"].startswith("--namespace is given twice")


@pytest.mark.parametrize(("typed", "meant"), [("statsu", "status"), ("exce", "exec"), ("plicy", "policy")])
def test_a_mistyped_command_is_recognised(cli: Cli, typed: str, meant: str) -> None:
    assert cli(typed).err == f"error: no such command '{typed}'\nhint: kubectl stepup {meant} --help\n"


@pytest.mark.parametrize("name", ["check", "explain"])
def test_the_hint_is_about_the_command_that_was_typed(cli: Cli, name: str) -> None:
    assert f"hint: kubectl stepup policy {name} -- " in cli("policy", name).err


@pytest.mark.parametrize("words", [("get", "pods"), ("delete", "pod", "x", "-n", "prod")])
def test_forgotten_dashes_are_said_to_be_missing(cli: Cli, words: tuple[str, ...]) -> None:
    found = cli("exec", *words)
    assert (found.code, found.err.splitlines()[0]) == (125, "error: no -- before the kubectl command")
