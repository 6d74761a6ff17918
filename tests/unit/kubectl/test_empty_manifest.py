"""Manifests without an object: nothing is sent, so nothing is asked for; what cannot be read is not empty."""

from __future__ import annotations

import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest

from kubectl_stepup.kubectl import manifest
from kubectl_stepup.kubectl.command import KubectlCommand, read
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Target

KUBECTL = shutil.which("kubectl") or str(Path(sys.executable).with_name("kubectl"))
pytestmark = pytest.mark.skipif(not Path(KUBECTL).exists(), reason="no kubectl")

EMPTY = {
    "no byte": b"",
    "blank": b"  \n\n",
    "comments": b"# nothing today\n---\n# nor here\n---\n",
    "null": b"null\n",
    "an empty list": b"apiVersion: v1\nkind: List\nitems: []\n",
    "a byte order mark": b"\xef\xbb\xbf",
}
NOT_EMPTY = {
    "text": b"hello",
    "no kind": b"{}",
    "not YAML": b"\0\0",
    "half an object": b"kind: Pod\n",
    "an object and text": b"{apiVersion: v1, kind: Pod, metadata: {name: x}}\n---\nhello\n",
}


def expanded(words: str, data: bytes, path: Path) -> KubectlCommand:
    path.write_bytes(data)
    argv = [str(path) if word == "FILE" else word for word in words.split()]
    return manifest.expand(read(argv), kubectl=KUBECTL, stdin=BytesIO(data))[0]


def decision(command: KubectlCommand) -> str:
    return decide(load(None, None), command, Target(cluster="prod", labels={}, namespace="default")).effect


@pytest.mark.parametrize(
    "words", ["apply -f FILE", "apply -f -", "delete -f FILE", "create -f -", "replace --force -f FILE"]
)
@pytest.mark.parametrize("what", EMPTY)
def test_nothing_is_asked_for_no_objects(words: str, what: str, tmp_path: Path) -> None:
    command = expanded(words, EMPTY[what], tmp_path / "m.yaml")
    assert (command.requests, "unread-manifest" in command.traits, decision(command)) == ((), False, "allow")


@pytest.mark.parametrize("words", ["apply -f FILE", "apply -f -"])
@pytest.mark.parametrize("what", NOT_EMPTY)
def test_what_cannot_be_read_is_not_empty(words: str, what: str, tmp_path: Path) -> None:
    command = expanded(words, NOT_EMPTY[what], tmp_path / "m.yaml")
    assert ("unread-manifest" in command.traits, decision(command)) == (True, "stepup")


def test_a_directory_without_manifests_is_not_empty(tmp_path: Path) -> None:
    command, _ = manifest.expand(read(["apply", "-f", str(tmp_path)]), kubectl=KUBECTL)
    assert "unread-manifest" in command.traits


def test_a_kubectl_that_fails_in_silence_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("")
    said = "echo 'error: no objects passed to patch' >&2"
    for script in ("exit 1", "exit 0", "echo", said, "echo 'error: else' >&2; exit 1", f"echo x; {said}; exit 1"):
        (tmp_path / "kubectl").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "kubectl").chmod(0o755)
        command, _ = manifest.expand(read(["apply", "-f", str(tmp_path / "m.yaml")]), kubectl=str(tmp_path / "kubectl"))
        assert "unread-manifest" in command.traits, script


def test_what_a_command_does_besides_its_manifest_is_still_asked_for(tmp_path: Path) -> None:
    command = expanded("apply --prune --all -f FILE", b"", tmp_path / "m.yaml")
    assert decision(command) == "stepup"


def test_kubectl_itself_sends_nothing(tmp_path: Path) -> None:
    """The address is one where nobody listens: a request would be an error of its own."""
    (tmp_path / "m.yaml").write_bytes(EMPTY["comments"])
    words = [KUBECTL, "--server=http://127.0.0.1:9", "apply", "-f", str(tmp_path / "m.yaml")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: no objects passed to apply\n")
