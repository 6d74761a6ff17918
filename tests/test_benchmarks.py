"""The benchmark's harness works, and the page shows what its committed result says."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import page, stores
from benchmarks.comparisons import comparisons
from benchmarks.growth import callers, commands, tokens
from benchmarks.place import Place, prepared
from benchmarks.result import Measured, document, missed
from benchmarks.rivals import interpreters, ours, whole_kubectl
from benchmarks.rounds import Cost, Measurement, Subject, SubjectFailed, measure
from benchmarks.session import write_config
from benchmarks.tables import as_markdown, as_text, tables
from kubectl_stepup.sessions.stores.file import FileStore


def subject(name: str, code: str, **more: Any) -> Subject:
    return Subject(name=name, label=name, argv=(sys.executable, "-I", "-S", "-c", code), environ={}, **more)


def test_rounds_are_rotated_and_each_subject_runs_once_in_each(tmp_path: Path) -> None:
    order = tmp_path / "order"
    subjects = [subject(name, f"open({str(order)!r}, 'a').write({name!r})") for name in "abc"]
    found = measure(subjects, rounds=3, warm_up=1)
    assert order.read_text() == "abc" + "abc" + "bca" + "cab"
    assert {len(costs) for costs in found.costs.values()} == {3}


def test_a_failing_subject_is_no_measurement() -> None:
    with pytest.raises(SubjectFailed, match="exit code 3"):
        measure([subject("bad", "import os; os._exit(3)")], rounds=1)


def test_ratios_are_those_of_the_same_round() -> None:
    def costs(*times: float) -> list[Cost]:
        return [Cost(wall_ms=time, cpu_ms=time / 2) for time in times]

    found = Measurement(costs={"a": costs(10, 200, 30), "b": costs(20, 100, 60)})
    assert (found.ratio("a", "b").wall, found.ratio("a", "b").cpu) == (0.5, 0.5)
    assert found.median("a") == Cost(wall_ms=30, cpu_ms=15)


def test_copies_run_at_once_and_are_prepared_once(tmp_path: Path) -> None:
    prepared_times: list[int] = []
    file = tmp_path / "runs"
    many = subject("many", f"open({str(file)!r}, 'a').write('x')", copies=4, prepare=lambda: prepared_times.append(1))
    measure([many], rounds=1, warm_up=0)
    assert (file.read_text(), prepared_times) == ("xxxx", [1])


def test_costs_are_those_of_one_run_of_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "runs"
    clock = iter((100.0, 106.0))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    many = subject("many", f"open({str(file)!r}, 'a').write('x')", copies=2, times=3)
    found = measure([many], rounds=1, warm_up=0)
    assert (file.read_text(), found.median("many").wall_ms) == ("x" * 6, 1000)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a place with the file store alone: what every machine has."""

    def keep_files(place: Place) -> list[stores.Held]:
        directory = place.directory("sessions")
        stores.put(place, FileStore(directory), stores.FILES)
        return [stores.Held(name=stores.FILES, arguments=("--store-directory", str(directory)))]

    monkeypatch.setattr(stores, "held", keep_files)
    with prepared() as place:
        yield place


def test_one_round_of_what_is_cheap(place: Place) -> None:
    write_config(place)
    held = stores.held(place)
    subjects = [*interpreters.subjects(place), *ours.subjects(place, held)]
    subjects += whole_kubectl.subjects(place, held, None)
    curves = [
        *tokens.curves(place, held, (1, 3)),
        *commands.curves(place, held, contexts=(1, 2), rules=(1, 2)),
        *callers.curves(place, held, None, (1, 2)),
    ]
    points = [one for curve in curves for one in curve.points.values()]
    alone, growth = (
        Measured(subjects=some, found=measure(some, rounds=1, warm_up=0), rounds=1) for some in (subjects, points)
    )
    place.left_out["something"] = "it is not here"
    result = document(place, alone, growth, curves, load=0.0)

    assert place.api.refused == 0
    assert json.loads(json.dumps(result)) == result
    assert len(result["ratios"]) == len(comparisons({one.name for one in subjects})) > 5
    assert "something: it is not here" in page.measured(result).replace("Left out, ", "")
    for table in tables(result):
        assert as_text(table).count("\n") == len(table.rows) + 1
        assert as_markdown(table).count("\n|") == len(table.rows) + 2


def test_a_refused_credential_is_counted(place: Place) -> None:
    environ = place.kubeconfig("wrong", {"token": "wrong"})
    wrong = Subject(name="wrong", label="wrong", argv=(place.kubectl, *whole_kubectl.GET_PODS), environ=environ)
    with pytest.raises(SubjectFailed):
        measure([wrong], rounds=1)
    assert place.api.refused > 0


RESULT: dict[str, Any] = json.loads(page.RESULT.read_text(encoding="utf-8"))


def test_the_page_and_the_chart_are_made_of_the_committed_result() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.with_measured(text, RESULT) == text
    assert page.CHART.read_text(encoding="utf-8") == page.chart(RESULT)


def test_the_committed_result_is_whole() -> None:
    assert RESULT["left_out"] == {}
    assert {one["bound"] for one in RESULT["ratios"]} >= {0.65, 1.25, 1.4, 1.6}
    assert [curve["stopped"] for curve in RESULT["growth"] if curve["stopped"]] == []
    assert missed(RESULT) == []


def test_a_missed_bound_is_named() -> None:
    ratio = {"name": "a", "against": "b", "met": False}
    curve = {"name": "credential", "unit": "tokens", "met": False}
    assert missed({"ratios": [ratio], "growth": [curve]}) == ["a / b", "credential, tokens"]


def test_nothing_of_the_machines_is_in_the_environment_of_a_subject(place: Place) -> None:
    assert os.environ["HOME"] != place.environ["HOME"] == str(place.home)
    assert not {"KUBECONFIG", "DBUS_SESSION_BUS_ADDRESS", "XDG_CONFIG_HOME"} & set(place.environ)
