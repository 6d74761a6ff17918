"""Read YAML that others write as the Go programs of Kubernetes read it (pyyaml's events).

kubectl is tolerant: the first document counts, a key that is repeated has its last value, merge keys and aliases are
followed, tags of collections are ignored. Whoever reads such a file more strictly takes a cluster for an absent one.
What is read here has the same values as JSON made by `sigs.k8s.io/yaml`, or is refused.

Spec: `go.yaml.in/yaml/v2` (resolve.go, decode.go) and `YAMLToJSON` of `sigs.k8s.io/yaml`, the same in kubectl 1.32 to
1.37. Refused beyond what Go refuses: more than MAX_BYTES or MAX_VALUES, and more than MAX_DEPTH levels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import yaml

from kubectl_stepup.errors import ConfigError
from kubectl_stepup.yaml_edit import go_scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # pyyaml without libyaml: slower, the same answers
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

MAX_BYTES = 64 << 20
MAX_DEPTH = 100
MAX_VALUES = 2_000_000

_AHEAD = 512
_TOO_DEEP = f"nested deeper than {MAX_DEPTH}"
_LIBRARYS_TOO_DEEP = "maximum nesting depth"

_ALIASES, _DECODED = 100, 1000
_RATIO_LOW, _RATIO_HIGH = 400_000, 4_000_000


def plain(data: bytes, file: str, *, error: type[ConfigError] = ConfigError) -> Any:
    """Return the first document as dict, list, str, int, float, bool and None; `file` is only named in messages.

    Aliases share their value, so a document is as small in memory as in the file: treat it as read-only.

    Raises: `error`, its message beginning with `FILE:LINE:`.
    """
    return _Document(data, file, error).value()


def line_of(data: bytes, path: Sequence[str | int]) -> int:
    """Return the line (from 1) of the value under `path` in a document that `plain` reads; of the nearest one to it."""
    if not path:
        return 1
    document = _Document(data, "", ConfigError, located=True)
    value, line = document.value(), 1
    for step in path:
        lines = document.lines.get(id(value))
        if lines is None or step not in lines:
            break
        line, value = lines[step], value[step]
    return line


def words_of(data: bytes, file: str) -> Iterator[str | None]:
    """Yield what stands in all documents, in order: the text of a scalar, None for an alias, "" for anything else.

    Raises:
        ConfigError: the bytes are no YAML.
    """
    try:
        for event in yaml.parse(data, Loader=_Loader):
            if isinstance(event, yaml.ScalarEvent):
                yield str(event.value)
            else:
                yield None if isinstance(event, yaml.AliasEvent) else ""
    except yaml.YAMLError as exc:
        raise ConfigError(f"{file}: no YAML") from exc


class _Anchored:
    """What an anchor names: a value once it is read, and how many values Go decodes for it."""

    __slots__ = ("size", "value")

    def __init__(self) -> None:
        self.value: Any = None
        self.size = 0
        """0 while the value is being read."""


class _Open:
    """A collection that is being read. `key` is the key whose value comes next, in a mapping alone."""

    __slots__ = ("anchor", "before", "has_key", "is_merge", "key", "key_line", "line", "value")

    def __init__(self, value: dict[str, Any] | list[Any], anchor: _Anchored | None, before: int, line: int) -> None:
        self.value, self.anchor, self.before, self.line = value, anchor, before, line
        self.has_key = self.is_merge = False
        self.key: str = ""
        self.key_line = 1


class _Pieces:
    """Bytes as a stream, read as far ahead as Go reads: what is wrong behind the first document is not seen."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def read(self, _size: int = -1, /) -> bytes:
        piece = self._data[self._at : self._at + _AHEAD]
        self._at += len(piece)
        return piece


class _Document:
    """The values of the first document, put together from its events; nesting costs no stack."""

    def __init__(self, data: bytes, file: str, error: type[ConfigError], *, located: bool = False) -> None:
        self._data, self._file, self._error_type = data, file, error
        self._anchors: dict[str, _Anchored] = {}
        self._open: list[_Open] = []
        self._decoded = 1  # Go counts the document too
        self._aliased = 0
        self._made = 0
        self._root: Any = None
        self._located = located
        self.lines: dict[int, dict[str | int, int]] = {}
        """Of each collection, by its identity: the lines of what is in it."""

    def value(self) -> Any:
        if len(self._data) > MAX_BYTES:
            raise self._error(1, f"larger than {MAX_BYTES} bytes")
        for event in self._events():
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._start(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
            elif isinstance(event, yaml.DocumentEndEvent):  # what follows is not looked at
                break
        return self._root

    def _events(self) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(_Pieces(self._data), Loader=_Loader)
        except yaml.MarkedYAMLError as exc:
            mark = exc.problem_mark or exc.context_mark
            line = 1 if mark is None else mark.line + 1
            message = " ".join((exc.problem or exc.context or "unreadable").split())
            raise self._error(line, _TOO_DEEP if _LIBRARYS_TOO_DEEP in message else message) from exc
        except yaml.YAMLError as exc:
            position = getattr(exc, "position", 0)
            line = self._data.count(b"\n", 0, position) + 1 if isinstance(position, int) else 1
            raise self._error(line, str(getattr(exc, "reason", "unreadable"))) from exc

    def _start(self, event: yaml.CollectionStartEvent) -> None:
        line = _line(event)
        if self._open and self._takes_key():
            raise self._error(line, "a key must be a text")
        if len(self._open) >= MAX_DEPTH:
            raise self._error(line, _TOO_DEEP)
        is_merged_list = isinstance(event, yaml.SequenceStartEvent) and bool(self._open) and self._open[-1].is_merge
        if not is_merged_list:  # Go goes straight to what is in it
            self._count(line)
        value: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        if self._located:  # anew: a value that was replaced may have had the same identity
            self.lines[id(value)] = {}
        anchor = self._anchor(event.anchor)
        self._open.append(_Open(value, anchor, self._decoded - (0 if is_merged_list else 1), line))

    def _end(self) -> None:
        closed = self._open.pop()
        if closed.anchor is not None:
            closed.anchor.value, closed.anchor.size = closed.value, self._decoded - closed.before
        self._put(closed.value, closed.line, is_counted=True)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        line = _line(event)
        tag, text, is_plain = event.tag or "", str(event.value), bool(event.implicit[0])
        anchor = self._anchor(event.anchor)
        if self._open and self._takes_key() and text == "<<" and (is_plain or tag == go_scalar.MERGE):
            top = self._open[-1]
            top.has_key = top.is_merge = True
            return
        try:
            value = text if not tag and not is_plain else go_scalar.value_of(text, tag=tag)
        except ValueError as exc:
            raise self._error(line, str(exc)) from exc
        if anchor is not None:
            anchor.value, anchor.size = value, 1
        self._put(value, line)

    def _alias(self, event: yaml.AliasEvent) -> None:
        line = _line(event)
        anchored = self._anchors.get(event.anchor or "")
        if anchored is None:
            raise self._error(line, f"unknown anchor {event.anchor!r}")
        if not anchored.size:
            raise self._error(line, f"anchor {event.anchor!r} contains itself")
        self._count(line)
        self._decoded += anchored.size
        self._aliased += anchored.size
        self._require_few_aliases(line)
        self._put(anchored.value, line, is_counted=True, is_alias=True)

    def _anchor(self, name: str | None) -> _Anchored | None:
        if name is None:
            return None
        self._anchors[name] = anchored = _Anchored()
        return anchored

    def _takes_key(self) -> bool:
        top = self._open[-1]
        return isinstance(top.value, dict) and not top.has_key

    def _put(self, value: Any, line: int, *, is_counted: bool = False, is_alias: bool = False) -> None:
        """Put a value where it belongs: as a key, under one, into a list, or as the document itself."""
        if not is_counted:
            self._count(line)
        if not self._open:
            self._root = value
            return
        top = self._open[-1]
        if isinstance(top.value, list):
            top.value.append(value)
            self._locate(top, len(top.value) - 1, line)
        elif not top.has_key:
            top.key, top.key_line, top.has_key = self._key(value, line), line, True
        elif top.is_merge:
            self._merge(top, value, line, is_alias=is_alias)
        else:
            top.value[top.key] = value
            self._locate(top, top.key, top.key_line)
            top.has_key = False

    def _merge(self, top: _Open, value: Any, line: int, *, is_alias: bool) -> None:
        # NOTE: as Go does: in the order of the file, so a merged key wins over one that stands before it.
        many = value if isinstance(value, list) and not is_alias else [value]
        for one in reversed(many):
            if not isinstance(one, dict) or not isinstance(top.value, dict):
                raise self._error(line, "<< wants a mapping, or a list of mappings")
            top.value.update(one)
            for key in one if self._located else ():
                self._locate(top, key, self.lines.get(id(one), {}).get(key, line))
        top.has_key = top.is_merge = False

    def _key(self, value: Any, line: int) -> str:
        """Return a key as the text that JSON has for it."""
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int) and value < 1 << 63:
            return str(value)
        if isinstance(value, float):
            return {math.inf: ".inf", -math.inf: "-.inf"}.get(value, ".nan" if math.isnan(value) else f"{value:g}")
        raise self._error(line, "a key must be a text")

    def _locate(self, top: _Open, key: str | int, line: int) -> None:
        if self._located:
            self.lines[id(top.value)][key] = line

    def _count(self, line: int) -> None:
        self._decoded += 1
        self._made += 1
        if self._made > MAX_VALUES:
            raise self._error(line, f"more than {MAX_VALUES} values")
        if self._aliased:
            self._require_few_aliases(line)

    def _require_few_aliases(self, line: int) -> None:
        """Refuse a document most of which comes out of aliases, by Go's own measure."""
        if self._aliased <= _ALIASES or self._decoded <= _DECODED:
            return
        span = min(max(self._decoded - _RATIO_LOW, 0) / (_RATIO_HIGH - _RATIO_LOW), 1)
        if self._aliased / self._decoded > 0.99 - 0.89 * span:
            raise self._error(line, "too much of the document comes out of aliases")

    def _error(self, line: int, message: str) -> ConfigError:
        return self._error_type(f"{self._file}:{line}: {message}", details={"file": self._file, "line": line})


def _line(event: yaml.Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1
