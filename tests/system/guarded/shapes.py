"""Shapes that a token's claims may have, proper and improper, and what each should be worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.system.guarded.cluster import ACR, BREAK_GLASS, ELEVATED, EVERYDAY, TOKEN_LIFE_S

WINDOW_S = {"mfa": 900 + TOKEN_LIFE_S + 60, "critical": 300 + TOKEN_LIFE_S + 60}
"""By the policy: how old a sign-in may be, the token's life, a minute."""

MANY = 2000
Claims = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Signed:
    """When a token is signed, and for which level; an everyday one's claims are made for a level as well."""

    now: int
    level: str

    @property
    def acr(self) -> str:
        """What proves the level."""
        return ACR[self.level]

    @property
    def window_s(self) -> int:
        """How long after the sign-in a token of the level may expire."""
        return WINDOW_S[self.level]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Claims that are put over proper ones, or left out; whether the level stays, and the groups of the token's own."""

    name: str
    claims: Callable[[Signed], Claims]
    absent: tuple[str, ...] = ()
    keeps: bool = False
    groups: tuple[str, ...] = ("dev",)


def shapes() -> Iterator[Shape]:
    """Return them all."""
    yield Shape(name="proper", claims=lambda _: {}, keeps=True)
    yield from _acrs()
    yield from _times()
    yield from _groups()
    yield from _parties()
    yield from _others()


def _acrs() -> Iterator[Shape]:
    yield Shape(name="no acr", claims=lambda _: {}, absent=("acr",))
    made: dict[str, Callable[[str], object]] = {
        "a list as acr": lambda acr: [acr],
        "an object as acr": lambda acr: {"value": acr},
        "a number as acr": lambda _: 2,
        "true as acr": lambda _: True,
        "null as acr": lambda _: None,
        "an empty acr": lambda _: "",
        "an acr in capitals": str.upper,
        "an acr with a space": lambda acr: f"{acr} ",
        "an acr with a line's end": lambda acr: f"{acr}\n",
        "two acrs in one": lambda acr: f"{acr} silver",
        "a weaker acr": lambda _: "silver",
        "an acr that looks like it": lambda acr: acr.replace("o", "\u043e").replace("p", "\u0440"),
    }
    for name, make in made.items():
        yield Shape(name=name, claims=lambda signed, make=make: {"acr": make(signed.acr)})  # type: ignore[misc]


def _times() -> Iterator[Shape]:
    yield Shape(name="no auth_time", claims=lambda _: {}, absent=("auth_time",))
    malformed: dict[str, object] = {
        "null": None,
        "a text": "1795000000",
        "true": True,
        "an object": {"seconds": 1},
        "a list": [1795000000],
        "negative": -1,
        "zero": 0,
        "in the year 2286": 10_000_000_000,
        "beyond 64 bits": 2**70,
        "enormous": 1e308,
        "as enormous and negative": -1e308,
    }
    for name, value in malformed.items():
        yield Shape(name=f"auth_time {name}", claims=lambda _, value=value: {"auth_time": value})  # type: ignore[misc]
    yield Shape(name="auth_time in milliseconds", claims=lambda signed: {"auth_time": signed.now * 1000})
    yield Shape(name="auth_time with a fraction", claims=lambda signed: {"auth_time": signed.now - 2.5}, keeps=True)
    yield Shape(name="auth_time in an hour", claims=lambda signed: {"auth_time": signed.now + 3600})
    exp = TOKEN_LIFE_S
    yield Shape(name="auth_time at the end", claims=lambda signed: {"auth_time": signed.now + exp}, keeps=True)
    yield Shape(name="auth_time after the end", claims=lambda signed: {"auth_time": signed.now + exp + 1})
    yield Shape(
        name="the oldest sign-in",
        claims=lambda signed: {"auth_time": signed.now + exp - signed.window_s, "exp": signed.now + exp},
        keeps=True,
    )
    yield Shape(
        name="a second older",
        claims=lambda signed: {"auth_time": signed.now + exp - signed.window_s - 1, "exp": signed.now + exp},
    )
    yield Shape(name="a token for an hour", claims=lambda signed: {"exp": signed.now + 3600})
    yield Shape(name="a token for ever", claims=lambda _: {"exp": 253_402_300_799})
    yield Shape(name="exp with a fraction", claims=lambda signed: {"exp": signed.now + 300.5}, keeps=True)
    # When the token was made says nothing where the provider tells when the person signed in.
    yield Shape(name="no iat", claims=lambda _: {}, absent=("iat",), keeps=True)
    yield Shape(name="iat in an hour", claims=lambda signed: {"iat": signed.now + 3600}, keeps=True)
    yield Shape(name="iat zero", claims=lambda _: {"iat": 0}, keeps=True)


def _groups() -> Iterator[Shape]:
    yield Shape(name="no groups", claims=lambda _: {}, absent=("groups",), keeps=True, groups=())
    many = [f"g{number:04}" for number in range(MANY)]
    made: dict[str, tuple[object, list[str]]] = {
        "null": (None, []),
        "a number": (7, []),
        "true": (True, []),
        "an object": ({"name": "dev"}, []),
        "a text": ("dev", ["dev"]),
        "an empty list": ([], []),
        "nested": ([["dev"], "ops"], ["ops"]),
        "with numbers": (["dev", 7, 1.5], ["dev"]),
        "with null": ([None, "dev"], ["dev"]),
        "with objects": ([{"name": "ops"}, "dev"], ["dev"]),
        "of levels": (["dev", "stepup:mfa", "stepup:critical", "stepup:critical:dev", "stepup:"], ["dev"]),
        "of Kubernetes": (["system:masters", "system:nodes", "dev"], ["dev"]),
        "of break-glass": ([BREAK_GLASS, "dev"], ["dev"]),
        "a level as a text": ("stepup:critical", []),
        "by thousands": (many, many),
        "in other letters": (["разработка", "開発", "🦀"], ["разработка", "開発", "🦀"]),
        "with a quote": (["it's", 'a "b"', "c\\d"], ["it's", 'a "b"', "c\\d"]),
        "of great length": (["a" * 5000], ["a" * 5000]),
    }
    for name, (value, kept) in made.items():
        yield Shape(
            name=f"groups {name}",
            claims=lambda _, value=value: {"groups": value},  # type: ignore[misc]
            keeps=True,
            groups=tuple(kept),
        )


def _parties() -> Iterator[Shape]:
    """Whom the token was given to; an everyday one is given its own audience afterwards."""
    both = [EVERYDAY, ELEVATED]
    yield Shape(name="one audience in a list", claims=lambda _: {"aud": [ELEVATED]}, keeps=True)
    yield Shape(name="both audiences", claims=lambda _: {"aud": both})
    yield Shape(name="both, given to the elevated", claims=lambda _: {"aud": both, "azp": ELEVATED}, keeps=True)
    yield Shape(name="both, given to the everyday", claims=lambda _: {"aud": both, "azp": EVERYDAY})
    parties: dict[str, object] = {"a number": 7, "null": None, "empty": "", "a list": [ELEVATED], "an object": {}}
    for name, party in parties.items():
        yield Shape(name=f"azp {name}", claims=lambda _, party=party: {"azp": party})  # type: ignore[misc]


def _others() -> Iterator[Shape]:
    for name, amr in {
        "a text": "mfa",
        "a list": ["pwd", "otp"],
        "mixed": ["pwd", 7, None],
        "an object": {},
    }.items():
        yield Shape(name=f"amr {name}", claims=lambda _, amr=amr: {"amr": amr}, keeps=True)  # type: ignore[misc]
    deep: object = "bottom"
    for _ in range(100):
        deep = {"deeper": [deep]}
    yield Shape(name="deep claims", claims=lambda _: {"deep": deep}, keeps=True)
    unusual = {"a.b": 1, "": 2, "it's": 3, "__proto__": 4, "https://example.com/claim": [None]}
    yield Shape(name="claims with unusual names", claims=lambda _: unusual, keeps=True)
    yield Shape(
        name="a claim of our names",
        claims=lambda _: {"stepup:mfa": True, "kubectl-stepup.github.io/issuer": 1},
        keeps=True,
    )
