"""A kuberc that leads commands to another cluster."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from kubectl_stepup.kubeconfig.kuberc import MAX_BYTES, leading_elsewhere, namespace_defaults

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT = """\
apiVersion: kubectl.config.k8s.io/v1beta1
kind: Preference
defaults:
- command: delete
  options:
  - name: {name}
    default: x
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / ".kube").mkdir()
    return tmp_path / ".kube" / "kuberc"


def found(file: Path, **environ: str) -> str | None:
    return leading_elsewhere({"HOME": str(file.parent.parent), **environ})


@pytest.mark.parametrize("name", ["context", "cluster", "server", "kubeconfig"])
def test_a_default_that_leads_elsewhere_is_found(file: Path, name: str) -> None:
    text = DEFAULT.format(name=name)
    spellings = (
        *(
            text,
            text.replace(f"name: {name}", f'"name" : "{name}"'),
            f"{{defaults: [{{options: [{{name: {name}}}]}}]}}",
        ),
        *(f"a: 1\n---\n{text}", "\ufeff" + text),
        *(
            text.replace(f"name: {name}", f"name: {mark}{name}")
            for mark in ("&a ", "!!str ", ">-\n      ", "\n    # x\n    ")
        ),
        text.replace(f"name: {name}", f'"n\\x61me": "\\x{ord(name[0]):02x}{name[1:]}"'),
        f"of: &a {name}\n" + text.replace(f"name: {name}", "name: *a"),
        "of: &a name\n" + text.replace(f"name: {name}", f"*a : {name}"),
        f"{text}- [",
    )
    for spelling in spellings:
        file.write_text(spelling)
        assert found(file) == str(file), spelling
    file.write_bytes(("\ufeff" + text).encode("utf-16-le"))
    assert found(file) == str(file)


@pytest.mark.parametrize("name", ["interactive", "user", "namespace", "contexts", "server-side"])
def test_other_defaults_are_none_of_our_business(file: Path, name: str) -> None:
    file.write_text(DEFAULT.format(name=name) + "# about the context\n")
    assert found(file) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [("namespace", {"namespace"}), ("all-namespaces", {"all-namespaces"}), ("namespaces", set()), ("context", set())],
)
def test_a_default_of_the_namespace_is_found(file: Path, name: str, expected: set[str]) -> None:
    environ = {"HOME": str(file.parent.parent)}
    file.write_text(DEFAULT.format(name=name))
    assert namespace_defaults(environ) == expected
    assert namespace_defaults({**environ, "KUBERC": "off"}) == set()
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    assert namespace_defaults(environ) == {"namespace", "all-namespaces"}
    file.unlink()
    assert namespace_defaults(environ) == set()


def test_the_variables_count_as_they_do_for_kubectl(file: Path, tmp_path: Path) -> None:
    file.write_text(DEFAULT.format(name="context"))
    other = tmp_path / "other"
    other.write_text("")
    assert found(file, KUBERC="off") is None
    assert found(file, KUBECTL_KUBERC="false") is None
    assert found(file, KUBERC=str(other)) is None
    assert leading_elsewhere({"KUBERC": str(file)}) == str(file)
    assert leading_elsewhere({}) is None


def test_what_cannot_be_read_may_lead_anywhere(file: Path) -> None:
    assert found(file) is None
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    assert found(file) == str(file)
    file.unlink()
    os.mkfifo(file)
    assert found(file) == str(file)
    assert leading_elsewhere({"KUBERC": str(file / "x")}) == str(file / "x")
