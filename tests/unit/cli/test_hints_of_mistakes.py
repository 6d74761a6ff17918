"""What to type after a mistake: the person's own command, as it works."""

from __future__ import annotations

import shlex

import pytest

from kubectl_stepup.cli.exec import command as exec_command
from kubectl_stepup.cli.root import COMMANDS
from kubectl_stepup.kubectl.command import read
from kubectl_stepup.kubectl.grammar_table import COMMANDS as OF_KUBECTL
from kubectl_stepup.policy.evaluate import OUR_COMMANDS, OUR_OPTIONS, decide
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Target

from .conftest import Cli


def hint(cli: Cli, line: str) -> str:
    found = cli(*shlex.split(line))
    return found.err.splitlines()[-1].removeprefix("hint: ")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("delete pod web-1", "kubectl stepup exec -- delete pod web-1"),
        ("-- delete pod web-1", "kubectl stepup exec -- delete pod web-1"),
        ("get secret x -o yaml", "kubectl stepup exec -- get secret x -o yaml"),
        ("exec delete pod web-1", "kubectl stepup exec -- delete pod web-1"),
        ("exec -n prod delete pod x", "kubectl stepup exec -n prod -- delete pod x"),
        ("exec --context=prod delete pod x", "kubectl stepup exec --context=prod -- delete pod x"),
        (
            "exec --once -r 'it is down' delete pod x -f",
            "kubectl stepup exec --once -r 'it is down' -- delete pod x -f",
        ),
        ("exec -vv get pods", "kubectl stepup exec -vv -- get pods"),
        ("exec -n prod", "kubectl stepup exec -n prod -- get pods"),
        ("policy check -o name delete pod x", "kubectl stepup policy check -o name -- delete pod x"),
        (
            "exec create secret generic x --from-literal=a=hunter2",
            "kubectl stepup exec -- create secret generic x '--from-literal=a=[redacted]'",
        ),
        (
            "create secret generic x --from-literal=a=hunter2",
            "kubectl stepup exec -- create secret generic x '--from-literal=a=[redacted]'",
        ),
    ],
)
def test_the_hint_is_the_command_that_was_meant(cli: Cli, typed: str, meant: str) -> None:
    assert hint(cli, typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("delte pod x", "kubectl stepup exec -- delete ..."),
        ("aply -f x", "kubectl stepup exec -- apply ..."),
        ("logout", "kubectl stepup logout"),
        ("status", "kubectl stepup status"),
        ("delete pod x --fresh", "kubectl stepup exec --fresh -- delete ..."),
        ("get secrets -q", "kubectl stepup exec -q -- get ..."),
        ("rollout undo deploy/x --reason=late", 'kubectl stepup exec -r "TEXT" -- rollout undo ...'),
        ("delete pod x --forse", "kubectl delete --help"),
    ],
)
def test_an_unknown_word_of_kubectl_that_is_nearly_one(typed: str, meant: str) -> None:
    decision = decide(load(None, None), read(typed.split()), Target(cluster=None, labels=None, namespace=None))
    assert (decision.effect, decision.code, decision.hint) == ("refuse", "unknown-command", meant)


def test_our_commands_are_those_that_kubectl_does_not_have() -> None:
    assert {name for name in COMMANDS if name not in OF_KUBECTL} - {"credential"} == OUR_COMMANDS


def test_our_options_are_those_that_kubectl_does_not_have_everywhere() -> None:
    ours = {name for option in exec_command.params for name in option.opts if name.startswith("-")}
    assert ours - {"--context", "--kubeconfig", "--namespace", "-n", "-v", "--help", "-h"} == set(OUR_OPTIONS)
