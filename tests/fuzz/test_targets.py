"""The fuzzers' targets, for a few seconds and by chance: none of them rots, and none finds anything."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest

from tests.fuzz import TARGETS
from tests.fuzz.child import LARGEST_INPUT
from tests.fuzz.report import READS, page
from tests.fuzz.run import Result, Run

INPUTS = 500
SEED = 1


@pytest.fixture(scope="module", params=TARGETS)
def result(request: pytest.FixtureRequest) -> Result:
    run, random = Run(request.param), Random(SEED)
    for _ in range(INPUTS):
        run.one(random.randbytes(random.randrange(LARGEST_INPUT)))
    return run.finish(Result(target=request.param, engine="chance", seed=SEED))


def test_nothing_breaks(result: Result) -> None:
    assert result.failures == {}
    assert (result.inputs, result.slow) == (INPUTS, 0)


def test_the_inputs_lead_somewhere(result: Result) -> None:
    assert result.outcomes >= 40
    assert result.decisions >= 100


def test_a_target_that_fails_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run("policy")
    monkeypatch.setattr(run, "_one", lambda choices, watch: str(1 // len(choices.below(2) * [0])))
    for data in (b"\x00", b"\x01", b"\x00"):
        run.one(data)
    result = run.finish(Result(target="policy", engine="chance", seed=SEED))
    assert (result.inputs, result.outcomes) == (3, 1)
    assert [place.partition(" in ")[0] for place in result.failures] == ["ZeroDivisionError"]
    assert "| chance | 0.0 | 1 | 3 |  | 1 | 1 |" in page("", [result], "a tool", date(2026, 1, 2))


def test_the_report_keeps_what_did_not_run_this_time() -> None:
    first, second = (Result(target="jwks", engine="chance", seed=SEED, inputs=number) for number in (11, 22))
    other = Result(target="policy", engine="chance", seed=SEED, inputs=33, decisions=44, slowest_ms=5.5)
    old = page("", [first, other], "a tool", date(2026, 1, 2))
    new = page(old, [second], "another", date(2026, 3, 4))
    assert new.index("## `policy`") < new.index("## `jwks`")
    assert "Ran 2026-01-02 with a tool." in new.partition("## `jwks`")[0]
    assert "| chance | 0.0 | 1 | 33 |  | 0 | 0 | 44 | 0.00 | 5.5 | 0.0 | 0 |" in new
    assert "Ran 2026-03-04 with another." in new
    assert "| 22 |" in new
    assert "| 11 |" not in new
    assert page(new, [], "", date(2026, 5, 6)) == new


def test_the_report_has_a_place_for_every_target() -> None:
    assert tuple(READS) == tuple(TARGETS)
