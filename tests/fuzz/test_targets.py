"""The fuzzers' targets, for a few seconds and by chance: none of them rots, and none finds anything."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest

from tests.fuzz import TARGETS
from tests.fuzz.child import LARGEST_INPUT
from tests.fuzz.report import report
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
    page = report([result], "a tool", date(2026, 1, 2))
    assert "| `policy` | chance | 0.0 | 1 | 3 |  | 1 | 1 |" in page
    assert "3 inputs: 1 uncaught exceptions or wrong answers" in page
