"""Read YAML of ours, and write what is only shown (pyyaml); what others write is read by `foreign_yaml`.

Documents of ours are small and written by people, so everything that makes YAML surprising is refused: repeated keys,
merge keys, tags, several documents, deep nesting and aliases by the hundred (an alias bomb of 300 bytes grows to GBs).

Spec: YAML 1.1 (the types of plain scalars), as PyYAML and kubectl read it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from kubectl_stepup.errors import ConfigError
from kubectl_stepup.yaml_edit.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from typing import Any

    from kubectl_stepup.yaml_edit.node import Value

try:
    from yaml import CSafeDumper as _BaseDumper
    from yaml import CSafeLoader as _Loader
except ImportError:  # pyyaml without libyaml: slower, the same answers
    from yaml import SafeDumper as _BaseDumper  # type: ignore[assignment]
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

MAX_ALIASES = 50
MAX_DEPTH = 100
MAX_VALUES = 200_000
MAX_BYTES = 1 << 20
MAX_PLAIN_BYTES = 4 << 20
MAX_MANIFEST_BYTES = 64 << 20
MAX_MANIFEST_VALUES = 5_000_000

_TAG = "tag:yaml.org,2002:"
_TEXTS = frozenset({"str", "int", "float", "bool", "timestamp", "value"})
"""Scalars that may be texts: a number or a date keeps its spelling, and is refused where a number is wanted."""
_COLLECTIONS = frozenset({_TAG + "map", _TAG + "seq"})
_SAFE_DEPTH = 1000
_TOO_DEEP = f"nested deeper than {MAX_DEPTH}"
_LIBRARYS_TOO_DEEP = "maximum nesting depth"
_BOOLEANS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


def parse(data: bytes, file: str, *, error: type[ConfigError] = ConfigError) -> Node:
    """Read one document into nodes; `file` is only named in messages.

    Raises: `error`, its message beginning with `FILE:LINE:`.
    """
    root = _compose(data, file, error=error, max_bytes=MAX_BYTES)
    if root is None:
        return Node(None, file=file, line=1, error_type=error)
    return _Builder(file, error).node(root, line=root.start_mark.line + 1, path="")


def parse_all(data: bytes, file: str, *, error: type[ConfigError] = ConfigError) -> list[Node]:
    """Read every document of a file with Kubernetes objects; those with nothing in them are left out.

    Raises: `error`, its message beginning with `FILE:LINE:`.
    """
    roots = _compose_all(data, file, error=error, max_bytes=MAX_MANIFEST_BYTES)
    builder = _Builder(file, error, max_values=MAX_MANIFEST_VALUES)
    nodes = (builder.node(root, line=root.start_mark.line + 1, path="") for root in roots)
    return [node for node in nodes if node.value is not None]


def read(path: Path | str, *, max_bytes: int = MAX_BYTES, error: type[ConfigError] = ConfigError) -> Node:
    """Read the document of a file; see `parse`.

    Raises: `error` also for a missing, unreadable or too large file, and for one that is no regular file.
    """
    return parse(read_bytes(path, max_bytes=max_bytes, error=error), str(path), error=error)


def plain(data: bytes, file: str, *, error: type[ConfigError] = ConfigError) -> object:
    """Read one document into dict, list, str, int, float, bool and None, as strictly as `parse` does.

    A key that is no text becomes one, and a scalar of a type JSON does not have (a date) stays a text.

    Raises: `error`, its message beginning with `FILE:LINE:`.
    """
    root = _compose(data, file, error=error, max_bytes=MAX_PLAIN_BYTES)
    return None if root is None else _Builder(file, error).plain(root)


def text_of(document: object) -> str:
    """Write plain values as YAML, keys in their order, to be read by people; files are edited elsewhere."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


class _Dumper(_BaseDumper):
    """Write texts of several lines as such, and what is there twice twice: nobody likes to read anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(f"{_TAG}str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def read_bytes(path: Path | str, *, max_bytes: int, error: type[ConfigError] = ConfigError) -> bytes:
    """Read a regular file of at most `max_bytes`; a FIFO or a device would never end, so it is refused."""
    try:
        # NOTE: O_NONBLOCK, or opening a FIFO that nobody writes would wait for ever before we can look at it.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as exc:
        raise error(f"{path}: {(exc.strerror or str(exc)).lower()}", details={"file": str(path)}) from exc
    try:
        with open(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise error(f"{path}: not a regular file", details={"file": str(path)})
            data = stream.read(max_bytes + 1)
    except OSError as exc:
        raise error(f"{path}: {(exc.strerror or str(exc)).lower()}", details={"file": str(path)}) from exc
    if len(data) > max_bytes:
        raise error(f"{path}: larger than {max_bytes} bytes", details={"file": str(path)})
    return data


def _compose(data: bytes, file: str, *, error: type[ConfigError], max_bytes: int) -> yaml.Node | None:
    def one(text: str) -> list[yaml.Node]:
        root = yaml.compose(text, Loader=_Loader)
        return [] if root is None else [root]

    return next(iter(_composed(data, file, one, error=error, max_bytes=max_bytes)), None)


def _compose_all(data: bytes, file: str, *, error: type[ConfigError], max_bytes: int) -> list[yaml.Node]:
    def every(text: str) -> list[yaml.Node]:
        return list(yaml.compose_all(text, Loader=_Loader))

    return _composed(data, file, every, error=error, max_bytes=max_bytes)


def _composed(
    data: bytes, file: str, compose: Callable[[str], list[yaml.Node]], *, error: type[ConfigError], max_bytes: int
) -> list[yaml.Node]:
    if len(data) > max_bytes:
        raise _error(error, file, None, f"larger than {max_bytes} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise error(f"{file}:{line}: not UTF-8", details={"file": file, "line": line}) from exc
    try:
        _refuse_depth(text, file, error)
        roots = compose(text)
    except yaml.MarkedYAMLError as exc:
        message = _one_line(exc.problem or exc.context)
        # libyaml 0.2.6 and later has a limit of its own, which it may meet before we see an event.
        message = _TOO_DEEP if _LIBRARYS_TOO_DEEP in message else message
        raise _error(error, file, exc.problem_mark or exc.context_mark, message) from exc
    except yaml.YAMLError as exc:
        raise _error(error, file, None, _one_line(str(exc).partition("\n")[0])) from exc
    for root in roots:
        _refuse_aliases(root, file, error)
    return roots


def _refuse_depth(text: str, file: str, error: type[ConfigError]) -> None:
    """Refuse deep nesting before composing: libyaml's composer recurses in C and takes the process down with it."""
    indents = (len(line) - len(line.lstrip(" -?:")) for line in text.splitlines())
    # A block collection needs a deeper column than its parent, except a list right under its key: two a column.
    if text.count("[") + text.count("{") + 2 * max(indents, default=0) < _SAFE_DEPTH:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise _error(error, file, event.start_mark, _TOO_DEEP)


def _refuse_aliases(root: yaml.Node, file: str, error: type[ConfigError]) -> None:
    """Count the places that repeat a node; the graph is walked once, so a bomb costs nothing here."""
    seen: set[int] = set()
    aliases, waiting = 0, [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            aliases += 1
            if aliases > MAX_ALIASES:
                raise _error(error, file, node.start_mark, f"more than {MAX_ALIASES} aliases")
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            waiting.extend(part for pair in node.value for part in pair)


class _Builder:
    """Turn the composed graph into values; counts them, as few aliases can still multiply."""

    def __init__(self, file: str, error: type[ConfigError], *, max_values: int = MAX_VALUES) -> None:
        self._file = file
        self._error_type = error
        self._max_values = max_values
        self._values = 0

    def node(self, source: yaml.Node, *, line: int, path: str, depth: int = 0) -> Node:
        self._check(source, depth)
        value: Value
        if isinstance(source, yaml.MappingNode):
            value = {}
            for key_node, item in source.value:
                key = self._key(key_node, value)
                if not _is_text(key_node):
                    raise self._error(key_node, f"the key {key!r} must be a text: put it in quotes")
                where = key_node.start_mark.line + 1
                value[key] = self.node(item, line=where, path=f"{path}.{key}" if path else key, depth=depth + 1)
        elif isinstance(source, yaml.SequenceNode):
            value = [
                self.node(item, line=item.start_mark.line + 1, path=f"{path}[{index}]", depth=depth + 1)
                for index, item in enumerate(source.value)
            ]
        else:
            value = self._scalar(source)
        return Node(value, file=self._file, line=line, path=path, error_type=self._error_type)

    def plain(self, source: yaml.Node, depth: int = 0) -> object:
        self._check(source, depth)
        if isinstance(source, yaml.MappingNode):
            mapping: dict[str, Any] = {}
            for key_node, item in source.value:
                mapping[self._key(key_node, mapping)] = self.plain(item, depth + 1)
            return mapping
        if isinstance(source, yaml.SequenceNode):
            return [self.plain(item, depth + 1) for item in source.value]
        short = isinstance(source, yaml.ScalarNode) and not source.style and source.value in {"y", "Y", "n", "N"}
        return source.value in "yY" if short else self._scalar(source)  # booleans to kubectl, texts to PyYAML

    def _check(self, source: yaml.Node, depth: int) -> None:
        if not isinstance(source, yaml.ScalarNode) and source.tag not in _COLLECTIONS:
            raise self._error(source, f"the tag {source.tag} is not supported")
        self._values += 1
        if self._values > self._max_values:
            raise self._error(source, f"more than {self._max_values} values")
        if depth > MAX_DEPTH:  # also a node that contains itself
            raise self._error(source, _TOO_DEEP)

    def _key(self, key: yaml.Node, mapping: Container[str]) -> str:
        if not isinstance(key, yaml.ScalarNode):
            raise self._error(key, "a key must be a text")
        if key.tag == _TAG + "merge":
            raise self._error(key, "merge keys (<<) are not supported")
        name = str(key.value)
        if name in mapping:
            raise self._error(key, f"the key {name!r} is repeated")
        return name

    def _scalar(self, source: yaml.Node) -> str | int | float | bool | None:
        text, kind = str(source.value), source.tag.removeprefix(_TAG)
        if kind == "null":
            return None
        if kind == "bool" and text.lower() in _BOOLEANS:
            return _BOOLEANS[text.lower()]
        if kind == "int" and _is_decimal(text):
            return int(text)
        if kind == "float" and _is_decimal(text.replace(".", "", 1).lstrip("0") or "0"):
            return float(text)
        if kind in _TEXTS:
            return text
        raise self._error(source, f"the tag {source.tag} is not supported")

    def _error(self, source: yaml.Node, message: str) -> ConfigError:
        return _error(self._error_type, self._file, source.start_mark, message)


def _is_text(key: yaml.Node) -> bool:
    return bool(key.tag == _TAG + "str")


def _is_decimal(text: str) -> bool:
    """Whether a number is a plain decimal, not YAML 1.1's octal, sexagesimal or underscored form."""
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= 18 and (digits == "0" or digits[0] != "0")


def _error(error: type[ConfigError], file: str, mark: Any, message: str) -> ConfigError:
    line = 1 if mark is None else mark.line + 1
    return error(f"{file}:{line}: {message}", details={"file": file, "line": line})


def _one_line(text: str | None) -> str:
    return " ".join((text or "unreadable").split())
