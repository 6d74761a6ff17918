"""Put a named item into a list of a YAML document, or take it out, and leave every other byte as it is.

The document is not written anew: ruamel.yaml only says where things stand, and the item's own lines are put in or cut
out. So comments, line ends, quoting, a byte order mark and fields nobody knows stay. The result is read again and must
hold exactly what was meant; where it does not, the edit is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kubectl_stepup.errors import ConfigError

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

Parse = Callable[[bytes, str], object]
"""Turns the bytes of a file (named for messages) into plain values, and refuses what is no sound YAML."""

_BOM = "\ufeff"
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./@:-]*[A-Za-z0-9]")
_NOT_PLAIN = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})


def with_item(
    data: bytes,
    file: str,
    *,
    key: str,
    item: Mapping[str, object],
    parse: Parse,
    error: type[ConfigError] = ConfigError,
) -> bytes:
    """Give the document with `item` in the list under the top-level `key`: in place of the one of its name, or last.

    Raises: `error` where the document is written in a way that cannot be edited without writing it anew.
    """
    name = item["name"]
    document = _mapping(parse(data, file), file, error)
    items = _items(document, key, file, error)
    wanted = [item if old.get("name") == name else old for old in items]
    if item not in wanted:
        wanted.append(dict(item))
    if wanted == items:
        return data
    edit = _Edit(data, file, error)
    edit.put(key, name, item)
    return edit.result({**document, key: wanted}, parse)


def without_item(
    data: bytes, file: str, *, key: str, name: str, parse: Parse, error: type[ConfigError] = ConfigError
) -> bytes:
    """Give the document without the item called `name` in the list under `key`; as it was where there is none.

    Raises: `error` where the document is written in a way that cannot be edited without writing it anew.
    """
    document = _mapping(parse(data, file), file, error)
    items = _items(document, key, file, error)
    wanted = [item for item in items if item.get("name") != name]
    if wanted == items:
        return data
    edit = _Edit(data, file, error)
    edit.cut(key, name)
    return edit.result({**document, key: wanted}, parse)


def unified_diff(before: bytes, after: bytes, file: str) -> str:
    """Show what changes, as `diff -U0` does; empty where nothing does.

    Without the lines around it: in a kubeconfig those hold other users' tokens and keys.
    """
    from difflib import unified_diff as lines_of

    old, new = (data.decode("utf-8", "replace").splitlines() for data in (before, after))
    return "".join(f"{line}\n" for line in lines_of(old, new, file, file, lineterm="", n=0))


class _Edit:
    """The text of one document while it is edited."""

    def __init__(self, data: bytes, file: str, error: type[ConfigError]) -> None:
        self._file = file
        self._error = error
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as exc:
            raise self._refusal("it is not UTF-8") from exc
        self._bom = _BOM if text.startswith(_BOM) else ""
        self._text = text.removeprefix(_BOM)
        self._end_of_line = "\r\n" if "\r\n" in text else "\n"

    def put(self, key: str, name: object, item: Mapping[str, object]) -> None:
        root = self._root()
        sequence = self._value_of(root, key)
        if sequence is None:
            self._insert(self._last(root), f"{key}:", *_item_lines(item))
        elif _is_empty(sequence):
            self._text = self._text[: sequence.start_mark.index].rstrip(" ") + self._text[sequence.end_mark.index :]
            self._insert(self._key_end(root, key), *_item_lines(item))
        else:
            block = self._block(sequence, key)
            start, _ = self._span(block.value[0])
            indent = self._text[start : self._text.index("-", start)]
            lines = [indent + line for line in _item_lines(item)]
            old = next((node for node in block.value if _name_of(node) == name), None)
            if old is None:
                self._insert(self._last(block), *lines)
            else:
                start, end = self._span(old)
                self._text = self._text[:start] + self._end_of_line.join(lines) + self._text[end:]

    def cut(self, key: str, name: object) -> None:
        root = self._root()
        block = self._block(self._value_of(root, key), key)
        old = next(node for node in block.value if _name_of(node) == name)
        start, end = self._span(old)
        after = self._text[end:].removeprefix("\r").removeprefix("\n")
        # A file without a line end after its last line stays so.
        before = self._text[:start] if after or self._text[end:] else self._text[:start].rstrip("\r\n")
        self._text = before + after
        if len(block.value) == 1:
            colon = self._key_end(root, key)
            self._text = self._text[:colon] + " []" + self._text[colon:]

    def result(self, wanted: object, parse: Parse) -> bytes:
        data = (self._bom + self._text).encode("utf-8")
        try:
            found = parse(data, self._file)
        except ConfigError as exc:
            raise self._refusal("the edit would break it") from exc
        if found != wanted:
            raise self._refusal("the edit would change more than its own entry")
        return data

    def _root(self) -> MappingNode:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError
        from ruamel.yaml.nodes import MappingNode

        try:
            root = YAML(typ="safe", pure=True).compose(self._text)
        except YAMLError as exc:
            raise self._refusal("it cannot be read by YAML 1.2") from exc
        if not isinstance(root, MappingNode) or root.flow_style:
            raise self._refusal("it is written in one flow, as JSON is")
        return root

    def _value_of(self, root: MappingNode, key: str) -> Node | None:
        return next((value for name, value in root.value if name.value == key), None)

    def _block(self, node: Node | None, key: str) -> SequenceNode:
        from ruamel.yaml.nodes import SequenceNode

        if not isinstance(node, SequenceNode) or node.flow_style:
            raise self._refusal(f"{key} is not a list with a line for each entry")
        return node

    def _key_end(self, root: MappingNode, key: str) -> int:
        """Give the place after the colon of a top-level key."""
        name = next(name for name, _ in root.value if name.value == key)
        return self._text.index(":", name.end_mark.index) + 1

    def _span(self, item: Node) -> tuple[int, int]:
        """Give the first character of an item's line, and the one after its last line."""
        start = self._text.rfind("\n", 0, item.start_mark.index) + 1
        if self._text[start : item.start_mark.index].strip(" ") != "-":
            raise self._refusal("an entry does not start on the line of its dash")
        return start, self._line_end(self._last(item))

    def _line_end(self, index: int) -> int:
        end = self._text.find("\n", index)
        if end < 0:
            return len(self._text)
        return end - 1 if self._text[end - 1] == "\r" else end

    def _insert(self, index: int, *lines: str) -> None:
        """Put lines after the line that `index` is in."""
        at = self._line_end(index)
        self._text = self._text[:at] + "".join(self._end_of_line + line for line in lines) + self._text[at:]

    def _last(self, node: Node) -> int:
        """Give the place after the last character of a node, its comments and blank lines left out.

        The end mark of a block collection stands at the next token instead, behind comments that may not be its own.
        """
        from ruamel.yaml.nodes import CollectionNode

        end = node.end_mark.index
        if isinstance(node, CollectionNode) and node.value and not node.flow_style:
            last = node.value[-1]
            if not isinstance(last, tuple):
                return self._last(last)
            key, value = last
            # A value that is left out has its mark at the next token, an alias where its anchor is.
            absent = value.start_mark.index == value.end_mark.index or value.start_mark.index < key.end_mark.index
            return key.end_mark.index + 1 if absent else self._last(value)
        return len(self._text[:end].rstrip())

    def _refusal(self, reason: str) -> ConfigError:
        return self._error(f"{self._file}: cannot be edited without writing it anew: {reason}")


def _mapping(document: object, file: str, error: type[ConfigError]) -> dict[str, object]:
    if not isinstance(document, dict):
        raise error(f"{file}: must be a mapping")
    return document


def _items(document: dict[str, object], key: str, file: str, error: type[ConfigError]) -> list[dict[str, object]]:
    items = document.get(key)
    if items is None:
        return []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise error(f"{file}: {key} must be a list of mappings")
    return items


def _is_empty(node: Node) -> bool:
    return node.start_mark.index == node.end_mark.index or node.value in ([], "", "null", "~")


def _name_of(node: Node) -> str | None:
    pairs = node.value if isinstance(node.value, list) else []
    return next((str(value.value) for key, value in pairs if key.value == "name"), None)


def _item_lines(item: Mapping[str, object]) -> list[str]:
    return [("- " if index == 0 else "  ") + line for index, line in enumerate(_lines(item))]


def _lines(value: Any) -> list[str]:
    """Write a value in block style, without indentation of its own."""
    lines: list[str] = []
    if isinstance(value, Mapping):
        for key, member in value.items():
            if isinstance(member, Mapping | list | tuple) and member:
                lines.append(f"{_scalar(key)}:")
                indent = "  " if isinstance(member, Mapping) else ""
                lines += [indent + line for line in _lines(member)]
            else:
                lines.append(f"{_scalar(key)}: {_scalar(member)}")
        return lines
    for member in value:
        if isinstance(member, Mapping) and member:
            lines += _item_lines(member)
        else:
            lines.append(f"- {_scalar(member)}")
    return lines


def _scalar(value: object) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _NOT_PLAIN:
        return value
    # JSON is YAML, and so are its quoted texts, but for what YAML wants escaped, and without surrogate pairs.
    return "".join(_escaped(character) for character in json.dumps(value, ensure_ascii=False))


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"
