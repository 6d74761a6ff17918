"""Kubeconfigs that kubectl reads in its own way: an enrolled cluster stays guarded, or the command is refused."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_stepup.errors import KubeconfigError
from kubectl_stepup.kubeconfig import load
from tests.flows import RESOLVED, Replaced, World

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT: dict[str, Any] = {
    "current-context": RESOLVED.context,
    "contexts": [{"name": RESOLVED.context, "context": {"cluster": "c", "user": "u"}}],
    "clusters": [{"name": "c", "cluster": {"server": RESOLVED.server}}],
    "users": [{"name": "u", "user": {}}],
}
BOMB = "".join(f"x{one}: &x{one} [{', '.join([f'*x{one - 1}'] * 9)}]\n" for one in range(1, 9))

AS_KUBECTL: dict[str, str | bytes] = {
    "JSON": json.dumps(DOCUMENT),
    "several documents": f"{json.dumps(DOCUMENT)}\n---\n{json.dumps({'current-context': 'lab'})}",
    "a document without an end": f"{json.dumps(DOCUMENT)}\n---\n",
    "a second document that is broken": f"{json.dumps(DOCUMENT)}\n---\n{{[",
    "a repeated key": json.dumps(DOCUMENT)[:-1] + ', "preferences": {}, "preferences": {}}',
    "current-context twice": json.dumps(DOCUMENT)[:-1] + f', "current-context": "{RESOLVED.context}"}}',
    "a merge key": json.dumps(DOCUMENT).replace('"user": "u"', '<<: {user: u}'),
    "many aliases": '{"x-a": &a u, "x-b": [' + "*a, " * 500 + "], " + json.dumps(DOCUMENT)[1:],
    "an entry without a name": json.dumps({**DOCUMENT, "users": [{"user": {}}]}),
    "an entry that is nothing": json.dumps({**DOCUMENT, "users": [None]}),
    "unknown fields": json.dumps({**DOCUMENT, "users": None, "x": [1.5, {"y": None}]}),
    "UTF-16": ("\ufeff" + json.dumps(DOCUMENT)).encode("utf-16-le"),
    "a byte order mark": ("\ufeff" + json.dumps(DOCUMENT)).encode(),
    "five megabytes": json.dumps({**DOCUMENT, "x-note": "a" * (5 << 20)}),
    "tags": json.dumps(DOCUMENT).replace("[", "!!seq [").replace('"u"', "!!str u"),
    "line ends of Windows": json.dumps(DOCUMENT, indent=2).replace("\n", "\r\n"),
}  # fmt: skip
NOT_READ = {
    "a broken document": json.dumps(DOCUMENT)[:-1],
    "a number as a name": json.dumps({**DOCUMENT, "users": [{"name": 5}]}),
    "a name twice": json.dumps({**DOCUMENT, "users": [{"name": "u"}, {"name": "u"}]}),
    "a control character": json.dumps(DOCUMENT) + "\x07",
    "a value of a wrong type": json.dumps({**DOCUMENT, "contexts": {}}),
    "an alias bomb": f"x0: &x0 [u, u]\n{BOMB}",
    "no kubeconfig of this version": json.dumps({**DOCUMENT, "apiVersion": "v2"}),
}


@pytest.fixture(params=["alone", "behind another", "before another"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """Return the file to write, and the environment that names it."""
    other = tmp_path / "other"
    other.write_text("clusters: [{name: other, cluster: {server: 'https://other.example.com'}}]")
    file = tmp_path / "config"
    files = {"alone": [file], "behind another": [other, file], "before another": [file, other]}[request.param]
    return file, {"KUBECONFIG": os.pathsep.join(map(str, files))}


class FilesWorld(World):
    """A world whose kubeconfig is in real files."""

    files: dict[str, str]

    def kubeconfig(self, flag: str | None) -> Any:
        return load.load(self.files, flag)


def world(environ: dict[str, str]) -> FilesWorld:
    made = FilesWorld()
    made.files = environ
    return made


def write(file: Path, content: str | bytes) -> None:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize("name", AS_KUBECTL)
def test_what_kubectl_reads_leads_to_the_enrolled_cluster(name: str, place: tuple[Path, dict[str, str]]) -> None:
    file, environ = place
    write(file, AS_KUBECTL[name])
    found = load.load(environ, None).resolve(None)
    assert (found.context, found.server) == (RESOLVED.context, RESOLVED.server)


@pytest.mark.parametrize("name", NOT_READ)
def test_what_cannot_be_read_is_refused_and_on_record(name: str, place: tuple[Path, dict[str, str]]) -> None:
    file, environ = place
    write(file, NOT_READ[name])
    there = world(environ)
    with pytest.raises(KubeconfigError) as caught:
        there.execute("delete", "pod", "web-0")
    line = rf"{re.escape(str(file))}:\d: .+: refused, as the command may go to an enrolled cluster"
    assert re.fullmatch(line, caught.value.message)
    assert caught.value.hint == "kubectl config view"
    assert [event.result for event in there.audit.events] == ["kubeconfig-invalid"]
    assert (there.asked, there.kubectl.ran) == ([], [])
    with pytest.raises(Replaced):
        there.execute("get", "pods")


@pytest.mark.parametrize("name", ["pipe", "directory", "loop", "not searchable"])
def test_what_is_no_file_is_refused(name: str, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").write_text("")
    files = {
        "pipe": f"/dev/fd/{reading}",
        "directory": str(tmp_path),
        "loop": str(tmp_path / "loop"),
        "not searchable": str(tmp_path / "file" / "config"),
    }
    try:
        for environ, words in (({"KUBECONFIG": files[name]}, ()), ({}, (f"--kubeconfig={files[name]}",))):
            with pytest.raises(KubeconfigError, match=r"refused, as the command may go to an enrolled cluster$"):
                world(environ).execute("delete", "pod", "web-0", *words)
    finally:
        os.close(reading)
        os.close(writing)


def test_the_last_kubeconfig_flag_is_the_one_that_counts(tmp_path: Path) -> None:
    """As it is for kubectl."""
    (tmp_path / "enrolled").write_text(json.dumps(DOCUMENT))
    (tmp_path / "other").write_text(json.dumps(DOCUMENT).replace(RESOLVED.server, "https://other.example.com"))
    words = ["delete", "pod", "x", f"--kubeconfig={tmp_path / 'other'}", "--kubeconfig", str(tmp_path / "broken")]
    (tmp_path / "broken").write_text("{")
    with pytest.raises(KubeconfigError, match="/broken:2: "):
        world({}).execute(*words)


@pytest.mark.parametrize(
    "environ", [{}, {"KUBECONFIG": "/no/such/file"}, {"KUBECONFIG": os.devnull}, {"KUBERNETES_MASTER": "https://x"}]
)
def test_without_a_context_kubectl_would_look_for_a_cluster_of_its_own(environ: dict[str, str]) -> None:
    """`$KUBERNETES_MASTER`, the service account of the pod it runs in, localhost."""
    with pytest.raises(KubeconfigError, match=r"^no current-context is set in "):
        world(environ).execute("delete", "pod", "web-0")


def test_a_context_without_its_cluster_is_refused(tmp_path: Path) -> None:
    """kubectl takes the default server for it."""
    for document in ({**DOCUMENT, "clusters": []}, {**DOCUMENT, "clusters": [{"name": "c"}]}):
        (tmp_path / "config").write_text(json.dumps(document))
        with pytest.raises(KubeconfigError, match="refused, as the command may go"):
            world({"KUBECONFIG": str(tmp_path / "config")}).execute("delete", "pod", "web-0")


def test_a_kuberc_does_not_lead_to_an_enrolled_cluster_unasked(tmp_path: Path) -> None:
    """kubectl 1.36 and 1.37 take `--context` from there, and go to its cluster."""
    lab = {"name": "lab", "context": {"cluster": "lab", "user": "u"}}
    document = {
        **DOCUMENT,
        "contexts": [lab, *DOCUMENT["contexts"]],
        "clusters": [{"name": "lab", "cluster": {"server": "https://lab.example.com"}}, *DOCUMENT["clusters"]],
    }
    (tmp_path / "config").write_text(json.dumps(document))
    (tmp_path / "kuberc").write_text(
        "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n"
        f"defaults: [{{command: delete, options: [{{name: context, default: {RESOLVED.context}}}]}}]\n"
    )
    environ = {"KUBECONFIG": str(tmp_path / "config"), "KUBERC": str(tmp_path / "kuberc")}
    there = world(environ)
    with pytest.raises(KubeconfigError, match=r"kuberc: may send kubectl to another cluster .*: refused, as"):
        there.execute("delete", "pod", "web-0", "--context", "lab")
    assert there.audit.events[0].result == "kubeconfig-invalid"
    with pytest.raises(Replaced):
        world({**environ, "KUBERC": "off"}).execute("delete", "pod", "web-0", "--context", "lab")
