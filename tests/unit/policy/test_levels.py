"""The levels of two files together: each one's order is kept, and nobody's times, reasons or windows are lowered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_stepup.policy.levels import joined, strictest
from kubectl_stepup.policy.model import Level
from kubectl_stepup.policy.quoted_text import QuotedText


def named(*names: str) -> tuple[Level, ...]:
    return tuple(Level(name=name, signed_in_within_s=900, ask_again_after_s=600) for name in names)


@pytest.mark.parametrize(
    ("base", "other", "order", "read_as"),
    [
        # The same names in the same order.
        ("mfa critical", "mfa critical", "mfa critical", "mfa critical"),
        ("mfa critical", "critical", "mfa critical", "critical"),
        # A level that the other file puts below one of the base's is read as that one.
        ("mfa critical", "gold mfa", "mfa critical", "mfa mfa"),
        ("mfa critical", "mfa gold critical", "mfa critical", "mfa critical critical"),
        # One that nothing of the base is known to be above is a level of its own.
        ("mfa critical", "gold", "mfa critical gold", "gold"),
        ("mfa critical", "mfa gold", "mfa critical gold", "mfa gold"),
        ("mfa", "mfa critical", "mfa critical", "mfa critical"),
        ("mfa critical", "silver gold", "mfa critical silver gold", "silver gold"),
        # Where the files contradict each other the stronger reading counts.
        ("mfa critical", "critical mfa", "mfa critical", "critical critical"),
        ("mfa critical", "critical gold mfa", "mfa critical", "critical critical critical"),
        ("a b c", "c a", "a b c", "c c"),
    ],
)
def test_the_order_of_two_files(base: str, other: str, order: str, read_as: str) -> None:
    names = other.split()
    found = joined(named(*base.split()), named(*names), elsewhere="added")

    assert [level.name for level in found.levels] == order.split()
    assert [found.names[name] for name in names] == read_as.split()
    assert [level.name for level in found.levels if level.name in found.added] == order.split()[len(base.split()) :]


def test_a_level_with_no_place_cannot_be_named_in_a_users_file() -> None:
    found = joined(named("mfa", "critical"), named("gold", "mfa2"), elsewhere="nowhere")

    assert (found.names, found.added) == ({}, ())
    above = joined(named("mfa"), named("mfa", "gold"), elsewhere="nowhere")
    assert [level.name for level in above.levels] == ["mfa", "gold"]


def test_the_built_in_levels_are_read_as_the_machines_strongest() -> None:
    found = joined(named("silver", "gold"), named("mfa", "critical"), elsewhere="strongest")

    assert found.names == {"mfa": "gold", "critical": "gold"}
    # But never as one that it is known to be stronger than.
    assert [level.name for level in joined(named("mfa"), named("mfa", "critical"), elsewhere="strongest").levels] == [
        "mfa",
        "critical",
    ]


def test_every_field_has_its_strictest() -> None:
    own = Level(
        name="mfa",
        signed_in_within_s=900,
        ask_again_after_s=60,
        max_duration_s=None,
        server_window_s=1200,
        help=QuotedText(what="help of level mfa", text="ask us", file="policy.yaml"),
    )
    theirs = Level(
        name="mfa",
        signed_in_within_s=300,
        ask_again_after_s=600,
        reason_required=True,
        max_duration_s=3600,
        server_window_s=600,
        window_by="dev",
        help=QuotedText(what="help of level mfa", text="call me", cluster="dev"),
    )
    found = strictest(own, [theirs])

    assert found == Level(
        name="mfa",
        signed_in_within_s=300,
        ask_again_after_s=60,
        reason_required=True,
        max_duration_s=3600,
        server_window_s=600,
        window_by="dev",
        help=own.help,
    )
    assert strictest(theirs, [own]).replace(help=own.help) == found
    assert strictest(own, [theirs.replace(server_window_s=1200)]).window_by is None


def test_what_is_asked_of_a_weaker_level_is_asked_of_a_stronger_one_that_the_file_does_not_know() -> None:
    (short,) = (level.replace(ask_again_after_s=60, signed_in_within_s=30, max_duration_s=90) for level in named("mfa"))
    _, critical = joined(named("mfa", "critical"), (short,), elsewhere="added").levels

    assert (critical.ask_again_after_s, critical.signed_in_within_s, critical.max_duration_s) == (60, 30, 90)


NAMES = ("a", "b", "c", "d", "e")
LEVELS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.tuples(
        *(
            st.builds(
                Level,
                name=st.just(name),
                signed_in_within_s=st.integers(1, 9),
                ask_again_after_s=st.integers(0, 9),
                reason_required=st.booleans(),
                server_window_s=st.none() | st.integers(1, 9),
                max_duration_s=st.none() | st.integers(1, 9),
            )
            for name in names
        )
    )
)


def no_weaker(level: Level, than: Level) -> bool:
    """Whether a level asks for no less than another in every field."""
    return (
        level.signed_in_within_s <= than.signed_in_within_s
        and level.ask_again_after_s <= than.ask_again_after_s
        and level.reason_required >= than.reason_required
        and (than.server_window_s is None or (level.server_window_s or 99) <= than.server_window_s)
        and (than.max_duration_s is None or (level.max_duration_s or 99) <= than.max_duration_s)
    )


@given(LEVELS, LEVELS)
def test_joining_weakens_nobody(base: tuple[Level, ...], other: tuple[Level, ...]) -> None:
    found = joined(base, other, elsewhere="added")
    by_name = {level.name: level for level in found.levels}
    ranks = [level.name for level in found.levels]

    assert ranks[: len(base)] == [level.name for level in base]
    assert all(no_weaker(by_name[level.name], level) for level in base)
    assert all(no_weaker(by_name[found.names[level.name]], level) for level in other)
    # Nothing is read as weaker than what its own file puts below it, nor as weaker than its own name.
    places = [ranks.index(found.names[level.name]) for level in other]
    assert places == sorted(places)
    assert all(
        ranks.index(found.names[level.name]) >= ranks.index(level.name) for level in other if level.name in ranks
    )


@given(LEVELS, LEVELS)
def test_joining_twice_is_joining_once(base: tuple[Level, ...], other: tuple[Level, ...]) -> None:
    once = joined(base, other, elsewhere="added")
    twice = joined(once.levels, other, elsewhere="added")

    assert (twice.levels, twice.names) == (once.levels, once.names)
    assert joined(base, base, elsewhere="added").levels == base
