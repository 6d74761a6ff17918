"""Choices that a command is made of, drawn from Hypothesis, and how people spell them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import strategies as st

from kubectl_stepup.kubectl.grammar import BOOLEAN, LIST, OPTIONAL, Flag
from tests.system.differential.vocabulary import (
    CATEGORIES,
    COMMON,
    NAMESPACES,
    RANDOM_VALUES,
    SOME_NAME,
    THERE,
    VALUES,
    spellings,
)

Choice = TypeVar("Choice")
SPELLINGS = spellings()
ALL_RESOURCES = tuple(SPELLINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The choices of one command."""

    draw: Callable[[st.SearchStrategy[Any]], Any]

    def chance(self, percent: int) -> bool:
        """Say yes in so many cases of a hundred."""
        return bool(self.draw(st.integers(0, 99)) < percent)

    def pick(self, choices: Sequence[Choice]) -> Choice:
        """Pick one, each as likely as another."""
        found: Choice = self.draw(st.sampled_from(choices))
        return found

    def weighted(self, choices: Mapping[Choice, int]) -> Choice:
        """Pick one by its weight."""
        return self.pick([choice for choice, weight in choices.items() for _ in range(weight)])

    def number(self, least: int, most: int) -> int:
        """Return a number."""
        return int(self.draw(st.integers(least, most)))

    # Types and names

    def resource(self, among: Sequence[str] = ()) -> str:
        """Pick a plural name: one of `among`, mostly a common one, or any that there is."""
        if among and self.chance(92):
            return self.pick(among)
        return self.pick(COMMON if self.chance(60) else tuple(THERE) if self.chance(70) else ALL_RESOURCES)

    def spelled(self, plural: str) -> str:
        """Spell a type in one of the ways that kubectl reads."""
        group, kind, short = self.pick(SPELLINGS[plural]) if self.chance(15) else SPELLINGS[plural][0]
        word = self.pick((plural, plural, kind.lower(), kind, *short, *short))
        if self.chance(8):
            word = self.pick((word.upper(), word.title(), word.swapcase()))
        if not self.chance(22):
            return word
        beginning = group[: self.number(1, len(group))] if group else ""
        return word + self.pick(
            (f".{group}", f".v1.{group}", f".{beginning}", f".v1beta1.{group}", f".{group.upper()}", ".")
        )

    def name(self, plural: str) -> str:
        """Pick a name: of something that is there, mostly."""
        return self.pick(THERE.get(plural, SOME_NAME) if self.chance(82) else SOME_NAME)

    def names(self, plural: str) -> list[str]:
        """Pick one name or a few."""
        return [self.name(plural) for _ in range(1 if self.chance(75) else self.number(2, 3))]

    def one_object(self, among: Sequence[str] = ()) -> list[str]:
        """Name one object: TYPE NAME or TYPE/NAME."""
        plural = self.resource(among)
        kind, name = self.spelled(plural), self.name(plural)
        return [f"{kind}/{name}"] if self.chance(50) else [kind, name]

    def some_objects(self, among: Sequence[str] = ()) -> list[str]:
        """Name objects: of one type or several, in any form."""
        plural = self.resource(among)
        form = self.weighted({"type": 5, "slash": 4, "types": 1, "slashes": 2})
        if form == "slash":
            return [f"{self.spelled(plural)}/{self.name(plural)}"]
        if form == "slashes":
            several = [plural, self.resource(among)]
            return [f"{self.spelled(one)}/{self.name(one)}" for one in several]
        if form == "types":
            return [f"{self.spelled(plural)},{self.spelled(self.resource(among))}", *self.names(plural)]
        return [self.spelled(plural), *self.names(plural)]

    def kinds(self, among: Sequence[str] = ()) -> str:
        """Name types without objects, or a category."""
        if self.chance(10):
            return self.pick(CATEGORIES)
        return ",".join(self.spelled(self.resource(among)) for _ in range(1 if self.chance(75) else 2))

    # Flags

    def value(self, flag: Flag) -> str:
        """Return a flag a value that kubectl is likely to accept, or any."""
        likely = VALUES.get(flag.name)
        if likely is None or self.chance(3):
            return self.pick(RANDOM_VALUES)
        value = self.pick(likely)
        if flag.kind == LIST and self.chance(6):
            return self.pick((f'"{value}"', f"{value},{self.pick(likely)}"))
        return value

    def flag(self, flag: Flag, value: str | None = None) -> list[str]:
        """Spell a flag with a value: a drawn one where none is given."""
        name = f"--{flag.name.replace('-', '_') if self.chance(6) else flag.name}"
        short = f"-{flag.short}" if flag.short and self.chance(60) else ""
        if flag.kind in (BOOLEAN, OPTIONAL) and value is None and self.chance(75 if flag.kind == BOOLEAN else 30):
            return [short or name]
        if flag.kind == BOOLEAN:
            given = value or self.pick(("true", "false", "1", "0", "T", "F", "False", "TRUE", "yes"))
            return [f"{short or name}={given}"]
        given = self.value(flag) if value is None else value
        if flag.kind == OPTIONAL:
            return [f"{name}={given}"]
        if short:
            return self.pick(([short, given], [f"{short}{given}"], [f"{short}={given}"]))
        return self.pick(([name, given], [f"{name}={given}"]))

    def namespace(self) -> str:
        """Pick a namespace."""
        return self.weighted({"shop": 5, "prod": 4}) if self.chance(75) else self.pick(NAMESPACES)
