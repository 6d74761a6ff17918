"""Read kubectl's argv exactly as kubectl does: which command, which flags with which values, which other words.

Spec: cobra's `Find`, `stripFlags` and `argsMinusFirstX` find the command; pflag's `parseArgs` then reads all flags at
once. So before the subcommand a flag that kubectl itself does not know swallows the next word, after it flags may
stand anywhere up to `--`, the last one wins, and `_` in a long name is `-`.
"""

from __future__ import annotations

from kubectl_stepup.kubectl.grammar import BOOLEAN, LIST, Flags, is_container, subcommand
from kubectl_stepup.values import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from kubectl_stepup.kubectl.grammar import Flag

COMPLETION_WORDS = ("__complete", "__completeNoDesc")

NEEDS_A_VALUE = "needs a value"
"""How the problem of a line ends that stops behind a flag."""

TRUE = ("1", "t", "T", "TRUE", "true", "True")
FALSE = ("0", "f", "F", "FALSE", "false", "False")
"""How a boolean may be spelt.

Spec: Go's `strconv.ParseBool`.
"""


class Malformed(Exception):
    """kubectl would reject the command line, or a newer one reads it in a way we do not know."""


class CommandLine(Record):
    """A command line as kubectl reads it.

    `path` is the command's words (aliases resolved), empty for kubectl alone. `values` has each flag's values in order,
    by long name, and `flags` all of them in order, as given. `words` are the positional ones; those from `dash_at` on
    stood after `--`. `problem` says why the line cannot be read, in ASCII, as some words only look like commands; then
    the rest may be incomplete. `own` names the command's own flags.
    """

    argv: tuple[str, ...]
    path: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]]
    flags: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    dash_at: int | None = None
    own: frozenset[str] = frozenset()
    problem: str | None = None

    def last(self, name: str) -> str | None:
        """Return a flag's value: the last one wins."""
        values = self.values.get(name)
        return values[-1] if values else None

    def all(self, name: str) -> tuple[str, ...]:
        """Return all values of a flag that may be repeated."""
        return self.values.get(name, ())

    def on(self, name: str, default: bool = False) -> bool:
        """Whether a boolean flag is on."""
        value = self.last(name)
        return default if value is None else value in TRUE

    @property
    def name(self) -> str:
        """The command's words in one text."""
        return " ".join(self.path)

    def written(self, *, without: Collection[str] = (), adding: Sequence[tuple[str, str]] = ()) -> tuple[str, ...]:
        """Write a line that can be read anew, with other flags: to kubectl the rest is the same."""
        kept = (flag for flag in self.flags if flag[0] not in without)
        behind = () if self.dash_at is None else ("--", *self.words[self.dash_at :])
        return (*self.path, *(f"--{name}={value}" for name, value in (*kept, *adding)), *self.before_dash(), *behind)

    def before_dash(self) -> tuple[str, ...]:
        """Return the words before `--`."""
        return self.words[: self.dash_at]


def read_line(argv: Sequence[str]) -> CommandLine:
    """Read the words after `kubectl`. Never fails: see `CommandLine.problem`."""
    argv = tuple(argv)
    try:
        path, rest = _find(argv)
    except Malformed as malformed:
        return CommandLine(argv=argv, values={}, problem=str(malformed))
    if path is None:
        return CommandLine(argv=argv, path=tuple(rest[:1]), values={}, problem=f"unknown command {rest[0]!a}")
    words = tuple(path.split())
    if path == "help" or path in COMPLETION_WORDS:
        return CommandLine(argv=argv, path=words, values={}, words=tuple(rest))
    flags = Flags(path).with_help()
    reader = _FlagReader(flags)
    try:
        reader.read(list(rest))
        problem = _stray_word(path, reader)
    except Malformed as malformed:
        problem = str(malformed)
    return CommandLine(
        argv=argv,
        path=words,
        values={name: tuple(values) for name, values in reader.values.items()},
        flags=tuple(reader.given),
        words=tuple(reader.words),
        dash_at=reader.dash_at,
        own=flags.own,
        problem=problem,
    )


def _find(argv: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    """Return the command's path and the remaining words; no path and the word where kubectl has no such command."""
    path, rest = "", list(argv)
    while True:
        flags = Flags(path)
        word = _first_word(rest, flags)
        if word is None:
            return path, rest
        if not path and (word == "help" or word in COMPLETION_WORDS):
            return word, _without(rest, word, flags)
        found = subcommand(path, word)
        if found is None:
            return (None, [word]) if not path else (path, rest)
        path, rest = found, _without(rest, word, flags)


def _first_word(rest: Sequence[str], flags: Flags) -> str | None:
    """Return the first word that is neither a flag nor a flag's value."""
    at = 0
    while at < len(rest):
        word = rest[at]
        at += 1
        if word == "--":
            return None
        if _swallows(word, flags):
            if len(rest) - at <= 1:
                return None
            at += 1
        elif word and not word.startswith("-"):
            return word
    return None


def _without(rest: Sequence[str], word: str, flags: Flags) -> list[str]:
    """Return `rest` without the first `word` that is not a flag's value.

    kubectl 1.27 (cobra 1.6) takes away the first one, whatever it is: the flags behind it get other values.
    """
    at = 0
    while at < len(rest) and rest[at] != "--":
        if _swallows(rest[at], flags):
            at += 2
            continue
        if rest[at] == word:
            first = rest.index(word)
            if rest[first:at] != rest[first + 1 : at + 1]:
                raise Malformed(f"kubectl 1.27 takes {word!r} for the command where newer ones take a flag's value")
            return [*rest[:at], *rest[at + 1 :]]
        at += 1
    return list(rest)


def _swallows(word: str, flags: Flags) -> bool:
    """Whether the word after this flag is taken for its value; so it is for every flag that is not known here."""
    if "=" in word:
        return False
    if word.startswith("--"):
        flag = flags.named(word[2:])
    elif len(word) == 2 and word.startswith("-"):
        flag = flags.short(word[1])
    else:
        return False
    return flag is None or not flag.without_value


def _stray_word(path: str, reader: _FlagReader) -> str | None:
    """Say what is wrong with a word after a command that only has subcommands.

    It may be a subcommand that we do not know yet; after `create` it is a plugin, which runs even with `--help`.
    """
    helped = reader.values.get("help", ["false"])[-1] in TRUE
    if not is_container(path) or not reader.words or (helped and path != "create"):
        return None
    return f"unknown command {f'{path} {reader.words[0]}'!a}"


class _FlagReader:
    """pflag's parser over one command's flags."""

    def __init__(self, flags: Flags) -> None:
        self._flags = flags
        self.values: dict[str, list[str]] = {}
        self.given: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.dash_at: int | None = None

    def read(self, rest: list[str]) -> None:
        rest.reverse()  # a stack: popping from the front of a long list is slow
        while rest:
            word = rest.pop()
            if word == "--":
                self.dash_at = len(self.words)
                self.words.extend(reversed(rest))
                return
            if len(word) < 2 or word[0] != "-":
                self.words.append(word)
            elif word.startswith("--"):
                self._long(word, rest)
            else:
                self._short(word, rest)

    def _long(self, word: str, rest: list[str]) -> None:
        name, equals, value = word[2:].partition("=")
        flag = self._flags.named(name)
        if flag is None:
            raise Malformed(f"unknown flag {f'--{name}'!a}")
        if not equals:
            value = flag.without_value or self._next(rest, f"--{name}")
        self._add(flag, value, f"--{name}")

    def _short(self, word: str, rest: list[str]) -> None:
        end = len(word)
        at = 1
        while at < end:
            letter = word[at]
            at += 1
            flag = self._flags.short(letter)
            if flag is None:
                raise Malformed(f"unknown flag {f'-{letter}'!a} in {word!a}")
            if word.startswith("=", at) and at + 1 < end:
                value, at = word[at + 1 :], end
            elif flag.without_value:
                value = flag.without_value
            elif at < end:
                value, at = word[at:], end
            else:
                value = self._next(rest, f"-{letter}")
            self._add(flag, value, f"-{letter}")

    def _next(self, rest: list[str], shown: str) -> str:
        if not rest:
            raise Malformed(f"flag {shown!r} {NEEDS_A_VALUE}")
        return rest.pop()

    def _add(self, flag: Flag, value: str, shown: str) -> None:
        if flag.kind == BOOLEAN and value not in TRUE and value not in FALSE:
            raise Malformed(f"flag {shown!r} is true or false, not {value!r}")
        self.given.append((flag.name, value))
        values = self.values.setdefault(flag.name, [])
        if flag.kind == LIST:
            values.extend(_split(value))
        else:
            values.append(value)


def _split(value: str) -> list[str]:
    """Split at commas as pflag does: one line of CSV, so that `"a,b"` is one value."""
    if '"' not in value:
        return value.split(",") if value else []
    import csv

    try:
        return next(csv.reader([value], strict=True), [])
    except csv.Error as exc:
        raise Malformed(f"{value!r} is no list of values") from exc


def csv_value(value: str) -> str:
    """Write one value of a flag that takes several, as pflag reads it back: one field of a line of CSV."""
    if not any(character in value for character in ',"\r\n'):
        return value
    return '"' + value.replace('"', '""') + '"'
