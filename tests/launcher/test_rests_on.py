"""The launcher answers from no session that was evaluated with files which have changed since; as Python does."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_stepup.sessions import rests_on, scope
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.sessions.stores.file import FileStore
from tests.launcher.conftest import Launcher
from tests.launcher.test_credential import by_python, changed, environ
from tests.support.sessions import approved_now
from tests.unit.sessions.test_rests_on import CHANGES

NAMES = ["config.yaml", "a b%.yaml", "é\n.yaml", "policy.yaml"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name in [*NAMES, "there"]:
        (tmp_path / name).write_text("rules: []\n")
    return tmp_path


def answers(
    launcher: Launcher, directory: Path, fresh: ElevationSession, line: str
) -> tuple[bytes | None, bytes | None]:
    """Store a session that rests on this; return what the launcher answers, and what Python does."""
    store = FileStore(directory / "sessions")
    stored = replace(fresh, rests_on=line)
    store.put(scope.key(fresh.id, scope.USER_SCOPE), stored.to_record(), fresh.reuse_until)
    return answers_now(launcher, directory, fresh)


def answers_now(launcher: Launcher, directory: Path, fresh: ElevationSession) -> tuple[bytes | None, bytes | None]:
    arguments = ["--session", fresh.id, "--store-directory", str(directory / "sessions")]
    return launcher.answer(arguments, environ(fresh)), by_python(arguments, environ(fresh))


def paths(directory: Path) -> list[str]:
    return [*(str(directory / name) for name in NAMES), str(directory / "absent"), "/etc/kubectl-stepup/no/such.yaml"]


def test_unchanged_files_are_answered(launcher: Launcher, directory: Path) -> None:
    native, python = answers(launcher, directory, approved_now(), rests_on.line_of(paths(directory)))
    assert native == python is not None


@pytest.mark.parametrize("when", [0, 1, -1, 5 * 10**9 + 7, -(5 * 10**9) - 7, 2**33 * 10**9 + 1])
def test_any_time_of_a_file_is_read_alike(launcher: Launcher, directory: Path, when: int) -> None:
    os.utime(directory / "config.yaml", ns=(when, when))
    native, python = answers(launcher, directory, approved_now(), rests_on.line_of(paths(directory)))
    assert native == python is not None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_is_left_to_python(launcher: Launcher, directory: Path, change: str, name: str) -> None:
    fresh = approved_now()
    native, python = answers(launcher, directory, fresh, rests_on.line_of(paths(directory)))
    assert native == python is not None
    CHANGES[change](directory / name)
    assert answers_now(launcher, directory, fresh) == (None, None)


def test_a_file_that_appears_is_left_to_python(launcher: Launcher, directory: Path) -> None:
    fresh = approved_now()
    answers(launcher, directory, fresh, rests_on.line_of(paths(directory)))
    (directory / "absent").touch()
    assert answers_now(launcher, directory, fresh) == (None, None)


def test_what_may_be_there_is_left_to_python(launcher: Launcher, directory: Path) -> None:
    (directory / "loop").symlink_to("loop")
    for path in (str(directory / "loop"), f"/{'x' * 300}"):
        assert answers(launcher, directory, approved_now(), rests_on.line_of([path])) == (None, None)


def test_the_terminals_own_session_decides_though_the_users_is_current(launcher: Launcher, directory: Path) -> None:
    fresh = approved_now()
    native, python = answers(launcher, directory, fresh, rests_on.line_of(paths(directory)))
    assert native == python is not None
    stale = replace(fresh, rests_on=f"{'0' * 64} /etc")
    store = FileStore(directory / "sessions")
    store.put(scope.key(fresh.id, scope.terminal_scope()), stale.to_record(), fresh.reuse_until)
    assert answers_now(launcher, directory, fresh) == (None, None)


MALFORMED = [
    "",
    " ",
    "-",
    "--",
    "- ",
    "0" * 64,
    f"{'0' * 64} ",
    f"{'0' * 64} /etc",
    "/etc",
    " /etc",
    "%",
    f"{'0' * 64} /%0",
]


@pytest.mark.parametrize("line", MALFORMED)
def test_a_malformed_line_is_read_alike(launcher: Launcher, directory: Path, line: str) -> None:
    native, python = answers(launcher, directory, approved_now(), line)
    assert native == python
    assert (native is None) == (line != "-")


PIECES = st.sampled_from(
    [b"", b" ", b"%", b"%2F", b"%2f", b"%00", b"%0", b"/", b"//", b"-", b"\t", b"\x7f", b"0", b"."]
)
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 70), st.one_of(PIECES, st.none())), min_size=1, max_size=3)


@settings(max_examples=300, deadline=None)
@given(edits=EDITS)
def test_no_changed_line_is_answered_where_python_would_not(
    launcher: Launcher, tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[float, int, bytes | None]]
) -> None:
    directory = tmp_path_factory.getbasetemp() / "lines"
    directory.mkdir(exist_ok=True)
    (directory / "a b%.yaml").touch()
    line = rests_on.line_of([str(directory / "a b%.yaml"), str(directory / "absent")])
    line = changed(line.encode("ascii"), edits).decode("ascii").replace("\n", "")
    native, python = answers(launcher, directory, approved_now(), line)
    assert native is None or native == python
