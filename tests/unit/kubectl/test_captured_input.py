"""What can be read only once is read once, evaluated, and kept for kubectl."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest

from kubectl_stepup.errors import UsageError
from kubectl_stepup.kubectl import manifest
from kubectl_stepup.kubectl.captured_input import CapturedInput
from kubectl_stepup.kubectl.command import KubectlCommand, read
from kubectl_stepup.kubectl.command_line import csv_value, read_line
from kubectl_stepup.kubectl.process import find

POD = b'{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}}'
SECRET = b"apiVersion: v1\nkind: Secret\nmetadata: {name: key}\n"
KUBECTL = find(dict(os.environ), also_wheel=True)

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name on this platform")


def expanded(*words: str, stdin: bytes = b"", kubectl: str = KUBECTL) -> tuple[KubectlCommand, CapturedInput]:
    return manifest.expand(read(words), kubectl=kubectl, stdin=BytesIO(stdin))


def names(command: KubectlCommand) -> list[str]:
    return list(dict.fromkeys(f"{one.resource.name}/{one.name}" for one in command.requests))


@contextmanager
def descriptor_of(content: bytes) -> Iterator[str]:
    """Return a path as `<(…)` does: of a pipe that the caller opened, which a child inherits."""
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)

    def feed() -> None:
        with open(writer, "wb") as stream:
            stream.write(content)

    thread = threading.Thread(target=feed)
    thread.start()
    yield f"/dev/fd/{reader}"
    thread.join()
    os.close(reader)


def test_process_substitution_is_evaluated() -> None:
    with descriptor_of(POD) as place:
        command, captured = expanded("delete", "-f", place)
    assert names(command) == ["pods/web"]
    assert "unread-manifest" not in command.traits
    assert b'"web"' in (captured.objects or b"")


def test_a_pipe_with_a_name_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    thread = threading.Thread(target=lambda: pipe.write_bytes(SECRET))
    thread.start()
    command, captured = expanded("apply", "-f", str(pipe))
    thread.join()
    assert names(command) == ["secrets/key"]
    assert captured.objects is not None


def test_pipes_files_and_standard_input_stay_in_their_order(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n")
    with descriptor_of(POD) as first, descriptor_of(SECRET) as second:
        typed = SECRET.replace(b"key", b"other")
        command, captured = expanded("create", "-f", f"{second},{file}", "-f", "-", "-f", first, stdin=typed)
    assert names(command)[:4] == ["secrets/key", "configmaps/c", "secrets/other", "pods/web"]
    assert captured.streams == ()


def test_what_kubectl_cannot_read_of_a_pipe_is_everything_and_handed_on_as_it_was() -> None:
    with descriptor_of(b"{ not: [yaml") as place:
        command, captured = expanded("apply", "-f", place)
    assert "unread-manifest" in command.traits
    assert (captured.objects, captured.streams) == (None, (b"{ not: [yaml",))


def test_a_large_pipe_is_everything_and_goes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "MAX_BYTES", 10)
    with descriptor_of(POD) as place:
        command, captured = expanded("apply", "-f", place)
    assert "unread-manifest" in command.traits
    assert captured.streams == (POD,)


def test_a_file_behind_a_descriptor_is_read_from_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "pod.json"
    file.write_bytes(POD)
    opened = os.open(file, os.O_RDONLY)
    os.set_inheritable(opened, True)
    command, _ = expanded("get", "-f", f"/proc/self/fd/{opened}")
    os.close(opened)
    assert names(command) == ["pods/web"]


def test_a_descriptor_that_the_caller_did_not_open_is_none_of_ours(tmp_path: Path) -> None:
    private = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(UsageError, match=f"^/dev/fd/{private}: no such file or directory$"):
        expanded("apply", "-f", f"/dev/fd/{private}")
    os.close(private)


def test_standard_input_by_its_path() -> None:
    script = (
        "import sys; from kubectl_stepup.kubectl import manifest; from kubectl_stepup.kubectl.command import read\n"
        "command, captured = manifest.expand(read(['delete', '-f', '/dev/stdin']), kubectl=sys.argv[1])\n"
        "print([one.name for one in command.requests if one.verb == 'delete'])"
    )
    done = subprocess.run([sys.executable, "-c", script, KUBECTL], input=POD, capture_output=True, check=True)
    assert done.stdout == b"['web']\n"


@pytest.mark.parametrize("stdin", [b"", b"# nothing today\n---\n"])
def test_no_objects_at_all_are_nothing_to_ask_about(stdin: bytes, tmp_path: Path) -> None:
    command, captured = expanded("apply", "-f", "-", stdin=stdin)
    assert (names(command), command.traits, list(captured.stdin or ())) == ([], frozenset(), [stdin])
    file = tmp_path / "empty.yaml"
    file.write_bytes(stdin)
    command, captured = expanded("apply", "-f", str(file))
    assert (names(command), captured.objects) == ([], b"")


@pytest.mark.parametrize("value", ["a", "a,b", 'a"b', '"', "a\nb", "a b"])
def test_a_value_of_a_list_is_read_back_as_it_was(value: str) -> None:
    assert read_line(["apply", f"--filename={csv_value(value)}"]).all("filename") == (value,)
