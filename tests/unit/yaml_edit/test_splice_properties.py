"""Edits of generated documents: the bytes come back, and nothing but the entry changes."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_stepup.yaml_edit.splice import with_item, without_item
from kubectl_stepup.yaml_edit.yaml_file import plain

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["- name: x", "a: b", "|", "two\nlines\n", "# no comment", "'", '"', "\t", "yes", "~", "*a", "&a", "users:", "é ü"]
)
SCALARS = TEXTS | st.integers(-99, 99) | st.booleans() | st.none()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
ITEMS = st.builds(lambda name, user: {"name": f"u{name}", "user": user}, st.integers(0, 999), VALUES)
LISTS = st.lists(ITEMS, min_size=1, max_size=3, unique_by=lambda item: str(item["name"]))


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    document = {"apiVersion": "v1", "users": draw(LISTS), "z": draw(VALUES)}
    text = yaml.safe_dump(
        document,
        default_flow_style=draw(st.sampled_from([False, None])),
        indent=draw(st.sampled_from([2, 4])),
        width=draw(st.sampled_from([20, 1000])),
        allow_unicode=draw(st.booleans()),
        sort_keys=draw(st.booleans()),
    )
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"]))).encode()


@settings(max_examples=100, deadline=None)
@given(data=documents(), user=VALUES)
def test_putting_an_item_in_and_taking_it_out_gives_the_bytes_back(data: bytes, user: Any) -> None:
    before = plain(data, "f")
    after = with_item(data, "f", key="users", item={"name": "new", "user": user}, parse=plain)
    assert isinstance(before, dict)
    assert plain(after, "f") == {**before, "users": [*before["users"], {"name": "new", "user": user}]}
    assert without_item(after, "f", key="users", name="new", parse=plain) == data


@settings(max_examples=100, deadline=None)
@given(data=documents(), user=VALUES)
def test_replacing_an_item_changes_nothing_else(data: bytes, user: Any) -> None:
    before = plain(data, "f")
    assert isinstance(before, dict)
    item = {"name": before["users"][0]["name"], "user": user}
    after = with_item(data, "f", key="users", item=item, parse=plain)
    assert plain(after, "f") == {**before, "users": [item, *before["users"][1:]]}
