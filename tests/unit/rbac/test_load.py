"""What files and kubectl's answers hold: documents, lists, lines, and what is wrong with them."""

from __future__ import annotations

import json

import pytest

from kubectl_stepup.errors import RbacInvalid
from kubectl_stepup.rbac.load import manifests
from kubectl_stepup.rbac.model import FileLocation, Subject
from kubectl_stepup.rbac.reading import objects_of

from .conftest import allow, bound, read_text

ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "one"},
    "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}],
}


def test_several_documents_each_know_their_line() -> None:
    first, second = manifests(b"# a comment\n---\nkind: A\n---\n\n# another\nkind: B\nrules:\n- {}\n- {}\n", "f.yaml")
    assert (first.location, first.rule_lines) == (FileLocation(file="f.yaml", line=3), ())
    assert (second.location, second.rule_lines) == (FileLocation(file="f.yaml", line=7), (9, 10))


def test_a_list_is_its_items_with_their_own_lines() -> None:
    text = b"apiVersion: v1\nkind: List\nitems:\n- kind: A\n  rules:\n  - {}\n- kind: B\n"
    first, second = manifests(text, "f.yaml")
    assert (first.content["kind"], first.location.line, first.rule_lines) == ("A", 4, (6,))
    assert (second.content["kind"], second.location.line) == ("B", 7)


def test_a_list_of_one_kind_tells_it() -> None:
    """The API's own lists: their items have neither apiVersion nor kind."""
    bare = {"metadata": {"name": "one"}, "rules": ROLE["rules"]}
    text = {"apiVersion": ROLE["apiVersion"], "kind": "ClusterRoleList", "items": [bare]}
    (found,) = manifests(json.dumps(text).encode(), "f.json")
    assert found.content == {**ROLE}


def test_json_is_read_as_kubectl_writes_it() -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [ROLE]}, indent=4)
    (found,) = manifests(text.encode(), "f.json")
    assert (found.content, found.location) == (ROLE, FileLocation(file="f.json"))


def test_nothing_in_a_file_is_nothing() -> None:
    assert list(manifests(b"# only words\n---\n---\n", "f.yaml")) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "f.yaml: no JSON"),
        (b"{" * 100_000, "f.yaml: no JSON"),
        (b'{"a":' * 100_000, "f.yaml: no JSON"),
        (b"a: [\n", "f.yaml:2:"),
        (b"- a\n- b\n", "f.yaml: a Kubernetes object is expected, not list"),
        (b"kind: List\nitems: [a]\n", "f.yaml: an item of a List is no object"),
        (b"\xff\xfe", "f.yaml:1: not UTF-8"),
        (b"kind: &a [*a]\n", "f.yaml:1: nested deeper"),
    ],
)
def test_what_is_no_object_is_said(data: bytes, message: str) -> None:
    with pytest.raises(RbacInvalid, match=message.replace("(", r"\(")):
        list(manifests(data, "f.yaml"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("verbs: [get]", "verbs: get", r"rbac.yaml:2: rules\[0\].verbs must be a list"),
        ("verbs: [get]", "verbs: [[get]]", r"rbac.yaml:2: rules\[0\].verbs\[0\] must be a text"),
        ("metadata: {name: one}", "metadata: one", "rbac.yaml:2: metadata must be a mapping"),
        ("metadata: {name: one}", "metadata: {}", "rbac.yaml:2: metadata.name must be a text"),
        ("subjects: [{kind: Group", "subjects: [{kin: Group", r"rbac.yaml:7: subjects\[0\].kind must be a text"),
        ("roleRef: {kind: ClusterRole, name: one}", "roleRef: []", "rbac.yaml:7: roleRef must be a mapping"),
    ],
)
def test_what_the_api_would_not_have_is_said_with_its_place(old: str, new: str, message: str) -> None:
    text = bound(allow("get", "secrets"))
    assert old in text
    with pytest.raises(RbacInvalid, match=message):
        read_text(text.replace(old, new))


def test_other_kinds_and_other_groups_are_passed_over() -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n---\napiVersion: example.com/v1\nkind: Role\n"
    assert (read_text(text).roles, read_text(text).bindings) == ({}, ())


def test_of_two_with_one_name_the_later_counts() -> None:
    objects = read_text(bound(allow("get", "secrets")) + "---" + bound(allow("get", "pods")))
    (role,) = objects.roles.values()
    assert role.rules[0].resources == ("pods",)
    assert len(objects.bindings) == 1


def test_a_service_accounts_namespace_is_the_bindings_where_it_says_none() -> None:
    objects = read_text(bound(allow("get", "pods"), subject="{kind: ServiceAccount, name: ci}", namespace="dev"))
    assert objects.bindings[0].subjects == (Subject(kind="ServiceAccount", name="ci", namespace="dev"),)


def test_whether_service_accounts_are_known_is_told_or_seen() -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a", "namespace": "b"}}
    one = list(manifests(json.dumps(account).encode(), "f.json"))
    assert objects_of([]).service_accounts is None
    assert objects_of([], has_service_accounts=True).service_accounts == {}
    assert set(objects_of(one).service_accounts or ()) == {("b", "a")}
    assert objects_of(one, has_service_accounts=False).service_accounts is None
