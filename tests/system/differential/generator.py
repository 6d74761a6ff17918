"""Commands as people, scripts and attackers write them: any command of the grammar, its words in any order and form."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from kubectl_stepup.kubectl.command_line import COMPLETION_WORDS
from kubectl_stepup.kubectl.grammar import Flag
from kubectl_stepup.kubectl.grammar_table import ALIASES, COMMANDS, GLOBAL_FLAGS
from tests.system.differential.drawing import Drawn
from tests.system.differential.other_shapes import OTHERS
from tests.system.differential.shapes import CHANGES, Shape
from tests.system.differential.vocabulary import NEVER, RARE

BATCH = 200
"""So many commands are drawn at once: they run while the next ones are drawn."""

MAKERS = {**CHANGES, **OTHERS}
_OFTEN = {
    14: ("delete",),
    8: ("get", "patch", "apply"),
    6: ("create", "replace", "debug"),
    5: ("label", "scale", "set env", "exec", "run"),
    4: ("annotate", "describe", "drain"),
    3: ("set image", "cp", "taint", "expose", "auth reconcile"),
    2: (
        "set resources",
        "set selector",
        "set serviceaccount",
        "set subject",
        "edit",
        "logs",
        "rollout restart",
        "rollout undo",
        "attach",
        "port-forward",
        "create token",
        "diff",
        "autoscale",
        "certificate approve",
    ),
}
WEIGHTS = {path: weight for weight, paths in _OFTEN.items() for path in paths}
"""How often a command is drawn; the others once."""

GLOBAL = tuple(Flag(text) for text in GLOBAL_FLAGS.split())
NAMESPACE = next(flag for flag in GLOBAL if flag.name == "namespace")
COMMONLY_USED = ("dry-run", "output", "all-namespaces", "field-manager", "ignore-not-found", "subresource", "selector")
_SPELLED = {
    path: tuple(alias for alias, meant in ALIASES.items() if meant == path) for path in {*COMMANDS, *COMPLETION_WORDS}
}

Command = tuple[str, ...]


@st.composite
def commands(draw: st.DrawFn) -> Command:
    """Draw a command: the words after `kubectl`."""
    d = Drawn(draw=draw)
    path = d.weighted({path: WEIGHTS.get(path, 1) for path in MAKERS})
    shape = MAKERS[path](d)
    if path in COMPLETION_WORDS:
        return (path, *shape.words)
    own = {flag.name: flag for flag in (*GLOBAL, *(Flag(text) for text in COMMANDS[path].split()))}
    flags = [d.flag(own[name], value) for name, value in shape.flags if name in own]
    flags += _extra(d, own)
    if flags and d.chance(5):
        flags.insert(0, _again(d, shape, own))
    if d.chance(35):
        flags.append(d.flag(NAMESPACE, d.namespace()))
    return tuple(_arranged(d, _words_of(d, path), shape, [flag for flag in flags if flag]))


def _extra(d: Drawn, own: dict[str, Flag]) -> list[list[str]]:
    chances = {"dry-run": 16, "output": 10, "all-namespaces": 7}
    found = [d.flag(own[name]) for name in COMMONLY_USED if name in own and d.chance(chances.get(name, 2))]
    if d.chance(22):
        flag = d.pick([flag for name, flag in sorted(own.items()) if name not in NEVER])
        if flag.name not in RARE or d.chance(15):
            found.append(d.flag(flag))
    return found


def _again(d: Drawn, shape: Shape, own: dict[str, Flag]) -> list[str]:
    """Return a flag that is there another value before: the last one wins, or all of them count."""
    named = [name for name, _ in shape.flags if name in own and name not in RARE]
    return d.flag(own[d.pick(named)]) if named else []


def _words_of(d: Drawn, path: str) -> list[str]:
    return (d.pick(_SPELLED[path]) if _SPELLED[path] and d.chance(40) else path).split()


def _arranged(d: Drawn, path: list[str], shape: Shape, flags: list[list[str]]) -> list[str]:
    """Put flags anywhere: before the command, between its words, among and behind the arguments."""
    before: list[str] = []
    pieces = [[word] for word in shape.words]
    for flag in flags:
        is_global = any(flag[0].startswith((f"--{one.name}", f"-{one.short or '?'}")) for one in GLOBAL)
        if d.chance(18 if is_global else 2):
            before = [*flag, *before]
        elif len(path) > 1 and d.chance(6):
            path = [path[0], *flag, *path[1:]]
        else:
            pieces.insert(d.number(0, len(pieces)), flag)
    after = ["--", *shape.after_dash] if shape.after_dash is not None else []
    if d.chance(3):
        pieces.insert(d.number(0, len(pieces)), ["--"])
    return [*before, *path, *(word for piece in pieces for word in piece), *after]


def generated(count: int, number: int) -> Iterator[Command]:
    """Generate different commands from a seed, always the same ones."""
    seen: set[Command] = set()
    for batch in itertools.count():
        for command in _drawn(number * 10_000 + batch):
            if command in seen:
                continue
            seen.add(command)
            yield command
            if len(seen) == count:
                return


def _drawn(number: int) -> list[Command]:
    found: list[Command] = []

    @seed(number)
    @settings(
        max_examples=BATCH,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(commands())
    def keep(command: Command) -> None:
        found.append(command)

    keep()
    return found
