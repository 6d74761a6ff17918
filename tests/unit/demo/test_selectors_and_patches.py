"""Selectors and patches, as kubectl sends them."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.demo.patches import merge, patched, strategic
from kubectl_stepup.demo.selectors import selector
from kubectl_stepup.demo.statuses import StatusError

POD = {"metadata": {"name": "web-0", "labels": {"app": "web", "tier": "front"}}, "status": {"phase": "Running"}}


@pytest.mark.parametrize(
    ("labels", "matches"),
    [
        (None, True),
        ("app=web", True),
        ("app==web,tier=front", True),
        ("app!=web", False),
        ("app!=db,missing!=x", True),
        ("app in (db, web)", True),
        ("app notin (db,web)", False),
        ("missing notin (a)", True),
        ("app", True),
        ("!app", False),
        ("!missing,app in (web),tier", True),
    ],
)
def test_label_selectors(labels: str | None, matches: bool) -> None:
    assert selector(labels, None)(POD) is matches


@pytest.mark.parametrize(
    ("fields", "matches"),
    [("metadata.name=web-0", True), ("metadata.name!=web-0", False), ("status.phase=Running,spec.nodeName=", True)],
)
def test_field_selectors(fields: str, matches: bool) -> None:
    assert selector(None, fields)(POD) is matches


@pytest.mark.parametrize(("labels", "fields"), [("app web", None), ("a=(b", None), (None, "nonsense")])
def test_what_is_no_selector_is_a_bad_request(labels: str | None, fields: str | None) -> None:
    with pytest.raises(StatusError) as caught:
        selector(labels, fields)
    assert caught.value.code == 400


# RFC 7386 appendix A
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patches(target: Any, patch: Any, result: Any) -> None:
    assert merge(target, patch) == result


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        (
            {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]},
            {"containers": [{"name": "b", "image": "2"}, {"name": "c"}]},
            {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}, {"name": "c"}]},
        ),
        (
            {"containers": [{"name": "a"}, {"name": "b"}]},
            {"containers": [{"name": "a", "$patch": "delete"}], "$setElementOrder/containers": [{"name": "b"}]},
            {"containers": [{"name": "b"}]},
        ),
        ({"args": ["a"]}, {"args": ["b"]}, {"args": ["b"]}),
        ({"finalizers": ["a"]}, {"finalizers": ["a", "b"]}, {"finalizers": ["a", "b"]}),
        ({"finalizers": ["a", "b"]}, {"$deleteFromPrimitiveList/finalizers": ["a"]}, {"finalizers": ["b"]}),
        (
            {"strategy": {"type": "A", "x": 1}},
            {"strategy": {"$patch": "replace", "type": "B"}},
            {"strategy": {"type": "B"}},
        ),
        (
            {"strategy": {"type": "A", "x": 1}},
            {"strategy": {"$retainKeys": ["type"], "type": "B"}},
            {"strategy": {"type": "B"}},
        ),
        ({"data": {"a": "1", "b": "2"}}, {"data": {"a": None}}, {"data": {"b": "2"}}),
    ],
)
def test_strategic_merge_patches(target: Any, patch: Any, result: Any) -> None:
    assert strategic(target, patch) == result


@pytest.mark.parametrize(
    ("operations", "result"),
    [
        ([{"op": "add", "path": "/a/b", "value": 1}], {"a": {"b": 1}, "l": [1, 2]}),
        (
            [{"op": "add", "path": "/l/0", "value": 0}, {"op": "add", "path": "/l/-", "value": 3}],
            {"a": {}, "l": [0, 1, 2, 3]},
        ),
        ([{"op": "replace", "path": "/l/1", "value": 5}], {"a": {}, "l": [1, 5]}),
        ([{"op": "remove", "path": "/l/0"}], {"a": {}, "l": [2]}),
        ([{"op": "move", "from": "/l", "path": "/m"}], {"a": {}, "m": [1, 2]}),
        ([{"op": "copy", "from": "/l", "path": "/a/c~1d"}], {"a": {"c/d": [1, 2]}, "l": [1, 2]}),
        ([{"op": "test", "path": "/l/0", "value": 1}], {"a": {}, "l": [1, 2]}),
    ],
)
def test_json_patches(operations: list[dict[str, Any]], result: Any) -> None:
    assert patched({"a": {}, "l": [1, 2]}, operations, "application/json-patch+json") == result


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "remove", "path": "/missing"}],
        [{"op": "replace", "path": "/missing", "value": 1}],
        [{"op": "test", "path": "/a", "value": 1}],
        [{"op": "add", "path": "", "value": {}}],
        [{"op": "grow", "path": "/a"}],
        [{"path": "/a"}],
        ["x"],
    ],
)
def test_json_patches_that_do_not_apply_are_invalid(operations: list[Any]) -> None:
    with pytest.raises(StatusError) as caught:
        patched({"a": {}}, operations, "application/json-patch+json")
    assert caught.value.code == 422


@pytest.mark.parametrize(
    ("patch", "content_type", "code"),
    [([], "application/merge-patch+json", 400), ({}, "application/json-patch+json", 400), ({}, "text/html", 415)],
)
def test_patches_of_the_wrong_form(patch: Any, content_type: str, code: int) -> None:
    with pytest.raises(StatusError) as caught:
        patched({}, patch, content_type)
    assert caught.value.code == code


def test_the_document_that_is_patched_stays_as_it_was() -> None:
    document = {"spec": {"containers": [{"name": "a", "image": "1"}]}}
    patched(document, {"spec": {"containers": [{"name": "a", "image": "2"}]}}, "application/strategic-merge-patch+json")
    assert document == {"spec": {"containers": [{"name": "a", "image": "1"}]}}
