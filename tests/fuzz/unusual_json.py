"""Damage to JSON documents, and every unusual form that JSON and its readers have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.grammar.choices import chance, pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.grammar.choices import Bytes

TEXTS = (
    *(
        "",
        " ",
        "a",
        "0",
        "null",
        "true",
        "alice",
        "\x00",
        "\x1b[2J",
        "\x1b]52;c;aGk=\x07",
        "\r\n",
        "\t",
        "\x7f",
        "\x9b",
    ),
    *("\u202etxet", "\u200b", "\u2066x\u2069", "\ufeff", "\u2028", "\u3164", "e\u0301" + "\u0301" * 30, "\ud800"),
    *(
        "\udc80x",
        "\ud83e\udd8a",
        "\U0010ffff" * 300,
        "\u0430lice",
        "x" * 300,
        "x" * 9000,
        "%s{0}$(id)`",
        "'\"\\",
        "[red]",
    ),
    *("-----BEGIN PUBLIC KEY-----", "AAAA", "AQAB", "Bearer", "openid", "<script>", "../..", "1e3", "\u0661"),
)
NUMBERS = (
    *("0", "-0", "1", "-1", "-0.0", "1.5", "1e3", "1E+3", "1e-400", "1e308", "1e999", "-1e999", "1e", "01", "+1", ".5"),
    *("NaN", "Infinity", "-Infinity", "9007199254740993", "18446744073709551616", "9" * 32, "9" * 33, "9" * 5000),
    *("0." + "3" * 30, "1_000", "0x10", "\u0661", "1799999999.9999999", "1800000000", "1800000300", "253402300799"),
)
OTHERS = (
    *("null", "true", "false", "[]", "{}", "[[]]", '[""]', "[null]", '{"":""}', '{"a":1,"a":2}', "[1,]", "nul", "'x'"),
    *("[{}]", '{"value":"x"}', '["RS256"]', '["RS256",["none"]]', "undefined", "/* x */ 1", '"', "", "[", '"\\x41"'),
    *('"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\u001b[2J"', '"\\u202e"', '"\\ud83e\\udd8a"'),
)
FIRST = (b"\xef\xbb\xbf", b"\x00", b" \n\t\r", b")]}',\n", b"[", b"\xff", b"<html>", b'{}{"a":1}', b"null ", b"\x0b")


def text_of(choices: Bytes, words: Sequence[str]) -> str:
    """Return a JSON string: one of `words`, an unusual one, or a word with something unusual in it."""
    kind = choices.below(4)
    if kind == 0:
        return json.dumps(pick(choices, words))
    if kind == 1:
        return json.dumps(pick(choices, TEXTS), ensure_ascii=chance(choices, 2))
    word = pick(choices, words)
    cut = choices.below(len(word) + 1)
    unusual = pick(choices, TEXTS) if kind == 2 else chr(choices.below(0x110000))
    return json.dumps(word[:cut] + unusual + word[cut + choices.below(2) :], ensure_ascii=chance(choices, 2))


def value_of(choices: Bytes, words: Sequence[str], depth: int = 0) -> str:
    """Return the text of any JSON value, or of something that is nearly one."""
    kind = choices.below(10)
    if kind < 4 or choices.exhausted or depth > 4:
        return text_of(choices, words)
    if kind < 6:
        return pick(choices, NUMBERS)
    if kind < 8:
        return pick(choices, OTHERS)
    if kind == 8 and chance(choices, 8):
        deep = pick(choices, (5, 31, 32, 33, 1200, 30_000))
        return pick(choices, ("[", '{"a":')) * deep + "]" * pick(choices, (0, deep))
    if kind == 8:
        return f"[{','.join(value_of(choices, words, depth + 1) for _ in range(choices.below(4)))}]"
    pairs = (f"{text_of(choices, words)}:{value_of(choices, words, depth + 1)}" for _ in range(choices.below(4)))
    return f"{{{','.join(pairs)}}}"


def damaged(choices: Bytes, members: Mapping[str, object], names: Sequence[str], words: Sequence[str]) -> bytes:
    """Return a JSON object of `members` with a few things done to it; one time in four with none.

    `names` are those of members that its readers look for, `words` what such members say.
    """
    pairs = [(json.dumps(name), json.dumps(value)) for name, value in members.items()]
    for _ in range(choices.below(4)):
        at = choices.below(len(pairs) or 1)
        name, value = pairs[at] if pairs else ('"x"', "1")
        pairs[at : at + 1] = _changed(choices, name, value, names, words)
    text = f"{{{','.join(f'{name}:{value}' for name, value in pairs)}}}"
    return _as_bytes(choices, text.encode("utf-8", "surrogatepass"))


def _changed(
    choices: Bytes, name: str, value: str, names: Sequence[str], words: Sequence[str]
) -> list[tuple[str, str]]:
    """Do one thing to one member."""
    kind = choices.below(8)
    if kind == 0:
        return []
    if kind < 5:
        return [(name, value_of(choices, words))]
    if kind == 5:
        return [(name, value), (json.dumps(pick(choices, names)), value_of(choices, words))]
    if kind == 6:  # the same name once more, spelt in one of the ways in which it can be
        again = pick(choices, (name, f'"\\u{ord(name[1]):04x}{name[2:]}', name.upper(), f" {name}", name[:-1] + ' "'))
        return [(name, value), (again, pick(choices, (value, value_of(choices, words))))]
    return [(pick(choices, (name.upper(), text_of(choices, names), f'{name[:-1]}\\u0000"')), value)]


def _as_bytes(choices: Bytes, data: bytes) -> bytes:
    kind = choices.below(32)
    cut = choices.below(len(data) + 1) if kind > 26 else 0
    if kind == 26:
        return pick(choices, FIRST) + data
    if kind == 27:
        return data[:cut]
    if kind == 28:
        return data[:cut] + bytes([choices.below(256)]) + data[cut + 1 :]
    if kind == 29:
        return data[:cut] + pick(choices, FIRST) + data[cut:]
    if kind == 30:
        return data.decode("utf-8", "replace").encode(pick(choices, ("utf-16", "utf-32", "utf-7", "utf-8-sig")))
    return bytes(choices.below(256) for _ in range(choices.below(100))) if kind == 31 else data
