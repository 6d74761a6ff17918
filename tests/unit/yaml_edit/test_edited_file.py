"""Changing a shared file: under kubectl's lock, whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_stepup.errors import ConfigError, KubeconfigError, KubeconfigLocked
from kubectl_stepup.yaml_edit import edited_file
from kubectl_stepup.yaml_edit.edited_file import can_change, change, clear_away, read


class FakeClock:
    """A clock that only moves when somebody sleeps; `on_sleep` is what happens meanwhile."""

    def __init__(self, start: float = 0.0) -> None:
        self.time = start
        self.on_sleep: list[object] = []

    def now(self) -> float:
        return self.time

    monotonic = now

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        for happen in self.on_sleep:
            happen()  # type: ignore[operator]


def append(data: bytes | None) -> bytes:
    return (data or b"") + b"new\n"


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.name != "home")


def test_a_file_is_changed_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("old\n")
    assert change(str(path), append, clock=FakeClock()) is True
    assert (path.read_text(), names(tmp_path)) == ("old\nnew\n", ["config"])


def test_nothing_is_written_where_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("old\n")
    before = path.stat()
    assert change(str(path), lambda data: data or b"", clock=FakeClock()) is False
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert names(tmp_path) == ["config"]


def test_a_new_file_and_its_directory_are_private(tmp_path: Path) -> None:
    path = tmp_path / "d" / "config"
    old = os.umask(0)
    try:
        assert change(str(path), append, clock=FakeClock()) is True
    finally:
        os.umask(old)
    assert path.read_text() == "new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_the_mode_is_kept(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "config"
    path.write_text("old\n")
    path.chmod(mode)
    change(str(path), append, clock=FakeClock())
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "kube"
    real.parent.mkdir()
    real.write_text("old\n")
    link = tmp_path / "config"
    link.symlink_to(real)
    assert change(str(link), append, clock=FakeClock()) is True
    assert link.is_symlink()
    assert real.read_text() == "old\nnew\n"
    assert (names(tmp_path), names(real.parent)) == (["config", "dotfiles"], ["kube"])


def test_the_lock_is_held_while_the_edit_is_made(tmp_path: Path) -> None:
    path = tmp_path / "config"

    def edit(data: bytes | None) -> bytes:
        assert names(tmp_path) == ["config.lock"]
        return append(data)

    change(str(path), edit, clock=FakeClock())
    assert names(tmp_path) == ["config"]


def test_a_foreign_lock_is_named_and_left_alone(tmp_path: Path) -> None:
    """KCFG-03: its owner and age are said, and it is never removed."""
    path, lock = tmp_path / "config", tmp_path / "config.lock"
    path.write_text("old\n")
    lock.touch()
    os.utime(lock, (1000, 1000))
    with pytest.raises(KubeconfigLocked) as caught:
        change(str(path), append, clock=FakeClock(1240.0))
    owner = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    assert caught.value.message == (
        f"{lock} exists, made 242 s ago by {owner}: another program is writing the file, or left its lock behind"
    )
    assert caught.value.hint == f"make sure that no other program is writing it, then: rm {lock}"
    assert (path.read_text(), names(tmp_path)) == ("old\n", ["config", "config.lock"])


def test_a_lock_that_goes_away_is_waited_for(tmp_path: Path) -> None:
    path, lock = tmp_path / "config", tmp_path / "config.lock"
    lock.touch()
    clock = FakeClock()
    clock.on_sleep = [lambda: lock.unlink(missing_ok=True)]
    assert change(str(path), append, clock=clock) is True
    assert names(tmp_path) == ["config"]


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), KubeconfigError("no")])
def test_an_edit_that_fails_leaves_everything_as_it_was(tmp_path: Path, failure: BaseException) -> None:
    path = tmp_path / "config"
    path.write_text("old\n")

    def fail(data: bytes | None) -> bytes:
        raise failure

    with pytest.raises(type(failure)):
        change(str(path), fail, clock=FakeClock())
    assert (path.read_text(), names(tmp_path)) == ("old\n", ["config"])


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "config"
    path.write_text("old\n")

    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(KubeconfigError) as caught:
        change(str(path), append, clock=FakeClock(), error=KubeconfigError)
    assert caught.value.message == f"{path}: no space left on device"
    assert (path.read_text(), names(tmp_path)) == ("old\n", ["config"])


def test_a_read_only_file_is_not_replaced_behind_its_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config"
    path.write_text("old\n")
    monkeypatch.setattr(os, "access", lambda name, mode: False)
    with pytest.raises(ConfigError, match=r"config: is read-only$") as caught:
        change(str(path), append, clock=FakeClock())
    assert caught.value.hint == f"chmod u+w {path}"


def test_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_bytes(b"x" * 100)
    assert read(str(tmp_path / "config")) == b"x" * 100
    assert read(str(tmp_path / "nothing")) is None
    with pytest.raises(KubeconfigError, match="not a regular file"):
        read(str(tmp_path), error=KubeconfigError)
    monkeypatch.setattr(edited_file, "MAX_BYTES", 99)
    with pytest.raises(ConfigError, match="larger than 99 bytes"):
        read(str(tmp_path / "config"))


WRITER = """
import sys
from kubectl_stepup.clock import SystemClock
from kubectl_stepup.yaml_edit.edited_file import change
change(sys.argv[1], lambda data: (data or b"") + sys.argv[2].encode() + b"\\n", clock=SystemClock())
"""


def test_many_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    """KCFG-07."""
    path = tmp_path / "config"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)]) for number in range(5)]
    assert [writer.wait() for writer in writers] == [0] * 5
    assert sorted(path.read_text().split()) == [str(number) for number in range(5)]
    assert names(tmp_path) == ["config"]


@pytest.mark.parametrize("way", ["relative", "by a linked directory"])
def test_one_file_by_two_names_is_locked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path / "real")
    path = "file.yaml" if way == "relative" else str(tmp_path / "linked" / "file.yaml")

    assert change(path, lambda before: b"new", clock=FakeClock())
    assert (tmp_path / "real" / "file.yaml").read_bytes() == b"new"


KILLED = """
import os, signal, sys
from kubectl_stepup.clock import SystemClock
from kubectl_stepup.yaml_edit.edited_file import change
change(sys.argv[1], lambda data: os.kill(os.getpid(), signal.SIGKILL), clock=SystemClock())
"""


def killed_while_holding(path: Path) -> None:
    """Leave the lock of a process that was killed."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert (done.returncode, names(path.parent)) == (-9, [path.name, f"{path.name}.lock"])


def test_a_lock_of_ours_that_nobody_holds_any_more_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("old\n")
    killed_while_holding(path)
    (tmp_path / "config.123.0123abcd.tmp").write_text("half a file")
    (tmp_path / "config.lock.123.0123abcd.tmp").write_text("")
    (tmp_path / "config.1.tmp").write_text("somebody's")

    assert change(str(path), append, clock=FakeClock()) is True

    assert (path.read_text(), names(tmp_path)) == ("old\nnew\n", ["config", "config.1.tmp"])


def test_what_a_killed_process_left_is_cleared_away_without_a_change(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("old\n")
    killed_while_holding(path)

    clear_away(str(path), clock=FakeClock())

    assert (path.read_text(), names(tmp_path)) == ("old\n", ["config"])
    clear_away(str(tmp_path / "nowhere/config"), clock=FakeClock())
    assert names(tmp_path) == ["config"]


def test_a_foreign_lock_is_not_cleared_away(tmp_path: Path) -> None:
    """KCFG-03."""
    (tmp_path / "config.lock").touch()
    (tmp_path / "config.123.0123abcd.tmp").write_text("half a file")

    clear_away(str(tmp_path / "config"), clock=FakeClock())

    assert names(tmp_path) == ["config.123.0123abcd.tmp", "config.lock"]


def test_a_lock_of_ours_that_is_held_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "config"
    waiting: list[KubeconfigLocked] = []

    def edit(data: bytes | None) -> bytes:
        with pytest.raises(KubeconfigLocked) as caught:
            change(str(path), append, clock=FakeClock())
        waiting.append(caught.value)
        return append(data)

    change(str(path), edit, clock=FakeClock())

    assert len(waiting) == 1
    assert (path.read_text(), names(tmp_path)) == ("new\n", ["config"])


@pytest.mark.parametrize("kind", ["no links", "no locks"])
def test_a_filesystem_that_can_do_less_has_kubectls_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse) if kind == "no links" else monkeypatch.setattr(fcntl, "flock", refuse)
    path = tmp_path / "config"

    def edit(data: bytes | None) -> bytes:
        assert names(tmp_path) == ["config.lock"]
        with pytest.raises(KubeconfigLocked):
            change(str(path), append, clock=FakeClock())
        return append(data)

    change(str(path), edit, clock=FakeClock())
    assert (path.read_text(), names(tmp_path)) == ("new\n", ["config"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "d/config"
    path.parent.mkdir()
    path.write_text("a")
    assert can_change(str(path))
    path.parent.chmod(0o500)
    try:
        assert not can_change(str(path))
        with pytest.raises(
            ConfigError, match=f"nothing can be written into {path.parent}, as its lock must be: permission"
        ):
            change(str(path), lambda data: b"b", clock=FakeClock())
    finally:
        path.parent.chmod(0o700)


def test_the_directory_of_a_lock_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config"
    real = os.open

    def refused(name: str, *rest: int, **more: int) -> int:
        if ".lock" in str(name):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), name)
        return real(name, *rest, **more)

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(ConfigError) as caught:
        change(str(path), lambda data: b"b", clock=FakeClock())
    assert caught.value.message == (
        f"{path}: nothing can be written into {tmp_path}, as its lock must be: read-only file system"
    )
