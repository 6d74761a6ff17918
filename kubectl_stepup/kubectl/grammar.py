"""kubectl's commands and flags, looked up.

Spec: https://kubernetes.io/docs/reference/kubectl/generated/; the table says which version was walked.
"""

from __future__ import annotations

from kubectl_stepup.kubectl.grammar_table import ALIASES, COMMANDS, CONTAINERS, GLOBAL_FLAGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

BOOLEAN = "boolean"
VALUE = "value"
LIST = "list"
OPTIONAL = "optional"


class Flag:
    """One flag; `without_value` is what it means without `=value`, empty where it must have one."""

    __slots__ = ("default", "kind", "name", "short", "without_value")

    def __init__(self, text: str) -> None:
        """Read the notation of grammar_table."""
        name, equals, kind = text.partition("=")
        name, optional, word = name.partition("?")
        self.default = False
        if name.endswith("!"):
            name, self.default = name[:-1], True
        self.name, _, self.short = name.partition(",")
        if equals:
            self.kind, self.without_value = (LIST if kind == "," else VALUE), ""
        elif optional:
            self.kind, self.without_value = OPTIONAL, word
        else:
            self.kind, self.without_value = BOOLEAN, "true"


_GLOBAL: list[Flag] = []


def _global_flags() -> Sequence[Flag]:
    """Return kubectl's global flags; made once."""
    if not _GLOBAL:
        _GLOBAL.extend(Flag(text) for text in GLOBAL_FLAGS.split())
    return _GLOBAL


class Flags:
    """The flags of a command with kubectl's global ones, which it may redefine (`create rolebinding --user`)."""

    __slots__ = ("_by_name", "_by_short", "own")

    def __init__(self, path: str) -> None:
        own = [Flag(text) for text in COMMANDS.get(path, "").split()]
        everywhere = _global_flags()
        self.own = frozenset(flag.name for flag in own)
        self._by_name = {flag.name: flag for flag in (*everywhere, *own)}
        self._by_short = {flag.short: flag for flag in (*everywhere, *own) if flag.short}

    def named(self, name: str) -> Flag | None:
        """Find a flag by its long name; kubectl reads `_` as `-`."""
        return self._by_name.get(name.replace("_", "-"))

    def short(self, letter: str) -> Flag | None:
        """Find a flag by its letter."""
        return self._by_short.get(letter)

    def with_help(self) -> Flags:
        """Add `--help` and `-h`, which kubectl adds after it has found the command."""
        flag = Flag("help,h")
        self._by_name.setdefault("help", flag)
        self._by_short.setdefault("h", flag)
        return self


def subcommand(path: str, word: str) -> str | None:
    """Return the path of the subcommand `word` of `path` (empty: of kubectl itself), its aliases resolved."""
    wanted = f"{path} {word}" if path else word
    if " " in word:
        return None
    return wanted if wanted in COMMANDS else ALIASES.get(wanted)


def is_container(path: str) -> bool:
    """Whether the command has subcommands: a word after it is one, or a plugin, or an error."""
    return path in CONTAINERS
