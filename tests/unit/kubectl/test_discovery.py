"""Words that only the cluster can explain: what it says decides, and what it does not say stays anything."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import run
from typing import Any

import pytest

from kubectl_stepup.kubectl import discovery_cache
from kubectl_stepup.kubectl.command import read, with_objects
from kubectl_stepup.kubectl.discovery import APIResource, NamedTable, has_unknown, with_discovered
from kubectl_stepup.kubectl.manifest_objects import objects_in
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.model import Level, Policy, Rule, Selector, Target
from tests.unit.kubectl.test_manifest import find_kubectl

WIDGETS = APIResource(
    group="example.com", name="widgets", kind="Widget", namespaced=True, singular="widget", short_names=("wd", "get"),
    categories=("all", "toys"),
)  # fmt: skip
FLEETS = APIResource(
    group="ops.example.com", name="fleets", kind="Fleet", namespaced=False, singular="fleet", categories=("toys",)
)
OTHER_WIDGETS = WIDGETS.replace(group="other.io", short_names=(), categories=())
PODS = APIResource(group="", name="pods", kind="Pod", namespaced=True, singular="pod", categories=("all",))
FOUND = (PODS, WIDGETS, FLEETS)


def requests(text: str, found: tuple[APIResource, ...] = FOUND) -> list[str]:
    command = with_discovered(read(text.split()), found)
    return [
        f"{entry.verb} {entry.resource.group}/{entry.resource.name}"
        for entry in command.requests
        if entry.verb not in {"get", "list"} and not entry.resource.built_in
    ]


@pytest.mark.parametrize(
    "word",
    [
        "wd",
        "get",
        "widget",
        "widgets",
        "Widget",
        "WIDGETS",
        "widgets.example.com",
        "wd.example",
        "widgets.v1.example.com",
    ],
)
def test_a_word_means_what_the_cluster_says(word: str) -> None:
    """POL-09."""
    assert requests(f"delete {word} x") == ["delete example.com/widgets"]
    assert requests(f"delete {word}/x") == ["delete example.com/widgets"]


@pytest.mark.parametrize("word", ["gadget", "widgets.other.io", "widgetses"])
def test_a_word_that_it_does_not_know_stays_anything(word: str) -> None:
    text = f"delete {word} x"
    assert with_discovered(read(text.split()), FOUND) == read(text.split())
    assert has_unknown(read(text.split()))


def test_a_word_with_two_meanings_has_both() -> None:
    assert requests("delete widget x", (WIDGETS, OTHER_WIDGETS)) == [
        "delete example.com/widgets",
        "delete other.io/widgets",
    ]
    assert requests("delete widget.other.io x", (WIDGETS, OTHER_WIDGETS)) == ["delete other.io/widgets"]


def test_a_category_means_all_that_is_in_it() -> None:
    assert requests("label toys --all a=b") == ["patch example.com/widgets", "patch ops.example.com/fleets"]
    assert requests("label all --all a=b") == ["patch example.com/widgets"]
    assert requests("label all --all a=b", (PODS,)) == []
    assert requests("label all --all a=b", (FLEETS,)) == []


def test_without_the_cluster_all_may_hold_custom_resources() -> None:
    unexplained = read(["label", "all", "--all", "a=b"])
    assert has_unknown(unexplained)
    assert {entry.resource.name for entry in unexplained.requests if not entry.resource.built_in} == {"all"}


def test_commands_about_built_in_resources_need_no_cluster() -> None:
    for text in ("delete pod x", "get deploy,sts", "exec x -- sh", "apply -f x.yaml", "get --raw /x", "config view"):
        assert not has_unknown(read(text.split())), text


def test_the_scope_is_known_then() -> None:
    rule = Rule(name="r", needs="mfa", actions=frozenset({"delete"}), excluded=(Selector(namespaces=("sandbox-*",)),))
    policy = Policy(
        who="people", levels=(Level(name="mfa", signed_in_within_s=9, ask_again_after_s=9),), rules=(rule,), commands={}
    )
    # A custom resource of which nobody knows whether it is cluster-scoped is in no namespace that is spared.
    for text, without, with_it in (
        ("delete widget x -n sandbox-1", "stepup", "allow"),
        ("delete fleet x -n sandbox-1", "stepup", "stepup"),
    ):
        command = read(text.split())
        assert decide(policy, command, Target()).effect == without
        assert decide(policy, with_discovered(command, FOUND), Target()).effect == with_it


def test_a_rule_about_another_custom_resource_is_not_met_any_more() -> None:
    rule = Rule(name="r", needs="mfa", verbs=frozenset({"delete"}), api_groups=("example.com",), resources=("gadgets",))
    policy = Policy(
        who="people", levels=(Level(name="mfa", signed_in_within_s=9, ask_again_after_s=9),), rules=(rule,), commands={}
    )
    command = read(["delete", "wd", "x"])
    assert decide(policy, command, Target()).effect == "stepup"
    assert decide(policy, with_discovered(command, FOUND), Target()).effect == "allow"


def test_the_kind_of_a_manifest_finds_its_resource() -> None:
    sheep = APIResource(group="example.com", name="sheep", kind="Sheep", namespaced=False)
    text = '{"apiVersion": "example.com/v1", "kind": "Sheep", "metadata": {"name": "a"}}'
    command = with_objects(read(["apply", "-f", "x"]), objects_in(text, namespace=None))
    assert {entry.resource.name for entry in with_discovered(command, (sheep,)).requests} == {"sheep"}
    assert {entry.resource.group for entry in with_discovered(command, FOUND).requests} == {"example.com"}


# -- kubectl's files ------------------------------------------------------------------------------------------------


class Discovery(BaseHTTPRequestHandler):
    """An API server that has pods, widgets and fleets, and no objects."""

    def do_GET(self) -> None:
        def resource(one: APIResource) -> dict[str, Any]:
            return {
                "name": one.name, "singularName": one.singular, "namespaced": one.namespaced, "kind": one.kind,
                "verbs": ["get", "list"], "shortNames": list(one.short_names), "categories": list(one.categories),
            }  # fmt: skip

        def group(name: str) -> dict[str, Any]:
            version = {"groupVersion": f"{name}/v1", "version": "v1"}
            return {"name": name, "versions": [version], "preferredVersion": version}

        lists = {"/api/v1": PODS, "/apis/example.com/v1": WIDGETS, "/apis/ops.example.com/v1": FLEETS}
        answers: dict[str, Any] = {
            f"/k8s{path}": {
                "kind": "APIResourceList",
                "groupVersion": path.removeprefix("/apis/").removeprefix("/api/"),
                "resources": [resource(one), {**resource(one), "name": f"{one.name}/status"}],
            }
            for path, one in lists.items()
        }
        answers["/k8s/api"] = {"kind": "APIVersions", "versions": ["v1"]}
        answers["/k8s/apis"] = {"kind": "APIGroupList", "groups": [group("example.com"), group("ops.example.com")]}
        body = json.dumps(answers.get(self.path.partition("?")[0], {"kind": "List", "items": []})).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Discovery) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/k8s"
        http.shutdown()


@pytest.mark.parametrize("where", ["home", "variable", "flag"])
def test_what_kubectl_wrote_down_is_found(where: str, server: str, tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "KUBECONFIG": "/dev/null"}
    words = [find_kubectl(), "get", "widgets", f"--server={server}"]
    directory = None
    if where == "variable":
        environ["KUBECACHEDIR"] = str(tmp_path / "elsewhere")
    if where == "flag":
        directory = str(tmp_path / "flag")
        words.append(f"--cache-dir={directory}")

    def read_back(url: str = server) -> tuple[APIResource, ...]:
        table = discovery_cache.named(url, directory=directory, environ=environ)
        assert (table is None) == (where == "home")
        return discovery_cache.resources(url, environ=environ) if table is None else table.resources

    assert read_back() == ()
    run(words, env=environ, check=True, capture_output=True)

    assert sorted(one.name for one in read_back()) == ["fleets", "pods", "widgets"]
    assert WIDGETS in read_back()
    assert FLEETS in read_back()
    assert read_back("https://127.0.0.1:1") == ()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"groupVersion": 1, "resources": []}', '{"resources": [{}]}', "[" * 100_000]
)
def test_files_that_cannot_be_read_explain_nothing(content: str, tmp_path: Path) -> None:
    place = tmp_path / ".kube/cache/discovery/api.example.com_6443/v1"
    place.mkdir(parents=True)
    (place / "serverresources.json").write_text(content)
    found = discovery_cache.resources("https://api.example.com:6443", environ={"HOME": str(tmp_path)})
    assert found == ()
    table = discovery_cache.named("https://api.example.com:6443", directory=str(tmp_path / ".kube/cache"), environ={})
    assert table == NamedTable(resources=(), complete=False)
