"""`exec` with more contexts in the kubeconfig and more rules in the policy; kubectl is a program that says hello."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.comparisons import FLAT
from benchmarks.growth.curve import QUICK, Curve
from benchmarks.place import ENTRY_POINT, LAUNCHER
from benchmarks.rivals import interpreters
from benchmarks.rounds import Subject
from benchmarks.session import write_config
from benchmarks.stores import KERNEL
from kubectl_stepup.policy.allowed_commands import NAME as ROUTINE_LINES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from benchmarks.place import Place
    from benchmarks.stores import Held

CONTEXTS = (1, 50, 500)
RULES = (10, 100, 1000)
REPEATED = "an allowed command"
ALLOWED = ("exec", "--", "get", "pods")
SENSITIVE = ("exec", "-q", "--", "delete", "pod", "web-0")


def curves(
    place: Place, held: Sequence[Held], *, contexts: Sequence[int] = CONTEXTS, rules: Sequence[int] = RULES
) -> Iterator[Curve]:
    """Return the curves of allowed commands and, where there is a session to reuse, of sensitive ones."""
    hello = interpreters.compiled_hello(place)
    if hello is None:
        return
    commands: dict[str, tuple[str, ...]] = {REPEATED: ALLOWED}
    if any(one.name == KERNEL for one in held):
        commands["a sensitive command, approved before"] = SENSITIVE
    for what, words in commands.items():
        write_config(place, home="of-contexts", store="kernel")
        points = {size: _subject(place, what, hello, words, contexts=size, home="of-contexts") for size in contexts}
        yield Curve(name=f"exec, {what}", unit="contexts", points=points, bound=FLAT)
    for what, words in {**commands, "an allowed command seen for the first time": ALLOWED}.items():
        points = {}
        for size in rules:
            write_config(place, home=f"of-{size}-rules", rules=size, store="kernel")
            points[size] = _subject(place, what, hello, words, home=f"of-{size}-rules")
        yield Curve(name=f"exec, {what}", unit="rules", points=points, bound=FLAT)


def _subject(place: Place, what: str, hello: Path, words: tuple[str, ...], *, home: str, contexts: int = 1) -> Subject:
    environ = place.kubeconfig(f"{home}-{contexts}", {"token": place.token}, contexts=contexts)
    name = f"exec, {what}, {home}, {contexts} contexts"
    lines = place.home / home / ".cache/kubectl-stepup" / ROUTINE_LINES
    return Subject(
        name=name,
        label=name,
        argv=(ENTRY_POINT, *words),
        environ={**environ, "HOME": str(place.home / home), "KUBECTL_PATH": str(hello)},
        prepare=(lambda: lines.unlink(missing_ok=True)) if "first time" in what else None,
        times=QUICK if what == REPEATED and LAUNCHER is not None else 1,
    )
