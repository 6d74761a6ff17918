"""The runtime directory is ours alone, or it is another one."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions import denial_cache
from kubectl_stepup.sessions.runtime_directory import clear_away, runtime_directory


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    directory = tmp_path / "runtime"
    directory.mkdir(mode=0o700)
    return directory


def found(runtime: Path | str, tmp_path: Path) -> Path:
    return runtime_directory({"XDG_RUNTIME_DIR": str(runtime)}, state_directory=tmp_path / "state")


def fallback(tmp_path: Path) -> Path:
    return tmp_path / "state" / "run"


def test_it_is_below_the_users_runtime_directory(runtime: Path, tmp_path: Path) -> None:
    assert found(runtime, tmp_path) == runtime / "kubectl-stepup"
    assert stat.S_IMODE((runtime / "kubectl-stepup").stat().st_mode) == 0o700
    assert not (tmp_path / "state").exists()


def test_a_second_call_gives_the_same(runtime: Path, tmp_path: Path) -> None:
    assert found(runtime, tmp_path) == found(runtime, tmp_path)


@pytest.mark.parametrize("value", ["", "relative", "/nonexistent/runtime"])
def test_without_one_it_is_below_the_state_directory(value: str, tmp_path: Path) -> None:
    """CACHE-21."""
    assert found(value, tmp_path) == fallback(tmp_path)
    assert stat.S_IMODE(fallback(tmp_path).stat().st_mode) == 0o700


@pytest.mark.parametrize("kind", ["runtime open", "own open", "own a link", "runtime a link", "own a file", "foreign"])
def test_what_is_not_ours_alone_is_passed_over(kind: str, runtime: Path, tmp_path: Path) -> None:
    """CACHE-21."""
    own = runtime / "kubectl-stepup"
    if kind == "runtime open":
        runtime.chmod(0o777)
    elif kind == "own open":
        own.mkdir()
        own.chmod(0o755)
    elif kind == "own a link":
        (tmp_path / "target").mkdir(mode=0o700)
        own.symlink_to(tmp_path / "target")
    elif kind == "runtime a link":
        runtime.rename(tmp_path / "target")
        runtime.symlink_to(tmp_path / "target")
    elif kind == "own a file":
        own.write_text("")
    else:
        if os.getuid() != 0:
            pytest.skip("needs root, to give a directory away")
        os.chown(runtime, 65534, 65534)
    assert found(runtime, tmp_path) == fallback(tmp_path)


def test_with_no_choice_left_the_reasons_are_told(runtime: Path, tmp_path: Path) -> None:
    """CACHE-21."""
    runtime.chmod(0o777)
    fallback(tmp_path).mkdir(parents=True)
    fallback(tmp_path).chmod(0o755)
    with pytest.raises(StoreUnavailable) as caught:
        found(runtime, tmp_path)
    assert caught.value.message == (
        f"no directory for locks: {runtime} is open to others (mode 0777); "
        f"{fallback(tmp_path)} is open to others (mode 0755)"
    )


def test_a_state_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StoreUnavailable, match=r"^no directory for locks: .*/state: File exists$"):
        found("", tmp_path)


def test_what_killed_wrappers_left_is_cleared_away(tmp_path: Path) -> None:
    """KCFG-16."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    gone = {f"{ended.pid}.0123abcd.sock", "99999999999999999999.0123abcd.sock"}
    kept = {f"{os.getpid()}.0123abcd.sock", f"{'0' * 32}.lock", "x.sock"}
    for name in gone | kept:
        (tmp_path / name).touch()

    clear_away(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} - {"home"} == kept
    clear_away(tmp_path / "nowhere")


def test_an_end_of_sessions_is_kept_for_a_day(runtime: Path) -> None:
    denial_cache.end(runtime, "kubectl-stepup:0:user", now_boottime=1.0)
    denial_cache.end(runtime, "kubectl-stepup:1:user", now_boottime=1.0)
    (runtime / "unrelated").touch()
    for name in ("kubectl-stepup,1,user.ended", "unrelated"):
        os.utime(runtime / name, (0, 0))
    clear_away(runtime)
    assert sorted(path.name for path in runtime.iterdir()) == ["kubectl-stepup,0,user.ended", "unrelated"]
