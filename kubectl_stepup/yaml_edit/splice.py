"""Put a named item into a list of a YAML document, or take it out, and leave every other byte as it is.

The document is not written anew: ruamel.yaml only says where things stand, and the item's own lines are put in or cut
out. So comments, line ends, quoting, a byte order mark and fields nobody knows stay. The result is read again and must
hold exactly what was meant; where it does not, the edit is refused.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kubectl_stepup.errors import ConfigError, KubeconfigError
from kubectl_stepup.yaml_edit.written_item import item_lines, quoted

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

Parse = Callable[[bytes, str], object]
"""Turns the bytes of a file (named for messages) into plain values, and refuses what is no sound YAML."""

_BOM = "\ufeff"


def with_item(
    data: bytes,
    file: str,
    *,
    key: str,
    item: Mapping[str, object],
    parse: Parse,
    error: type[ConfigError] = ConfigError,
) -> bytes:
    """Return the document with `item` in the list under the top-level `key`: in place of the one of its name, or last.

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
    """Return the document without the item called `name` in the list under `key`; as it was where there is none.

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
        if self._is_flow(root, sequence):
            self._put_in_flow(root, sequence, key, name, item)
        elif sequence is None:
            self._insert(self._last(root), f"{key}:", *item_lines(item))
        elif _is_empty(sequence):
            self._text = self._text[: sequence.start_mark.index].rstrip(" ") + self._text[sequence.end_mark.index :]
            self._insert(self._key_end(root, key), *item_lines(item))
        else:
            block = self._block(sequence, key)
            start, _ = self._span(block.value[0])
            indent = self._text[start : self._text.index("-", start)]
            lines = [indent + line for line in item_lines(item)]
            old = next((node for node in block.value if _name_of(node) == name), None)
            if old is None:
                self._insert(self._last(block), *lines)
            else:
                start, end = self._span(old)
                self._text = self._text[:start] + self._end_of_line.join(lines) + self._text[end:]

    def cut(self, key: str, name: object) -> None:
        root = self._root()
        sequence = self._value_of(root, key)
        if self._is_flow(root, sequence):
            self._cut_from_flow(self._sequence(sequence, key), name)
            return
        block = self._block(sequence, key)
        old = next(node for node in block.value if _name_of(node) == name)
        start, end = self._span(old)
        after = self._text[end:].removeprefix("\r").removeprefix("\n")
        # A file without a line end after its last line stays so.
        before = self._text[:start] if after or self._text[end:] else self._text[:start].rstrip("\r\n")
        self._text = before + after
        if len(block.value) == 1:
            colon = self._key_end(root, key)
            self._text = self._text[:colon] + " []" + self._text[colon:]

    def _is_flow(self, root: MappingNode, sequence: Node | None) -> bool:
        """Whether a list is, or would be, written in brackets, as in JSON; an empty one may also become lines."""
        if root.flow_style:
            return True
        return bool(getattr(sequence, "flow_style", False)) and not _is_empty(sequence)  # type: ignore[arg-type]

    def _put_in_flow(
        self, root: MappingNode, sequence: Node | None, key: str, name: object, item: Mapping[str, object]
    ) -> None:
        if sequence is None:
            self._append(root, f"{quoted(key)}: [{quoted(item)}]")
        elif not isinstance(sequence.value, list):  # null
            self._replace(sequence, f"[{quoted(item)}]")
        else:
            old = next((node for node in sequence.value if _name_of(node) == name), None)
            if old is None:
                self._append(sequence, quoted(item))
            else:
                self._replace(old, quoted(item))

    def _cut_from_flow(self, sequence: SequenceNode, name: object) -> None:
        items = sequence.value
        at = next(index for index, node in enumerate(items) if _name_of(node) == name)
        start, end = items[at].start_mark.index, items[at].end_mark.index
        if at + 1 < len(items):
            end = items[at + 1].start_mark.index
        elif at > 0:
            start = items[at - 1].end_mark.index
        self._text = self._text[:start] + self._text[end:]

    def _append(self, flow: Node, text: str) -> None:
        """Put one more entry into brackets, on a line of its own where the others have one."""
        start = flow.start_mark.index + 1
        if not flow.value:
            self._text = self._text[:start] + text + self._text[start:]
            return
        first, last = (
            entry if isinstance(entry, tuple) else (entry, entry) for entry in (flow.value[0], flow.value[-1])
        )
        before, end = self._text[start : first[0].start_mark.index], last[1].end_mark.index
        self._text = f"{self._text[:end]},{before if not before.strip() else ' '}{text}{self._text[end:]}"

    def _replace(self, node: Node, text: str) -> None:
        self._text = self._text[: node.start_mark.index] + text + self._text[node.end_mark.index :]

    def result(self, wanted: object, parse: Parse) -> bytes:
        try:
            data = (self._bom + self._text).encode("utf-8")
        except UnicodeEncodeError as exc:
            raise self._refusal(f"{exc.object[exc.start : exc.end]!a} is no Unicode character") from exc
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
        if not isinstance(root, MappingNode):
            raise self._refusal("it is no mapping")
        return root

    def _value_of(self, root: MappingNode, key: str) -> Node | None:
        return next((value for name, value in root.value if name.value == key), None)

    def _block(self, node: Node | None, key: str) -> SequenceNode:
        sequence = self._sequence(node, key)
        if sequence.flow_style:
            raise self._refusal(f"{key} is not a list with a line for each entry")
        return sequence

    def _sequence(self, node: Node | None, key: str) -> SequenceNode:
        from ruamel.yaml.nodes import SequenceNode

        if not isinstance(node, SequenceNode):
            raise self._refusal(f"{key} is not a list with an entry for each")
        return node

    def _key_end(self, root: MappingNode, key: str) -> int:
        """Return the place after the colon of a top-level key."""
        name = next(name for name, _ in root.value if name.value == key)
        return self._text.index(":", name.end_mark.index) + 1

    def _span(self, item: Node) -> tuple[int, int]:
        """Return the first character of an item's line, and the one after its last line."""
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
        """Return the place after the last character of a node, its comments and blank lines left out.

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
        hint = None
        if issubclass(self._error, KubeconfigError):
            file = shlex.quote(self._file)
            hint = f"kubectl config view --raw --kubeconfig {file} > NEW, then: mv NEW {file}"
        return self._error(f"{self._file}: cannot be edited without writing it anew: {reason}", hint=hint)


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
