"""YAML and JSON that parsers read in several ways: policy sees the objects that kubectl sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubectl_stepup.kubectl import manifest
from kubectl_stepup.kubectl.command import read
from tests.unit.kubectl.test_manifest import find_kubectl

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
ROLE = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n"
JSON_MAP = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}'
JSON_ROLE = '{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"r"}}'

BOTH = ["configmaps/c", "clusterroles/r"]
FORMS: dict[str, tuple[bytes, list[str]]] = {
    "documents": (f"{MAP}---\n{ROLE}".encode(), BOTH),
    "a comment behind the dashes": (f"{MAP}---# next\n{ROLE}".encode(), BOTH),
    "dashes in a text": (f"{MAP}data:\n  a: |\n    ---\n    {ROLE.splitlines()[1]}\n".encode(), ["configmaps/c"]),
    "empty documents": (f"---\n---\n{ROLE}---\n".encode(), ["clusterroles/r"]),
    "a byte order mark": (b"\xef\xbb\xbf" + ROLE.encode(), ["clusterroles/r"]),
    "a key twice": (f"{MAP}kind: Secret\n".encode(), ["secrets/c"]),
    "a List": (f"apiVersion: v1\nkind: List\nitems:\n- {JSON_MAP}\n- {JSON_ROLE}\n".encode(), BOTH),
    "a ConfigMapList": (f"apiVersion: v1\nkind: ConfigMapList\nitems:\n- {JSON_MAP}\n".encode(), ["configmaps/c"]),
    "a merge key": (f"x: &m {{kind: ClusterRole}}\n<<: *m\n{ROLE.replace('kind: ClusterRole', '')}".encode(), BOTH[1:]),
    "JSON one after another": ((JSON_MAP + JSON_ROLE).encode(), BOTH),
    "UTF-16": (ROLE.encode("utf-16"), ["clusterroles/r"]),
    "a key in another case": (ROLE.replace("kind:", "Kind:").encode(), []),
    "an end of document": (f"{MAP}...\n---\n{ROLE}".encode(), BOTH),
    "carriage returns": (f"{MAP}---\n{ROLE}".replace("\n", "\r\n").encode(), BOTH),
}
"""What is in the file, and the objects; none where kubectl cannot read it."""


@pytest.mark.parametrize(("content", "expected"), FORMS.values(), ids=FORMS)
def test_policy_sees_what_kubectl_sees(content: bytes, expected: list[str], tmp_path: Path) -> None:
    """POL-13: what kubectl cannot read stays everything that it could be."""
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    command, _ = manifest.expand(read(["create", "-f", str(path)]), kubectl=find_kubectl())
    found = [f"{one.resource.name}/{one.name}" for one in command.requests]
    assert found == (expected or ["*/None"])
    assert ("unread-manifest" in command.traits) == (not expected)
