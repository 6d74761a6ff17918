"""What documents.yaml_file reads, and the YAML that it refuses."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from kubectl_stepup.errors import ConfigError, KubeconfigError
from kubectl_stepup.yaml_edit import yaml_file

if TYPE_CHECKING:
    from pathlib import Path

BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n".encode() for i in range(8)
)
SLOW_BOMB = b"a: &a [x, x, x]\n" + b"".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 3)}]\n".encode() for i in range(16)
)

REFUSED = {
    "repeated key": (b"a: 1\nb: 2\na: 3\n", "f.yaml:3: the key 'a' is repeated"),
    "repeated key below": (b"x:\n  a: 1\n  a: 2\n", "f.yaml:3: the key 'a' is repeated"),
    "two documents": (b"a: 1\n---\nb: 2\n", "f.yaml:2: but found another document"),
    "python tag": (
        b"a: !!python/object/apply:os.system [id]\n",
        "f.yaml:1: the tag tag:yaml.org,2002:python/object/apply:os.system is not supported",
    ),
    "own tag": (b"a: !vault x\n", "f.yaml:1: the tag !vault is not supported"),
    "merge key": (b"a: &a {x: 1}\nb:\n  <<: *a\n", "f.yaml:3: merge keys (<<) are not supported"),
    "key of a wrong type": (b"[a]: 1\n", "f.yaml:1: a key must be a text"),
    "aliases": (b"a: &a x\nb: [" + b"*a, " * 51 + b"]\n", "f.yaml:1: more than 50 aliases"),
    "alias bomb": (BOMB, None),
    "few aliases that multiply": (SLOW_BOMB, "f.yaml:1: more than 200000 values"),
    "a node inside itself": (b"a: &a [*a]\n", "f.yaml:1: nested deeper than 100"),
    "deep lists": (b"[" * 200 + b"]" * 200, "f.yaml:1: nested deeper than 100"),
    "deep lists that never end": (b"[" * 100_000, "f.yaml:1: nested deeper than 100"),
    "deep block lists": (b"- " * 100_000, "f.yaml:1: nested deeper than 100"),
    "deep block mappings": (b"\n".join(b" " * i + b"a:" for i in range(1000)), "f.yaml:101: nested deeper than 100"),
    "bad syntax": (b"a: [1\nb: }\n", "f.yaml:2: did not find expected ',' or ']'"),
    "a tab": (b"a:\n\tb: 1\n", "f.yaml:2: found character that cannot start any token"),
    "UTF-16": ("a: ü\n".encode("utf-16"), "f.yaml:1: not UTF-8"),
    "Latin-1": ("a: 1\nb: ü\n".encode("latin-1"), "f.yaml:2: not UTF-8"),
    "a control character": (b"a: \x07\n", None),
    "unknown alias": (b"a: *b\n", "f.yaml:1: found undefined alias"),
}


@pytest.mark.parametrize("reader", [yaml_file.parse, yaml_file.plain])
@pytest.mark.parametrize("name", REFUSED)
def test_surprising_yaml_is_refused_with_its_line(name: str, reader: object) -> None:
    """KCFG-08."""
    data, message = REFUSED[name]
    assert callable(reader)
    with pytest.raises(ConfigError) as caught:
        reader(data, "f.yaml")
    assert caught.value.message.startswith("f.yaml:") if message is None else caught.value.message == message


def test_scalars_are_read_as_kubectl_reads_them() -> None:
    data = b"{a: yes, b: off, c: 1, d: -2, e: 1.5, f: null, g: ~, h: x, i: '1', j: 2020-01-01, k: 0123, l: 1_000}"
    assert yaml_file.plain(data, "f") == {
        "a": True,
        "b": False,
        "c": 1,
        "d": -2,
        "e": 1.5,
        "f": None,
        "g": None,
        "h": "x",
        "i": "1",
        "j": "2020-01-01",
        "k": "0123",
        "l": "1_000",
    }


def test_plain_keys_become_texts_and_ours_must_be_texts() -> None:
    assert yaml_file.plain(b"{1: a, true: b}", "f") == {"1": "a", "true": "b"}
    with pytest.raises(ConfigError) as caught:
        yaml_file.parse(b"{1: a}", "f")
    assert caught.value.message == "f:1: the key '1' must be a text: put it in quotes"


def test_an_empty_document_is_nothing() -> None:
    assert yaml_file.parse(b"# only a comment\n", "f").value is None
    assert yaml_file.plain(b"", "f") is None


def test_a_byte_order_mark_and_fifty_aliases_pass() -> None:
    data = b"\xef\xbb\xbfa: &a x\nb: [" + b"*a, " * 50 + b"]\n"
    assert yaml_file.plain(data, "f") == {"a": "x", "b": ["x"] * 50}


def test_brackets_in_long_texts_are_not_nesting() -> None:
    assert yaml_file.plain(b"a: '" + b"[" * 5000 + b"'", "f") == {"a": "[" * 5000}


def test_the_error_class_can_be_chosen() -> None:
    with pytest.raises(KubeconfigError):
        yaml_file.plain(b"{", "f", error=KubeconfigError)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"a: 1\n")
    assert yaml_file.read(path).any_mapping()["a"].integer() == 1
    with pytest.raises(ConfigError, match=r"config.yaml: larger than 4 bytes$"):
        yaml_file.read(path, max_bytes=4)
    with pytest.raises(ConfigError, match=r"missing.yaml: no such file or directory$"):
        yaml_file.read(tmp_path / "missing.yaml")
    with pytest.raises(ConfigError, match=r": (not a regular file|is a directory)$"):
        yaml_file.read(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this platform")
def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    with pytest.raises(ConfigError, match=r"fifo: not a regular file$"):
        yaml_file.read(path)


def test_several_documents() -> None:
    first, second = yaml_file.parse_all(b"# x\na: 1\n---\n---\nb: [2]\n", "f.yaml")
    assert (first.line, second.line) == (2, 5)
    assert second.any_mapping()["b"].sequence()[0].value == 2
    assert yaml_file.parse_all(b"", "f.yaml") == []
    with pytest.raises(ConfigError, match=r"f\.yaml:4: the key 'a' is repeated"):
        yaml_file.parse_all(b"x: 1\n---\na: 1\na: 2\n", "f.yaml")


def users(count: int) -> bytes:
    """Return a kubeconfig with so many users."""
    return b"users:\n" + b"".join(b"- name: user-%d\n  user: {token: t-%d}\n" % (one, one) for one in range(count))


def test_twenty_thousand_users_are_read_in_three_seconds() -> None:
    """KCFG-08."""
    data = users(20_000)
    assert len(data) > 740_000
    began = time.process_time()
    found = yaml_file.plain(data, "f.yaml")
    assert time.process_time() - began < 3
    assert isinstance(found, dict)
    assert len(found["users"]) == 20_000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (users(180_000), "f.yaml:1: larger than 4194304 bytes"),
        (b"[" * 3000 + b"]" * 3000, "f.yaml:1: nested deeper than 100"),
        (b"a: !!python/object/apply:os.abort []\n", None),
    ],
    ids=["5 MiB", "depth 3000", "code"],
)
def test_what_is_too_large_or_runs_code_is_refused_in_three_seconds(data: bytes, message: str | None) -> None:
    """KCFG-08."""
    began = time.process_time()
    with pytest.raises(ConfigError) as caught:
        yaml_file.plain(data, "f.yaml")
    assert time.process_time() - began < 3
    assert message is None or caught.value.message == message
