"""Edits of documents in brackets: JSON stays JSON, and nothing but the entry changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from kubectl_stepup.errors import ConfigError
from kubectl_stepup.yaml_edit.splice import with_item, without_item
from kubectl_stepup.yaml_edit.yaml_file import plain
from tests.unit.yaml_edit.test_splice_properties import LISTS, VALUES

NEW = {"name": "new", "user": {"exec": {"args": ["a", "é"]}}}


def put(text: str, item: dict[str, Any] | None = None) -> str:
    return with_item(text.encode(), "f", key="users", item=item or NEW, parse=plain).decode()


def cut(text: str, name: str) -> str:
    return without_item(text.encode(), "f", key="users", name=name, parse=plain).decode()


SHORT = '{"name": "new", "user": {"exec": {"args": ["a", "é"]}}}'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", f'{{"users": [{SHORT}]}}'),
        ('{"a": 1}', f'{{"a": 1,"users": [{SHORT}]}}'),
        ('{"users": null}', f'{{"users": [{SHORT}]}}'),
        ('{"users": []}', f'{{"users": [{SHORT}]}}'),
        ('{"users": [{"name": "u"}]}\n', f'{{"users": [{{"name": "u"}},{SHORT}]}}\n'),
        (
            '{\n  "users": [\n    {"name": "u"}\n  ]\n}\n',
            f'{{\n  "users": [\n    {{"name": "u"}},\n    {SHORT}\n  ]\n}}\n',
        ),
        ("# mine\nusers: [{name: u}] # all\na: b\n", f"# mine\nusers: [{{name: u}},{SHORT}] # all\na: b\n"),
        ("users: [ {name: u}, ]\n", f"users: [ {{name: u}}, {SHORT}, ]\n"),
        ('{"users": [{"name": "new", "user": 1}, {"name": "u"}]}', f'{{"users": [{SHORT}, {{"name": "u"}}]}}'),
    ],
)
def test_an_entry_is_put_in(before: str, after: str) -> None:
    assert put(before) == after
    assert put(after) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"users": [{"name": "u"}]}', '{"users": []}'),
        ('{"users": [{"name": "u"}, {"name": "v"}]}', '{"users": [{"name": "v"}]}'),
        ('{"users": [{"name": "v"}, {"name": "u"}]}', '{"users": [{"name": "v"}]}'),
        ('{"users": [{"name": "v"}, {"name": "u"}, {"name": "w"}]}', '{"users": [{"name": "v"}, {"name": "w"}]}'),
        ("users: [{name: u}, {name: v}]  # all\n", "users: [{name: v}]  # all\n"),
        ('{"users": [{"name": "v"}]}', '{"users": [{"name": "v"}]}'),
    ],
)
def test_an_entry_is_taken_out(before: str, after: str) -> None:
    assert cut(before, "u") == after


@st.composite
def documents(draw: st.DrawFn) -> str:
    document = {"apiVersion": "v1", "users": draw(LISTS), "z": draw(VALUES)}
    if draw(st.booleans()):
        return json.dumps(
            document,
            ensure_ascii=False,
            indent=draw(st.sampled_from([None, 1, 4])),
            separators=draw(st.sampled_from([(",", ":"), (", ", ": ")])),
            sort_keys=draw(st.booleans()),
        )
    return yaml.safe_dump(
        document, default_flow_style=True, width=draw(st.sampled_from([20, 1000])), allow_unicode=True
    )


@settings(max_examples=100, deadline=None)
@given(text=documents(), user=VALUES)
def test_putting_an_item_in_and_taking_it_out_gives_the_bytes_back(text: str, user: Any) -> None:
    item = {"name": "new", "user": user}
    try:
        before: Any = plain(text.encode(), "f")
    except ConfigError:
        reject()  # some JSON is none of the YAML that is read here
    try:
        after = put(text, item)
    except ConfigError as exc:
        assume("cannot be read by YAML 1.2" not in exc.message)
        raise
    assert plain(after.encode(), "f") == {**before, "users": [*before["users"], item]}
    assert cut(after, "new") == text
    old = {"name": before["users"][0]["name"], "user": user}
    assert plain(put(text, old).encode(), "f") == {**before, "users": [old, *before["users"][1:]]}
