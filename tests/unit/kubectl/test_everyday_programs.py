"""An editor and a differ of an elevated kubectl: started by our own program, with the environment of before."""

from __future__ import annotations

import shlex

import pytest

from kubectl_stepup.kubectl.everyday_programs import (
    DIFFER,
    differ_command,
    editor_command,
    everyday_environment,
    with_everyday_programs,
)
from kubectl_stepup.unelevated import serve

CALLER = {
    "PATH": "/bin",
    "KUBECONFIG": "/a",
    "EDITOR": "code --wait",
    "KUBECTL_EXTERNAL_DIFF": "meld",
    "X": "caf\udce9",
}
ELEVATED = {"PATH": "/bin", "KUBECONFIG": "/run/overlay:/a", "EDITOR": "code --wait", "X": "caf\udce9", "KUBERC": "off"}
OURS = ("/opt/python", "-I", "/opt/unelevated.py")


def test_the_environment_of_before_comes_back() -> None:
    started = with_everyday_programs(ELEVATED, CALLER, editor=OURS, differ="/opt/kubectl-stepup")
    assert started["KUBE_EDITOR"] == "/opt/python -I /opt/unelevated.py KUBE_EDITOR"
    assert started["EDITOR"] == "/opt/python -I /opt/unelevated.py EDITOR"
    assert started["KUBECTL_EXTERNAL_DIFF"] == "/opt/kubectl-stepup unelevated-differ"
    assert "VISUAL" not in started
    assert started["KUBECONFIG"] == "/run/overlay:/a"
    assert everyday_environment(started) == CALLER
    # What kubectl, or a shell between, changed is left as it is.
    assert everyday_environment({**started, "PWD": "/tmp"}) == {**CALLER, "PWD": "/tmp"}


def test_inside_another_elevated_run_it_is_that_of_before_both() -> None:
    outer = with_everyday_programs(ELEVATED, CALLER, editor=OURS, differ=None)
    inner = with_everyday_programs(
        {**outer, "KUBECONFIG": "/run/inner:/run/overlay:/a"}, outer, editor=OURS, differ=None
    )
    assert everyday_environment(inner) == CALLER


@pytest.mark.parametrize("text", ["", "no JSON", "[1]", "[" * 100_000, '{"A": 1}', '{"EDITOR": ["x"]}'])
def test_outside_of_an_elevated_run_nothing_changes(text: str) -> None:
    assert everyday_environment({"A": "b", "KUBECTL_STEPUP_EVERYDAY": text}) == {"A": "b"}


def test_a_path_with_a_blank_is_quoted_for_the_shell() -> None:
    started = with_everyday_programs({}, {}, editor=("/o p/python", "/o'p/x.py"), differ=None)
    assert shlex.split(started["KUBE_EDITOR"]) == ["/o p/python", "/o'p/x.py", "KUBE_EDITOR"]


@pytest.mark.parametrize(
    ("everyday", "name", "words"),
    [
        ({}, "KUBE_EDITOR", ["vi", "/tmp/f"]),
        ({"EDITOR": "nano"}, "KUBE_EDITOR", ["nano", "/tmp/f"]),
        ({"EDITOR": "nano", "KUBE_EDITOR": "code --wait"}, "KUBE_EDITOR", ["code", "--wait", "/tmp/f"]),
        ({"EDITOR": "nano", "VISUAL": "gvim"}, "VISUAL", ["gvim", "/tmp/f"]),
        ({"EDITOR": "'/o p/e' -w"}, "EDITOR", ["/bin/bash", "-c", "'/o p/e' -w /tmp/f"]),
        ({"EDITOR": "'/o p/e' -w", "SHELL": "/bin/zsh"}, "EDITOR", ["/bin/zsh", "-c", "'/o p/e' -w /tmp/f"]),
    ],
)
def test_an_editor_is_read_as_kubectl_reads_it(everyday: dict[str, str], name: str, words: list[str]) -> None:
    assert editor_command(name, ["/tmp/f"], everyday) == words


def test_a_differ_is_read_as_kubectl_reads_it() -> None:
    everyday = {"KUBECTL_EXTERNAL_DIFF": "colordiff -N -u ./x --a=b"}
    assert differ_command(["LIVE", "MERGED"], everyday) == ["colordiff", "LIVE", "MERGED", "-N", "-u", "--a=b"]
    assert differ_command(["LIVE", "MERGED"], {}) == ["diff", "-u", "-N", "LIVE", "MERGED"]


def test_the_diff_of_path_is_started_by_us_too() -> None:
    started = with_everyday_programs(ELEVATED, {"PATH": "/bin"}, editor=OURS, differ="/opt/kubectl-stepup")
    assert started["KUBECTL_EXTERNAL_DIFF"] == "/opt/kubectl-stepup unelevated-differ"
    assert "KUBECTL_EXTERNAL_DIFF" not in everyday_environment(started)


@pytest.mark.parametrize(
    "words",
    [
        ("exec", "--", "delete", "pod", DIFFER),
        ("exec", "--", DIFFER),
        ("status", DIFFER),
        (DIFFER,),
        ("unelevated",),
    ],
)
def test_a_command_that_ends_with_the_same_word_is_no_differ(words: tuple[str, ...]) -> None:
    assert serve(list(words)) is None
