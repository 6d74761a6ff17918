"""The ways to write a command line that kubectl reads alike."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from kubectl_stepup.kubectl.grammar import BOOLEAN, LIST, OPTIONAL, Flags
from kubectl_stepup.kubectl.grammar_table import ALIASES
from kubectl_stepup.kubectl.resource_table import BUILT_IN
from tests.grammar.choices import chance, pick
from tests.grammar.lines import adding_up, flags_of, value_of

if TYPE_CHECKING:
    from kubectl_stepup.kubectl.grammar import Flag
    from tests.grammar.choices import Choices
    from tests.grammar.lines import Line

    Token = tuple[str, ...]

GLOBAL = Flags("")
TRUE = ("true", "1", "t", "T", "TRUE", "True")
FALSE = ("false", "0", "f", "F", "FALSE", "False")
DRY_RUNS = {"client": ("client", "unchanged", *TRUE), "none": ("none", *FALSE)}
VERSIONS = {"": "v1", "apps": "v1", "rbac.authorization.k8s.io": "v1"}
AT_DASH = ("create", "debug", "exec", "run")
"""First words of commands that look where `--` stands."""


def _type_names() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for group, version in VERSIONS.items():
        for entry in BUILT_IN[group].split():
            plural, kind, *short = entry.replace("!", "").split("/")
            names = (plural, kind.lower(), *(short[0].split(",") if short else ()))
            suffixes = (f".{version}.{group}", f".{group}")
            cased = (*names, kind, plural.upper())
            found.setdefault(plural, (*cased, *(f"{name}{suffix}" for name in names for suffix in suffixes)))
    return found


TYPE_NAMES = _type_names()
"""The names of each resource type of `VERSIONS`."""


def plain(line: Line) -> list[str]:
    """Write a line in the longest way: the command, its words, then each flag as `--name=value`."""
    flags = [f"--{name}={value}" for name, values in line.flags for value in values]
    words = [word for place in line.words for word in _named(place, None)]
    return [*line.path.split(), *words, *flags, *(("--", *line.behind) if line.behind is not None else ())]


def spelling(choices: Choices, line: Line) -> list[str]:
    """Write a line in another way."""
    path = line.path.split()
    aliases = [alias for alias, meant in ALIASES.items() if meant == line.path]
    if aliases and chance(choices, 2):
        path = pick(choices, aliases).split()
    words = [(word,) for place in line.words for word in _named(place, choices)]
    queues = _clustered(choices, line)
    before: list[Token] = []
    for name in path:
        before += _some(choices, queues, path)
        before.append((name,))
    after: list[Token] = []
    dash = line.behind is None and line.path.split()[0] not in AT_DASH and chance(choices, 4)
    place = choices.below(len(words) + 1) if dash else len(words)
    for word in words[:place]:
        after += _some(choices, queues, None)
        after.append(word)
    while left := [queue for queue in queues if queue]:
        after.append(pick(choices, left).popleft())
    behind = words[place:] if dash else [(word,) for word in line.behind or ()]
    tokens = [*before, *after, *([("--",)] if dash or line.behind is not None else []), *behind]
    return [word for token in tokens for word in token]


def _some(choices: Choices, queues: list[deque[Token]], command: list[str] | None) -> list[Token]:
    """Take some flags for this place, those of one name in their order; `command` is what follows, in front of it."""
    found = []
    for _ in range(choices.below(len(queues) + 1)):
        queue = pick(choices, queues)
        if queue and (command is None or _may_stand_before(queue[0], command)):
            found.append(queue.popleft())
    return found


def _may_stand_before(token: Token, command: list[str]) -> bool:
    """Whether cobra finds the command after this token: a flag that it does not know takes the next word.

    A value that is a word of the command misleads the cobra of kubectl 1.27.
    """
    word = token[0]
    if token[-1] in command:
        return False
    if "=" in word:
        return True
    if word.startswith("--"):
        flag = GLOBAL.named(word[2:])
        return len(token) == 2 or (flag is not None and bool(flag.without_value))
    return (len(word) == 2) == (len(token) == 2)


def _clustered(choices: Choices, line: Line) -> list[deque[Token]]:
    """Write the flags, some of the short ones together: `-it`, `-itn x`."""
    known, cluster, last = flags_of(line.path), "", ""
    queues: list[deque[Token]] = []
    for name, values in sorted(line.flags, key=lambda _: choices.below(1000)):
        flag = known.named(name)
        assert flag is not None, name
        if flag.short and values == ("true",) and flag.kind == BOOLEAN and chance(choices, 2):
            cluster += flag.short
        elif flag.short and len(values) == 1 and not flag.without_value and not last and chance(choices, 3):
            last = flag.short
            queues.append(deque([_short(choices, flag, cluster, values[0])]))
            cluster = ""
        else:
            queues.append(deque(_tokens(choices, line, flag, values)))
    if cluster:
        queues.append(deque([(f"-{cluster}",)]))
    return queues


def _short(choices: Choices, flag: Flag, cluster: str, value: str) -> Token:
    """Write a flag by its letter with its value, behind other letters: `-itn x`, `-itnx`, `-itn=x`."""
    ways: list[Token] = [(f"-{cluster}{flag.short}", value)]
    if value:
        ways.append((f"-{cluster}{flag.short}={value}",))
        if not value.startswith("="):
            ways.append((f"-{cluster}{flag.short}{value}",))
    return pick(choices, ways)


def _tokens(choices: Choices, line: Line, flag: Flag, values: tuple[str, ...]) -> list[Token]:
    if flag.name in adding_up(line.path):
        if flag.kind == LIST and len(values) > 1 and chance(choices, 2):
            return [_token(choices, line, flag, ",".join(values))]
        return [_token(choices, line, flag, value) for value in values]
    earlier = [value_of(choices, flag) for _ in range(choices.below(3))]
    return [_token(choices, line, flag, value) for value in (*earlier, *values)]


def _token(choices: Choices, line: Line, flag: Flag, value: str) -> Token:
    """Write one flag with one value."""
    name = flag.name.replace("-", "_") if chance(choices, 4) else flag.name
    if flag.name == "dry-run":
        value = pick(choices, DRY_RUNS.get(value, (value,)))
    if flag.kind == OPTIONAL:
        return (f"--{name}",) if value == flag.without_value and chance(choices, 2) else (f"--{name}={value}",)
    if flag.kind == BOOLEAN:
        ways: list[Token] = [(f"--{name}={word}",) for word in (TRUE if value == "true" else FALSE)]
        if value == "true":
            ways += [(f"--{name}",)] * 4
        if flag.short:
            ways += [(f"-{flag.short}={value}",), *([(f"-{flag.short}",)] if value == "true" else [])]
        return pick(choices, ways)
    ways = [(f"--{name}={value}",), (f"--{name}", value)]
    return _short(choices, flag, "", value) if flag.short and chance(choices, 2) else pick(choices, ways)


def _named(word: str, choices: Choices | None) -> list[str]:
    """Write `@TYPE:NAME…` as `TYPE NAME…` or `TYPE/NAME…`, and `%TYPE:NAME` also without its type."""
    if word[:1] not in ("@", "%"):
        return [word]
    head, *names = word[1:].split(":")
    types = head.split("@")
    if word[0] == "%":
        kind = types[0]
        if kind in ("pods", "nodes") and (choices is None or chance(choices, 2)):
            return names
        return [f"{_type(kind, choices)}/{name}" for name in names]
    if names and choices is not None and chance(choices, 2):
        return [f"{_type(kind, choices)}/{name}" for kind in types for name in names]
    return [",".join(_type(kind, choices) for kind in types), *names]


def _type(kind: str, choices: Choices | None) -> str:
    return kind if choices is None else pick(choices, TYPE_NAMES.get(kind, (kind,)))
