"""The files a session was evaluated with: whatever happens to one of them, it is evaluated anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_stepup.sessions import rests_on


def rewritten_with_the_same_times(path: Path) -> None:
    before = path.stat()
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)


def linked(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def directory_at(path: Path) -> None:
    path.unlink()
    path.mkdir()


CHANGES: dict[str, Callable[[Path], object]] = {
    "written": lambda path: path.write_text("levels: []\n"),
    "written, and its times set back": rewritten_with_the_same_times,
    "replaced by the same": replaced,
    "removed": lambda path: path.unlink(),
    "opened to others": lambda path: path.chmod(0o666),
    "touched": lambda path: os.utime(path, ns=(1, 1)),
    "a link to another": lambda path: linked(path, "there"),
    "a link to nothing": lambda path: linked(path, "gone"),
    "a link to itself": lambda path: linked(path, path.name),
    "a directory": directory_at,
}


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Return the paths of one file that is there, one that is not, and one below no directory."""
    for name in ("policy.yaml", "there"):
        (tmp_path / name).write_text("rules: []\n")
        os.utime(tmp_path / name, ns=(1, 1_700_000_000_000_000_001))
    return [str(tmp_path / "policy.yaml"), str(tmp_path / "absent.yaml"), str(tmp_path / "none/published.json")]


def test_the_same_files_are_unchanged(files: list[str]) -> None:
    line = rests_on.line_of(files)
    assert rests_on.is_unchanged(line)
    assert rests_on.line_of(files) == line
    assert line.split(" ")[1:] == files


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_is_noticed(files: list[str], change: str) -> None:
    line = rests_on.line_of(files)
    CHANGES[change](Path(files[0]))
    assert not rests_on.is_unchanged(line)


def test_a_file_that_appears_is_noticed(files: list[str]) -> None:
    for appearing in files[1:]:
        line = rests_on.line_of(files)
        Path(appearing).parent.mkdir(exist_ok=True)
        assert rests_on.is_unchanged(line)
        Path(appearing).touch()
        assert not rests_on.is_unchanged(line)


def test_a_directory_that_becomes_another_is_noticed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "policy.yaml").write_text("rules: []\n")
    (tmp_path / "now").symlink_to("a")
    line = rests_on.line_of([str(tmp_path / "now/policy.yaml")])
    (tmp_path / "now").unlink()
    (tmp_path / "now").symlink_to("b")
    assert not rests_on.is_unchanged(line)


def test_a_file_that_cannot_be_looked_at_never_counts_as_unchanged(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for path in (str(tmp_path / "loop"), f"/{'x' * 300}", f"/{'x/' * 3000}"):
        assert not rests_on.is_unchanged(rests_on.line_of([path]))


def test_nothing_is_rested_on_by_what_was_handed_over() -> None:
    assert rests_on.is_unchanged(rests_on.NOTHING)


@pytest.mark.parametrize(
    "line", ["", " ", "-- ", "- ", "0" * 64, f"{'0' * 64} ", f"{'0' * 64} /x", "/x", f"{'0' * 64} /%0", "x /%00"]
)
def test_a_malformed_line_is_not_unchanged(line: str) -> None:
    assert not rests_on.is_unchanged(line)


def test_other_escapes_are_not_taken_for_others(files: list[str]) -> None:
    digest, path, *_ = rests_on.line_of(files[:1]).split(" ")
    assert rests_on.is_unchanged(f"{digest} {path}")
    assert not rests_on.is_unchanged(f"{digest} {path.replace('/', '%2F')}")


@given(name=st.binary(min_size=1, max_size=60).filter(lambda name: 0 not in name and name[:1] != b"/"))
def test_any_name_can_be_rested_on(tmp_path_factory: pytest.TempPathFactory, name: bytes) -> None:
    directory = tmp_path_factory.getbasetemp() / "any"
    directory.mkdir(exist_ok=True)
    path = os.fsdecode(os.fsencode(directory) + b"/" + name)
    line = rests_on.line_of([path, path])
    assert line.isascii()
    assert line.isprintable()
    assert line.count(" ") == 2
    assert rests_on.is_unchanged(line)
