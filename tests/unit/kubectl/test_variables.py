"""Every variable that kubectl reads has its line: in the program, and on the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kubectl_stepup.kubeconfig.load import load, pod_namespace
from kubectl_stepup.kubeconfig.overlay import elevated_environment
from kubectl_stepup.kubectl.everyday_programs import with_everyday_programs
from kubectl_stepup.kubectl.variables import DROPPED, KEPT, SET, TAKEN_OUT, own_environment
from tests.flows import RESOLVED

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/environment.md"
IN_A_POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


def elevated(environ: dict[str, str]) -> dict[str, str]:
    own = elevated_environment(environ, overlay_path="/o", kubeconfig_files=["/a"], session_id="0123")
    return with_everyday_programs(own, environ, editor=("/ours",), differ="/ours")


def test_a_variable_has_one_line() -> None:
    names = [*SET, *TAKEN_OUT, *KEPT]
    assert len(names) == len(set(names))
    assert all(reason.strip() for table in (SET, TAKEN_OUT, KEPT) for reason in table.values())


def test_the_page_has_the_same_lines() -> None:
    section = PAGE.read_text().partition("## What an elevated kubectl gets")[2]
    for table, word in ((SET, "set"), (TAKEN_OUT, "taken out"), (KEPT, "kept")):
        for name, reason in table.items():
            lines = [line for line in section.splitlines() if f"`{name}`" in line and line.startswith("|")]
            assert [f"| {word} | {reason} |" in line for line in lines] == [True], name


def test_what_is_taken_out_is_not_there_and_what_is_kept_is() -> None:
    environ = dict.fromkeys((*SET, *TAKEN_OUT, *KEPT), "theirs")
    found = elevated(environ)
    assert not set(TAKEN_OUT).intersection(found)
    own = elevated_environment(environ, overlay_path="/o", kubeconfig_files=["/a"], session_id="0123")
    assert not DROPPED.intersection(own)
    assert {name: found[name] for name in KEPT} == dict.fromkeys(KEPT, "theirs")
    assert "theirs" not in {found[name] for name in SET}


def test_an_allowed_command_keeps_all_but_a_table_of_words() -> None:
    environ = dict.fromkeys((*SET, *TAKEN_OUT, *KEPT), "theirs")
    assert set(environ) - set(own_environment(environ)) == {"KUBECACHEDIR"}
    without = {"PATH": "/bin"}
    assert own_environment(without) is without


# -- in a pod -------------------------------------------------------------------------------------------------------


@pytest.fixture
def account(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("t")
    (tmp_path / "namespace").write_text(" prod\n")
    return tmp_path


def test_a_pod_has_a_namespace_of_its_own(account: Path) -> None:
    assert pod_namespace(IN_A_POD, str(account)) == "prod"
    assert pod_namespace({**IN_A_POD, "POD_NAMESPACE": "named"}, str(account)) == "named"


@pytest.mark.parametrize("missing", ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"])
def test_outside_a_pod_a_variable_says_nothing(missing: str, account: Path) -> None:
    environ = {**IN_A_POD, "POD_NAMESPACE": "named"}
    assert pod_namespace({**environ, missing: ""}, str(account)) is None
    (account / "token").unlink()
    assert pod_namespace(environ, str(account)) is None
    (account / "token").mkdir()
    assert pod_namespace(environ, str(account)) is None


@pytest.mark.parametrize("content", ["", " \n"])
def test_a_pod_without_a_namespace_is_in_the_default_one(content: str, account: Path) -> None:
    (account / "namespace").write_text(content)
    assert pod_namespace(IN_A_POD, str(account)) is None
    (account / "namespace").unlink()
    assert pod_namespace(IN_A_POD, str(account)) is None


def test_a_context_that_names_none_is_in_the_pods_and_stays_there(tmp_path: Path) -> None:
    text = """\
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}, {name: own, context: {cluster: c, user: u, namespace: own}}]
clusters: [{name: c, cluster: {server: "https://api.example.com"}}]
users: [{name: u, user: {}}]
"""
    (tmp_path / "config").write_text(text)
    found = load({}, str(tmp_path / "config"))
    assert found.resolve("c").namespace is None
    in_a_pod = replace(found, pod_namespace="prod")
    assert (in_a_pod.resolve("c").namespace, in_a_pod.resolve("own").namespace) == ("prod", "own")
    assert RESOLVED.namespace is not None
