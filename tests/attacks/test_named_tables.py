"""A table of what words mean, named on the command line or in the environment, makes no command harmless."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_stepup.errors import CommandRefused
from kubectl_stepup.fastpath import allowed_command
from kubectl_stepup.kubectl.discovery import APIResource, NamedTable
from kubectl_stepup.kubectl.discovery_cache import Discovery
from kubectl_stepup.policy.decision import Decision
from kubectl_stepup.policy.load import load
from kubectl_stepup.stepup.evaluate import evaluate, parse
from kubectl_stepup.stepup.options import TargetOptions
from tests.flows import CONFIG, RESOLVED, Replaced, World, session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DEFAULT = load(None, None)
SERVER = RESOLVED.server


def row(name: str, kind: str, *, namespaced: bool = True, **names: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "namespaced": namespaced, "verbs": ["get", "patch"], **names}


ROWS = [
    row("configmaps", "ConfigMap", singularName="configmap", shortNames=["cm"]),
    row("pods", "Pod", singularName="pod", shortNames=["po"], categories=["all"]),
    row("secrets", "Secret", singularName="secret"),
    row("namespaces", "Namespace", namespaced=False, singularName="namespace", shortNames=["ns"]),
    row("clusterrolebindings", "ClusterRoleBinding", namespaced=False, singularName="clusterrolebinding"),
]


def write(directory: Path, rows: list[dict[str, Any]] | None = None) -> Path:
    """Write a table as kubectl keeps it."""
    place = directory / "discovery" / SERVER.removeprefix("https://").replace(":", "_")
    groups: dict[str, list[dict[str, Any]]] = {"v1": [], "rbac.authorization.k8s.io/v1": []}
    for one in ROWS if rows is None else rows:
        groups["rbac.authorization.k8s.io/v1" if one["name"].startswith("cluster") else "v1"].append(one)
    for version, listed in groups.items():
        (place / version).mkdir(parents=True, exist_ok=True)
        text = json.dumps({"kind": "APIResourceList", "groupVersion": version, "resources": listed})
        (place / version / "serverresources.json").write_text(text)
    return directory


def changed(of: str, **names: Any) -> list[dict[str, Any]]:
    return [{**one, **(names if one["name"] == of else {})} for one in ROWS]


def decided(text: str, environ: Mapping[str, str]) -> Decision:
    world = World(policy=DEFAULT)
    world.discovery = Discovery(environ)
    found, _ = evaluate(*parse(shlex.split(text), TargetOptions()), world)
    return found.decision


def by_flag(text: str, directory: Path, home: Path) -> Decision:
    return decided(f"{text} --cache-dir={directory}", {"HOME": str(home)})


def by_variable(text: str, directory: Path, home: Path) -> Decision:
    return decided(text, {"HOME": str(home), "KUBECACHEDIR": str(directory)})


EVERYDAY = ["get pods", "get cm", "get configmap x", "patch cm x -p {}", "get all", "describe po x", "label pod x a=b"]


@pytest.mark.parametrize("named", [by_flag, by_variable])
@pytest.mark.parametrize("text", EVERYDAY)
def test_an_honest_table_changes_no_decision(named: Any, text: str, tmp_path: Path) -> None:
    assert named(text, write(tmp_path / "d"), tmp_path).effect == "allow"


@pytest.mark.parametrize("text", EVERYDAY)
def test_a_directory_that_is_not_there_says_nothing(text: str, tmp_path: Path) -> None:
    assert by_flag(text, tmp_path / "new", tmp_path).effect == "allow"


REMAPPED = {
    "a singular": ("get configmap x", changed("secrets", singularName="configmap"), "read-secrets"),
    "a short name": ("get cm x", changed("secrets", shortNames=["cm"]), "read-secrets"),
    "a short name that is new": ("patch bar x -p {}", changed("clusterrolebindings", shortNames=["bar"]), "grant"),
    "a kind": ("get ConfigMap x", changed("secrets", kind="ConfigMap"), "read-secrets"),
    "a category": ("get all", changed("secrets", categories=["all"]), "read-secrets"),
    "a new category": ("get stuff", changed("secrets", categories=["stuff"]), "read-secrets"),
    "capitals": ("get configmap x", changed("secrets", singularName="ConfigMap", name="Secrets"), "read-secrets"),
    "a word of another resource": ("patch pod x -p {}", changed("clusterrolebindings", shortNames=["pod"]), "grant"),
    "whose body means something else": (
        """patch cm x -p '{"spec":{"unschedulable":true}}'""",
        [row("nodes", "Node", namespaced=False, shortNames=["cm"])],
        "stop",
    ),
    "no resource's name": ("get configmap x", [row("..", "ConfigMap", singularName="configmap")], "read-secrets"),
    "the scope": ("get cm x", [row("secrets", "Secret", namespaced=False, shortNames=["cm"])], "read-secrets"),
}


@pytest.mark.parametrize("named", [by_flag, by_variable])
@pytest.mark.parametrize(("text", "rows", "action"), REMAPPED.values(), ids=REMAPPED.keys())
def test_a_word_counts_as_all_that_it_may_be(
    named: Any, text: str, rows: list[dict[str, Any]], action: str, tmp_path: Path
) -> None:
    decision = named(text, write(tmp_path / "d", rows), tmp_path)

    assert decision.level is not None
    assert action in decision.actions
    assert decision.effect == ("refuse" if named is by_flag else "stepup")


def test_the_kind_of_a_manifest_counts_as_all_that_it_may_be(tmp_path: Path) -> None:
    """`get -f` of a ConfigMap reads a secret, and `delete -f` deletes a namespace, by such a table."""
    from kubectl_stepup.kubectl.command import read, with_objects
    from kubectl_stepup.kubectl.discovery import with_named
    from kubectl_stepup.kubectl.manifest_objects import objects_in
    from kubectl_stepup.policy.evaluate import decide
    from kubectl_stepup.policy.model import Target

    text = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "prod"}}'
    for verb, victim, action in (("get", "secrets", "read-secrets"), ("delete", "namespaces", "delete")):
        rows = changed(victim, kind="ConfigMap")
        table = Discovery({}).named(SERVER, str(write(tmp_path / victim, rows)))
        assert table is not None
        typed = with_objects(read([verb, "-f", "x"]), objects_in(text, namespace=None))
        command = with_named(typed, typed, table)
        assert victim in {entry.resource.name for entry in command.requests}
        assert action in decide(DEFAULT, command, Target()).actions


@pytest.mark.parametrize("text", ["get pods", "get configmap x", "patch widget x -p {}"])
def test_answers_that_were_kept_may_say_anything(text: str, tmp_path: Path) -> None:
    """kubectl takes them for the server's, tables and redirects alike, and nobody reads them here."""
    directory = write(tmp_path / "d")
    (directory / "http").mkdir()
    assert by_flag("get pods", directory, tmp_path).effect == "allow"
    (directory / "http" / "0a1b").write_bytes(b"x")
    decision = by_flag(text, directory, tmp_path)
    assert (decision.effect, decision.code) == ("refuse", "redirecting-flags")


@pytest.mark.parametrize("content", ["", "{", '{"groupVersion": 1}', "[" * 100_000])
def test_a_file_that_cannot_be_read_may_say_anything(content: str, tmp_path: Path) -> None:
    directory = write(tmp_path / "d")
    next(directory.rglob("v1/serverresources.json")).write_text(content)
    assert by_flag("get pods", directory, tmp_path).effect == "refuse"


@pytest.mark.parametrize("flags", ["--server=https://elsewhere", "--cluster=other"])
def test_of_a_server_that_is_not_known_a_table_may_say_anything(flags: str, tmp_path: Path) -> None:
    assert by_flag(f"get pods {flags}", write(tmp_path / "d"), tmp_path).effect == "refuse"


@pytest.mark.parametrize("text", ["delete pod x", "get secrets", "exec web-0 -- date", "scale deploy x --replicas=0"])
def test_no_elevated_command_has_such_a_directory(text: str, tmp_path: Path) -> None:
    """Not even an empty one: what is in it is the caller's until kubectl reads it."""
    words, separator, rest = text.partition(" --")
    decision = decided(f"{words} --cache-dir={tmp_path / 'new'}{separator}{rest}", {"HOME": str(tmp_path)})
    assert (decision.effect, decision.code) == ("refuse", "redirecting-flags")
    assert decision.why.startswith("--cache-dir in a command that needs level ")


def test_a_level_that_is_named_does_not_bring_it_back() -> None:
    from kubectl_stepup.stepup.options import StepUpOptions

    world = World(approve=lambda request: session(level=request.level.name))
    with pytest.raises(CommandRefused, match="--cache-dir cannot stand in a stepped-up command"):
        world.execute("get", "pods", "--cache-dir=/d", options=StepUpOptions(level="mfa"))


@pytest.mark.parametrize("usual", ["{home}/.kube/cache", "{home}/.kube/../.kube/cache/"])
def test_the_usual_place_may_be_named(usual: str, tmp_path: Path) -> None:
    directory = write(tmp_path / ".kube/cache", changed("secrets", singularName="configmap"))
    (directory / "http").mkdir()
    (directory / "http" / "0a1b").write_bytes(b"x")
    decision = decided(f"get configmap x --cache-dir={usual.format(home=tmp_path)}", {"HOME": str(tmp_path)})
    assert decision.effect == "allow"


def test_the_usual_table_explains_what_is_not_built_in_and_may_make_more_of_it(tmp_path: Path) -> None:
    write(tmp_path / ".kube/cache", changed("clusterrolebindings", shortNames=["bar"]))
    decision = decided("patch bar x -p {}", {"HOME": str(tmp_path)})
    assert ("grant" in decision.actions, decision.level) == (True, "critical")
    assert {entry.resource.name for entry in decision.requests} == {"clusterrolebindings"}


def test_what_a_table_says_of_custom_resources_makes_no_change_worse(tmp_path: Path) -> None:
    write(tmp_path / ".kube/cache", [row("widgets", "Widget", shortNames=["wd"])])
    decision = decided("label wd x a=b", {"HOME": str(tmp_path)})
    assert (decision.effect, decision.actions) == ("allow", ("change",))


def test_the_usual_table_does_not_explain_a_named_one_away(tmp_path: Path) -> None:
    """The short name is resolved by the usual table; the named one has another resource for it."""
    write(tmp_path / ".kube/cache", [row("widgets", "Widget", shortNames=["wd"])])
    directory = write(tmp_path / "d", changed("secrets", shortNames=["wd"]))
    decision = by_variable("get wd x", directory, tmp_path)
    assert {entry.resource.name for entry in decision.requests} == {"widgets", "secrets"}


def test_an_allowed_command_gets_no_table_that_the_environment_names() -> None:
    world = World(named=NamedTable(resources=(), complete=True))
    world.environ["KUBECACHEDIR"] = "/elsewhere"
    with pytest.raises(Replaced) as caught:
        world.execute("get", "pods")
    assert "KUBECACHEDIR" not in caught.value.environ
    assert caught.value.environ == {name: world.environ[name] for name in world.environ if name != "KUBECACHEDIR"}


def test_an_elevated_command_gets_no_table_that_the_environment_names() -> None:
    world = World(approve=lambda request: session(level=request.level.name))
    world.environ["KUBECACHEDIR"] = "/elsewhere"
    assert world.execute("delete", "pod", "x") == 0
    assert "KUBECACHEDIR" not in world.kubectl.ran[0].environ


def test_a_word_that_the_table_makes_sensitive_is_one_to_step_up_for() -> None:
    secrets = APIResource(group="", name="secrets", kind="Secret", namespaced=True, singular="configmap")
    world = World(
        approve=lambda request: session(level=request.level.name),
        policy=DEFAULT,
        config=replace(CONFIG, providers=(replace(CONFIG.providers[0]),)),
        named=NamedTable(resources=(secrets,), complete=True),
    )
    assert world.execute("get", "configmap", "x") == 0
    assert world.kubectl.ran[0].argv == ("get", "configmap", "x")


@pytest.mark.parametrize("text", ["get pods --cache-dir=/d", "--cache-dir /d get pods"])
def test_a_line_with_such_a_directory_is_never_kept_for_the_fast_path(text: str) -> None:
    assert not allowed_command.is_allowed_everywhere(text.split(), DEFAULT)
    assert allowed_command.is_allowed_everywhere(["get", "pods"], DEFAULT)


def test_the_fast_path_is_not_taken_where_the_environment_names_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def look(words: Sequence[str], environ: Mapping[str, str]) -> bool:
        looked.append("looked")
        return False

    monkeypatch.setattr(allowed_command, "is_known_to_be_allowed", look)
    allowed_command.serve(["exec", "--", "get", "pods"], {"KUBECACHEDIR": "/d"})
    assert looked == []
    allowed_command.serve(["exec", "--", "get", "pods"], {"KUBECACHEDIR": ""})
    assert looked == ["looked"]
