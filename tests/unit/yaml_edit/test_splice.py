"""Putting an item into a YAML list and taking it out, with every other byte as it was."""

from __future__ import annotations

import pytest

from kubectl_stepup.errors import ConfigError, KubeconfigError
from kubectl_stepup.yaml_edit import foreign_yaml
from kubectl_stepup.yaml_edit.splice import unified_diff, with_item, without_item
from kubectl_stepup.yaml_edit.yaml_file import plain

ITEM = {"name": "new", "user": {"exec": {"command": "/x", "args": ["-I", "credential"], "on": True, "none": None}}}
LINES = """\
- name: new
  user:
    exec:
      command: /x
      args:
      - "-I"
      - credential
      "on": true
      none: null
"""


def put(text: str, item: dict[str, object] | None = None, key: str = "users") -> str:
    return with_item(text.encode(), "f", key=key, item=item or ITEM, parse=plain).decode()


def cut(text: str, name: str = "new", key: str = "users") -> str:
    return without_item(text.encode(), "f", key=key, name=name, parse=plain).decode()


PLACES = {
    "after the last item, before what follows": (
        "a: 1\nusers:\n- name: u\n  user: {}\n# about contexts\ncontexts: []\n",
        f"a: 1\nusers:\n- name: u\n  user: {{}}\n{LINES}# about contexts\ncontexts: []\n",
    ),
    "at the end of the file": (
        "users:\n- name: u\n  user:\n    token: abc # secret\n",
        f"users:\n- name: u\n  user:\n    token: abc # secret\n{LINES}",
    ),
    "with a comment behind the last item": (
        "users:\n- name: u # u\n\n# the end\n",
        f"users:\n- name: u # u\n{LINES}\n# the end\n",
    ),
    "behind an item in flow style": (
        "users:\n- {name: u, user: {token: 'a: b'}}\n- {name: v}\n",
        f"users:\n- {{name: u, user: {{token: 'a: b'}}}}\n- {{name: v}}\n{LINES}",
    ),
    "behind a block scalar": (
        "users:\n- name: u\n  x: |\n    - name: fake\n    line\nz: 1\n",
        f"users:\n- name: u\n  x: |\n    - name: fake\n    line\n{LINES}z: 1\n",
    ),
    "behind a value left out": ("users:\n- name: u\n  user:\nz: 1\n", f"users:\n- name: u\n  user:\n{LINES}z: 1\n"),
    "behind a scalar of two lines": (
        "users:\n- name: u\n  x: one\n    two\n- name: v\n  x: 'one\n\n    two'\nz: 1\n",
        f"users:\n- name: u\n  x: one\n    two\n- name: v\n  x: 'one\n\n    two'\n{LINES}z: 1\n",
    ),
    "with unknown fields, anchors and odd quotes": (
        'kind: Config\nx-mine: &a {b: "\\u0041"}\nusers:\n- "name": \'u\'\n  x: *a\n',
        'kind: Config\nx-mine: &a {b: "\\u0041"}\nusers:\n- "name": \'u\'\n  x: *a\n' + LINES,
    ),
    "with a document's marks": (
        "%YAML 1.1\n---\nusers:\n- name: u\n...\n",
        f"%YAML 1.1\n---\nusers:\n- name: u\n{LINES}...\n",
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_an_item_is_put_behind_the_last_and_taken_out_again(place: str) -> None:
    before, after = PLACES[place]
    assert put(before) == after
    assert put(after) == after
    assert cut(after) == before
    assert cut(before) == before


def test_a_list_with_an_anchor_keeps_its_column() -> None:
    before = "users: &all\n- name: u\nz: 1\n"
    assert put(before) == f"users: &all\n- name: u\n{LINES}z: 1\n"


def test_indented_lists_keep_their_column() -> None:
    before = "users:\n    - name: u\nz: 1\n"
    indented = "".join(f"    {line}\n" for line in LINES.splitlines())
    assert put(before) == f"users:\n    - name: u\n{indented}z: 1\n"
    assert cut(put(before)) == before


@pytest.mark.parametrize(
    "before",
    ["users:\r\n- name: u\r\nz: 1\r\n", "\ufeffusers:\n- name: u\n", "\ufeffa: ä\r\nusers:\r\n- name: ü\r\n"],
    ids=["CRLF", "byte order mark", "both"],
)
def test_line_ends_and_byte_order_marks_stay(before: str) -> None:
    after = put(before)
    assert after.startswith(before[:1])
    assert after.count("\r\n") == (after.count("\n") if "\r\n" in before else 0)
    assert cut(after) == before


def test_a_file_without_a_last_line_end_stays_so() -> None:
    before = "a: 1\nusers:\n- name: u"
    assert put(before) == f"a: 1\nusers:\n- name: u\n{LINES}".removesuffix("\n")
    assert cut(put(before)) == before


@pytest.mark.parametrize("empty", ["users: []\n", "users: [] # none yet\n"])
def test_an_empty_list_is_begun_and_emptied(empty: str) -> None:
    before = f"a: 1\n{empty}z: 1\n"
    assert plain(put(before).encode(), "f") == {"a": 1, "users": [ITEM], "z": 1}
    assert cut(put(before)) == before


@pytest.mark.parametrize("before", ["a: 1\nusers: null\nz: 1\n", "a: 1\nusers:\nz: 1\n", "a: 1\nz: 1\n", "a: {}\n"])
def test_a_list_that_is_not_there_is_begun(before: str) -> None:
    after = put(before)
    expected = {**plain(before.encode(), "f"), "users": [ITEM]}  # type: ignore[dict-item]
    assert plain(after.encode(), "f") == expected
    assert plain(cut(after).encode(), "f") == {**expected, "users": []}


def test_an_item_of_the_same_name_is_replaced_in_its_place() -> None:
    before = "users:\n# first\n- name: new\n  user: {token: old} # mine\n# second\n- name: v\n"
    assert put(before) == f"users:\n# first\n{LINES}# second\n- name: v\n"


def test_texts_that_yaml_would_take_for_something_else_are_quoted() -> None:
    item: dict[str, object] = {
        "name": "x",
        "texts": [
            "yes",
            "n",
            "1e5",
            "0x1f",
            "007",
            "null",
            "~",
            "",
            " a",
            "a: b",
            "a #b",
            "é",
            "\x1b[2J",
            "\x7f\u2028\U000e0001",
            "\U0001f600",
            "2024-01-01",
            "#a",
        ],
        "nested": {"empty": [], "nothing": {}, "list": [{"a": 1, "b": [True]}]},
    }
    assert plain(put("users: []\n", item).encode(), "f") == {"users": [item]}


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("other: &o\n- name: u\nusers: *o\n", "the edit would change more than its own entry"),
    ],
)
def test_what_cannot_be_edited_in_place_is_refused(before: str, reason: str) -> None:
    """KCFG-04."""
    with pytest.raises(KubeconfigError) as caught:
        with_item(before.encode(), "f", key="users", item=ITEM, parse=plain, error=KubeconfigError)
    assert caught.value.message == f"f: cannot be edited without writing it anew: {reason}"


def test_an_entry_whose_dash_stands_alone_is_refused() -> None:
    with pytest.raises(ConfigError, match="an entry does not start on the line of its dash"):
        cut("users:\n-\n  name: new\n- name: u\n")


@pytest.mark.parametrize(
    ("before", "message"),
    [
        ("[a]", "f: must be a mapping"),
        ("", "f: must be a mapping"),
        ("users: {a: b}", "f: users must be a list of mappings"),
        ("users: [a]", "f: users must be a list of mappings"),
        ("users:\n- a: 1\n  a: 2\n", "f:3: the key 'a' is repeated"),
    ],
)
def test_what_is_no_such_document_is_refused(before: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        put(before)
    assert caught.value.message == message


def test_the_difference_is_shown_as_diff_does() -> None:
    assert unified_diff(b"a: 1\r\nb: 2\r\n", b"a: 1\r\nb: 3\r\n", "f") == ("--- f\n+++ f\n@@ -2 +2 @@\n-b: 2\n+b: 3\n")
    assert unified_diff(b"a: 1\n", b"a: 1\n", "f") == ""


def test_what_is_not_utf_8_is_not_edited() -> None:
    """kubectl reads it, and so does the reader of kubeconfigs."""
    data = "\ufeffusers: []\n".encode("utf-16-le")
    with pytest.raises(ConfigError, match=r"^f: cannot be edited without writing it anew: it is not UTF-8$"):
        with_item(data, "f", key="users", item=ITEM, parse=foreign_yaml.plain)
