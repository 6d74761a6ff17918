"""YAML of others, as Go reads it; tests/support/kubectl_reading.py holds the same against kubectl itself."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any

import pytest

from kubectl_stepup.errors import ConfigError, KubeconfigError
from kubectl_stepup.yaml_edit import foreign_yaml, go_scalar
from kubectl_stepup.yaml_edit.foreign_yaml import line_of, plain

READ: dict[str, tuple[bytes, Any]] = {
    "the first document": (b"a: 1\n---\n{[", {"a": 1}),
    "a document without an end": (b"a: 1\n---\n", {"a": 1}),
    "nothing": (b"", None),
    "a comment": (b"# x\n", None),
    "the last of repeated keys": (b"{a: 1, b: 2, a: 3}", {"a": 3, "b": 2}),
    "a merge key, over what stands before it": (b"{x: &x {a: 1, b: 2}, z: {a: 3, <<: *x, b: 4}}",
                                               {"x": {"a": 1, "b": 2}, "z": {"a": 1, "b": 4}}),
    "merge keys, the first of which wins": (b"{<<: [{a: 1}, {a: 2, b: 3}]}", {"a": 1, "b": 3}),
    "a quoted merge key": (b"{'<<': 1, c: <<}", {"<<": 1, "c": "<<"}),
    "aliases": (b"{a: &a [x], b: *a, *a1 : c}".replace(b"[x]", b"[&a1 x]"), {"a": ["x"], "b": ["x"], "x": "c"}),
    "an anchor used again": (b"[&a 1, *a, &a 2, *a]", [1, 1, 2, 2]),
    "an anchor used again within": (b"&a [&a x, *a]", ["x", "x"]),
    "collections with tags": (b"!!python/object/apply:os.abort [!!set {a}, !x {b: c}]", [{"a": None}, {"b": "c"}]),
    "keys that are no texts": (b"{1: a, yes: b, 0x10: c, 1.5: d, .inf: e}",
                               {"1": "a", "true": "b", "16": "c", "1.5": "d", ".inf": "e"}),
    "UTF-16": ("\ufeffa: ü\n".encode("utf-16-le"), {"a": "ü"}),
    "UTF-16, the other way": ("\ufeffa: ü\n".encode("utf-16-be"), {"a": "ü"}),
    "a byte order mark": ("\ufeffa: ü\n".encode(), {"a": "ü"}),
    "texts": (b"[!!str 5, '5', !x 5, !!binary aGk=, \"\\u00e9\"]", ["5", "5", "5", "hi", "é"]),
}  # fmt: skip

REFUSED: dict[str, tuple[bytes, str]] = {
    "bad syntax": (b"a: [1\nb: }\n", "f:2: did not find expected ',' or ']'"),
    "a control character": (b"a: 1\nb: \x07\n", "f:2: control characters are not allowed"),
    "Latin-1": ("a: 1\nb: ü\n".encode("latin-1"), "f:2: invalid leading UTF-8 octet"),
    "an unknown anchor": (b"\na: *b\n", "f:2: unknown anchor 'b'"),
    "a value inside itself": (b"a: &a\n  b: *a\n", "f:2: anchor 'a' contains itself"),
    "a merge of a text": (b"a:\n  <<: x\n", "f:2: << wants a mapping, or a list of mappings"),
    "a merge of a list by alias": (b"a: &a [{}]\nb: {<<: *a}\n", "f:2: << wants a mapping, or a list of mappings"),
    "a merge of a list in a list": (b"a: {<<: [[]]}\n", "f:1: << wants a mapping, or a list of mappings"),
    "a list as a key": (b"a: 1\n? [a]\n: b\n", "f:2: a key must be a text"),
    "nothing as a key": (b"~: b\n", "f:1: a key must be a text"),
    "a key beyond 63 bits": (b"18446744073709551615: b\n", "f:1: a key must be a text"),
    "a wrong tag": (b"a: !!int x\n", "f:1: 'x' is no int"),
    "binary that is none": (b"a: !!binary a\n", "f:1: "),
    "deep lists": (b"[" * 101, "f:1: nested deeper than 100"),
    "deep lists that never end": (b"[" * 1_000_000, "f:1: nested deeper than 100"),
    "deep block lists": (b"- " * 100_000, "f:1: nested deeper than 100"),
    "too large": (b" " * (foreign_yaml.MAX_BYTES + 1), "f:1: larger than 67108864 bytes"),
}


def bomb(width: int, levels: int = 30) -> bytes:
    lines = [
        "x0: &x0 [u, u]",
        *(f"x{one}: &x{one} [{', '.join([f'*x{one - 1}'] * width)}]" for one in range(1, levels)),
    ]
    return "\n".join(lines).encode()


@pytest.mark.parametrize("name", READ)
def test_what_go_reads_is_read_the_same(name: str) -> None:
    data, expected = READ[name]
    found = plain(data, "f")
    assert json.dumps(found) == json.dumps(expected)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_named_with_its_line(name: str) -> None:
    data, message = REFUSED[name]
    with pytest.raises(KubeconfigError) as caught:
        plain(data, "f", error=KubeconfigError)
    assert caught.value.message.startswith(message)
    assert caught.value.details == {"file": "f", "line": int(message.split(":")[1])}


def test_a_text_is_read_in_pieces_that_may_cut_a_character() -> None:
    assert plain(b"a: '" + "ü🦢".encode() * 5000 + b"'", "f") == {"a": "ü🦢" * 5000}


def test_what_is_wrong_far_behind_the_first_document_is_not_seen() -> None:
    assert plain(b"a: 1\n---\n" + b"b: 2\n" * 300 + b"\x01", "f") == {"a": 1}
    with pytest.raises(ConfigError, match="control characters"):
        plain(b"a: 1\n---\nb: \x01", "f")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, True) for text in ("y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE")),
        *((text, False) for text in ("n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE")),
        *((text, None) for text in ("", "~", "null", "Null", "NULL")),
        *((text, text) for text in ("yEs", "nULL", "x", "1:30", "2001-12-14", "2001-12-14t21:59:43.10-05:00", "=")),
        *((text, text) for text in ("0x", "0b", "0b2", "0o8", "1e999", "-", "+", ".", "_1", "1__x", "٣", "é", "<<")),
        *((text, text) for text in ("+0x8000000000000000", "0x1ffffffffffffffff", "9" * 400, "-.x", "1.2.3")),
        *(("0", 0), ("-0", 0), ("+1", 1), ("017", 15), ("0o17", 15), ("0O17", 15), ("0x1F", 31), ("-0b11", -3)),
        *(("1_000", 1000), ("0x_1", 1), ("00", 0), ("9223372036854775808", 1 << 63)),
        *(("18446744073709551615", (1 << 64) - 1), ("0x1p-2", "0x1p-2")),
        *(("-9223372036854775808", -(1 << 63)), ("18446744073709551616", float(1 << 64)), ("08", 8.0), ("1e3", 1000.0)),
        *((".5", 0.5), ("-.5e1", -5.0), ("1.", 1.0), ("+9223372036854775808", float(1 << 63)), ("00000000012", 10)),
        *((".inf", float("inf")), ("+.INF", float("inf")), ("-.Inf", float("-inf"))),
    ],
)  # fmt: skip
def test_scalars_have_gos_values(text: str, value: object) -> None:
    found = go_scalar.value_of(text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [("str", "5", "5"), ("float", "5", 5.0), ("int", "0x5", 5), ("bool", "y", True), ("null", "~", None),
     ("timestamp", "2001-12-14", "2001-12-14"), ("vault", "5", "5")],
)  # fmt: skip
def test_tags_of_scalars_count(tag: str, text: str, value: object) -> None:
    found = go_scalar.value_of(text, tag=f"tag:yaml.org,2002:{tag}")
    assert (type(found), found) == (type(value), value)
    assert go_scalar.value_of("5", tag="!own") == "5"


@pytest.mark.parametrize("width", [2, 9])
def test_an_alias_bomb_is_refused_and_costs_nothing(width: int) -> None:
    """KCFG-08."""
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(ConfigError, match="too much of the document comes out of aliases"):
        plain(bomb(width), "f")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - began < 1
    assert peak < 1 << 20


def test_many_aliases_that_are_no_bomb_are_read() -> None:
    found = plain(b"a: &a x\nb: [" + b"*a, " * 5000 + b"]\n", "f")
    assert found == {"a": "x", "b": ["x"] * 5000}


def test_too_many_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_yaml, "MAX_VALUES", 10)
    assert plain(b"[1, 2, 3, 4, 5, 6, 7, 8, 9]", "f") == list(range(1, 10))
    with pytest.raises(ConfigError, match=r"^f:2: more than 10 values$"):
        plain(b"[1, 2, 3, 4, 5, 6, 7, 8, 9,\n 10]", "f")


def test_the_line_of_a_value() -> None:
    data = b"a: 1\nb:\n- c: 2\n- c:\n    - x\n    - y\nd: &d\n  e: 3\nf:\n  <<: *d\n"
    lines: dict[tuple[str | int, ...], int] = {
        (): 1, ("a",): 1, ("b", 0, "c"): 3, ("b", 1, "c", 1): 6, ("f", "e"): 8, ("b", 1, "no"): 4, ("no",): 1,
    }  # fmt: skip
    assert {path: line_of(data, path) for path in lines} == lines
    assert line_of(b"a: {x: 1}\n" * 50 + b"a: {y: [1]}\n", ("a", "x")) == 51


def test_twenty_thousand_users_are_read_in_a_second() -> None:
    """KCFG-08."""
    data = b"users:\n" + b"".join(b"- name: user-%d\n  user: {token: t-%d}\n" % (one, one) for one in range(20_000))
    began = time.process_time()
    assert len(plain(data, "f")["users"]) == 20_000
    assert time.process_time() - began < 2
