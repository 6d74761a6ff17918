"""kubectl's argv: commands, flags and words, as kubectl 1.32 to 1.37 read them."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.kubectl.command_line import CommandLine, read_line
from tests.unit.kubectl.test_corpus import ROWS


def line(text: str) -> CommandLine:
    return read_line(text.split(" "))


@pytest.mark.parametrize(
    "text",
    [
        "delete pod x -n prod",
        "-n prod delete pod x",
        "-nprod delete pod x",
        "-n=prod delete pod x",
        "--namespace=prod delete pod x",
        "--namespace prod delete pod x",
        "delete -n prod pod x",
        "delete pod -nprod x",
        "delete pod x -n get -n prod",
        "-v 1 -n prod delete pod x",
        "-v=1 -n prod delete pod x",
        "-v1 delete pod x -n prod",
        "--match-server-version delete -nprod pod x",
        "--grace-period 0 delete pod x --namespace prod",
        "--force=true delete pod x -n prod",
        "-f a.yaml delete pod x -n prod",
        "delete -n prod -- pod x",
        "--grace_period=0 delete pod x --namespace=prod",
    ],
)
def test_the_command_and_its_namespace_are_found(text: str) -> None:
    found = line(text)
    assert (found.path, found.last("namespace"), found.words, found.problem) == (
        ("delete",),
        "prod",
        ("pod", "x"),
        None,
    )


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("get pods", ("get",)),
        ("-n get delete pod x", ("delete",)),
        ("create cm x", ("create", "configmap")),
        ("create -n foo clusterrolebinding x", ("create", "clusterrolebinding")),
        ("create secret generic x", ("create", "secret", "generic")),
        ("set sa deploy/x y", ("set", "serviceaccount")),
        ("config use x", ("config", "use-context")),
        ("top po", ("top", "pod")),
        ("rollout -n x undo deploy/y", ("rollout", "undo")),
        ("help delete", ("help",)),
        ("__complete get secret x", ("__complete",)),
        ("-- delete pod x", ()),
        ("-n delete", ()),
        ("--token delete pod x", ("pod",)),
        ("", ()),
        ("--help", ()),
    ],
)
def test_the_path(text: str, path: tuple[str, ...]) -> None:
    assert line(text).path == path


def test_empty_words_before_the_command_are_skipped() -> None:
    assert read_line(["", "delete", "pod", "x"]).path == ("delete",)


def test_words_after_the_dashes_are_no_flags() -> None:
    found = line("delete pod -- x --wait=false")
    assert (found.words, found.dash_at) == (("pod", "x", "--wait=false"), 1)
    found = line("exec -itnfoo x -- sh -c ls")
    assert (found.words, found.dash_at) == (("x", "sh", "-c", "ls"), 1)
    assert (found.last("namespace"), found.on("stdin"), found.on("tty")) == ("foo", True, True)


def test_values() -> None:
    found = line("delete pod x --dry-run=client --dry-run=none --wait=false --wait -f a,b -f c --cascade orphan")
    assert found.last("dry-run") == "none"
    assert found.on("wait")
    assert found.all("filename") == ("a", "b", "c")
    assert found.words == ("pod", "x", "orphan")
    assert found.last("cascade") == "background"
    assert line("delete pod x --dry-run client").words == ("pod", "x", "client")
    assert line("label pod x --dry_run=server a=b").last("dry-run") == "server"
    assert read_line(["get", "pods", "-l", "-x"]).last("selector") == "-x"
    assert read_line(["apply", '-f="a,b",c']).all("filename") == ("a,b", "c")
    assert line("get pods --watch=F").on("watch") is False


def test_a_command_own_flag_hides_the_global_one() -> None:
    found = line("create rolebinding x --user=me")
    assert "user" in found.own
    assert "user" not in line("get pods --user=me").own


@pytest.mark.parametrize(
    "text",
    [
        "-n delete -v 1 delete pod x",
        "-n get --token=x get secrets",
        "--token get -n secrets get x",
        "create -n configmap -v 1 configmap x",
    ],
)
def test_a_value_like_the_command_that_kubectls_read_differently_is_refused(text: str) -> None:
    assert (line(text).problem or "").startswith("kubectl 1.27 takes ")


@pytest.mark.parametrize("text", ["-n delete delete pod x", "-n=delete -v 1 delete pod x", "delete pod -n delete x"])
def test_a_value_like_the_command_that_all_kubectls_read_alike_is_none(text: str) -> None:
    found = line(text)
    assert (found.path, found.last("namespace"), found.words) == (("delete",), "delete", ("pod", "x"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Delete pod x", "unknown command 'Delete'"),
        ("delet pod x", "unknown command 'delet'"),
        ("d\u0435lete pod x", "unknown command 'd\\u0435lete'"),
        ("delete\u200b pod x", "unknown command 'delete\\u200b'"),
        ("delete\u00a0pod", "unknown command 'delete\\xa0pod'"),
        ("--force delete pod x", "unknown command 'pod'"),
        ("-A get pods", "unknown command 'pods'"),
        ("--help delete pod x", "unknown command 'pod'"),
        ("stern x", "unknown command 'stern'"),
        ("create foo", "unknown command 'create foo'"),
        ("create foo --help", "unknown command 'create foo'"),
        ("create -n x foo", "unknown command 'create foo'"),
        ("rollout foo x", "unknown command 'rollout foo'"),
        ("cluster-info foo", "unknown command 'cluster-info foo'"),
        ("get pods --bogus", "unknown flag '--bogus'"),
        ("get pods -Z", "unknown flag '-Z' in '-Z'"),
        ("get pods -AZ", "unknown flag '-Z' in '-AZ'"),
        ("get pods --names prod", "unknown flag '--names'"),
        ("get pods -n", "flag '-n' needs a value"),
        ("get pods --namespace", "flag '--namespace' needs a value"),
        ("delete pods --all=maybe", "flag '--all' is true or false, not 'maybe'"),
        ("get pods --=x", "unknown flag '--'"),
        ("get pods ---x", "unknown flag '---x'"),
    ],
)
def test_what_kubectl_does_not_have(text: str, problem: str) -> None:
    assert line(text).problem == problem


def test_a_container_with_help_is_only_help() -> None:
    assert line("rollout foo --help").problem is None
    assert line("rollout foo --help=false").problem == "unknown command 'rollout foo'"


@pytest.mark.parametrize("argv", [["-"], ["--"], ["="], [""], [" "], ["-="], ["--="], ["a b"], ["\x00"], ["-n", ""]])
def test_odd_words_never_fail(argv: list[str]) -> None:
    for words in (argv, [*argv, *argv], ["get", *argv], ["delete", "pod", *argv], ["exec", *argv, "--", *argv]):
        assert isinstance(read_line(words), CommandLine)


def test_long_lines_are_read_in_time() -> None:
    found = read_line(["delete", "pod", *(f"pod-{number}" for number in range(20_000)), "-n", "x" * 1_000_000])
    assert len(found.words) == 20_001


@pytest.mark.parametrize(
    ("argv", "written"),
    [
        ("--kubeconfig f delete pod x", "delete pod x"),
        ("delete pod x --kubeconfig=f", "delete pod x"),
        ("delete --kubeconfig= pod x --kubeconfig g -n a", "delete --namespace=a pod x"),
        ("exec p --kubeconfig f -it -- sh --kubeconfig g", "exec --stdin=true --tty=true p -- sh --kubeconfig g"),
        ("delete pod -l --kubeconfig x", "delete --selector=--kubeconfig pod x"),
        ("delete pod -l -- --kubeconfig x", "delete --selector=-- pod"),
        ("delete -f - --kubeconfig x", "delete --filename=- "),
        ("-n a create cm x --dry_run", "create configmap --namespace=a --dry-run=unchanged x"),
        ('apply -f "a,b",c -Rf=d --kubeconfig x', 'apply --filename="a,b",c --recursive=true --filename=d '),
        ("rollout status deploy/x -w=0 --", "rollout status --watch=0 deploy/x --"),
    ],
)
def test_a_line_can_be_written_without_some_of_its_flags(argv: str, written: str) -> None:
    assert line(argv).written(without=("kubeconfig",)) == tuple(written.split())


def test_a_line_can_be_written_with_other_flags() -> None:
    found = line("apply -f a.yaml -n b --filename c -R -- d")
    assert found.written(without=("filename", "recursive"), adding=[("filename", "/dev/fd/3")]) == (
        "apply", "--namespace=b", "--filename=/dev/fd/3", "--", "d",
    )  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_what_is_written_is_read_as_the_same_line(row: dict[str, Any]) -> None:
    found = read_line(row["argv"])
    if found.problem is None and found.path[:1] not in {("help",), ("__complete",)}:
        again = read_line(found.written())
        assert again.replace(argv=found.argv) == found
