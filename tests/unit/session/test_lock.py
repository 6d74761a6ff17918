"""One step-up at a time: waiting, time limits, dead holders and deleted files."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from kubectl_stepup.errors import LockTimeout, StoreUnavailable
from kubectl_stepup.session import lock
from kubectl_stepup.session.lock import Holder
from tests.contract.clock import StillClock

ID = "0123456789abcdef0123456789abcdef"

HOLD = """
import sys
from pathlib import Path
from kubectl_stepup.session import lock
from tests.contract.clock import StillClock
with lock.acquire(Path(sys.argv[1]), sys.argv[2], timeout_s=0, on_wait=print, clock=StillClock()):
    print("held", flush=True)
    sys.stdin.read()
"""


class Other:
    """Another process that holds the lock until it is told to let go, or killed."""

    def __init__(self, directory: Path) -> None:
        command = [sys.executable, "-c", HOLD, str(directory), ID]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"held\n"

    def end(self, *, kill: bool = False) -> None:
        if kill:
            self.process.kill()
        self.process.communicate()


class Waits:
    """What `on_wait` was told; calls an action at a given call."""

    def __init__(self) -> None:
        self.holders: list[Holder | None] = []

    def __call__(self, holder: Holder | None) -> None:
        self.holders.append(holder)


class ActingClock(StillClock):
    """A clock whose first sleep does something."""

    def __init__(self, action: object) -> None:
        super().__init__()
        self.action = action

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        action, self.action = self.action, None
        if callable(action):
            action()


def taken(directory: Path, waits: Waits, clock: StillClock, timeout_s: float = 5.0) -> AbstractContextManager[None]:
    return lock.acquire(directory, ID, timeout_s=timeout_s, on_wait=waits, clock=clock)


def test_a_free_lock_is_taken_without_a_word(tmp_path: Path) -> None:
    waits = Waits()
    for _ in range(2):
        with taken(tmp_path, waits, StillClock()):
            pass
    assert waits.holders == []


def test_the_file_says_who_holds_it_and_forgets_afterwards(tmp_path: Path) -> None:
    with taken(tmp_path, Waits(), StillClock()):
        text = (tmp_path / f"{ID}.lock").read_text()
        assert text.startswith(f"pid={os.getpid()}\nterminal=")
        assert text.endswith("since=1800000000.0\n")
    assert (tmp_path / f"{ID}.lock").read_text() == ""


def test_waiting_tells_the_holder_once_and_gets_the_lock(tmp_path: Path) -> None:
    other = Other(tmp_path)
    waits = Waits()
    with taken(tmp_path, waits, ActingClock(other.end)):
        pass
    assert waits.holders == [Holder(pid=other.process.pid, terminal=None, since=1_800_000_000.0)]


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    other = Other(tmp_path)
    other.end(kill=True)
    waits = Waits()
    with taken(tmp_path, waits, StillClock()):
        pass
    assert waits.holders == []


def test_the_time_limit_names_the_holder(tmp_path: Path) -> None:
    other = Other(tmp_path)
    clock, waits = StillClock(), Waits()
    with pytest.raises(LockTimeout) as caught, taken(tmp_path, waits, clock):
        pytest.fail("the lock is held")
    assert caught.value.message.startswith(f"another step-up is still under way (process {other.process.pid}, since ")
    assert caught.value.hint == f"kill {other.process.pid}"
    assert 5.0 <= clock.monotonic() - 5000 < 5.3
    assert len(waits.holders) == 1
    other.end()


def test_ctrl_c_ends_the_wait_and_leaves_no_lock(tmp_path: Path) -> None:
    other = Other(tmp_path)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), taken(tmp_path, Waits(), ActingClock(interrupt)):
        pytest.fail("the lock is held")
    other.end()
    with taken(tmp_path, Waits(), StillClock()):
        pass


def test_an_exception_in_the_body_lets_go(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^body$"), taken(tmp_path, Waits(), StillClock()):
        raise ValueError("body")
    with taken(tmp_path, Waits(), StillClock()):
        pass


def test_a_file_deleted_while_held_locks_nothing_wrongly(tmp_path: Path) -> None:
    other = Other(tmp_path)
    (tmp_path / f"{ID}.lock").unlink()
    # The name is free: a new file is made, and it is that one which the next waits for.
    with taken(tmp_path, Waits(), StillClock()):
        assert (tmp_path / f"{ID}.lock").exists()
        with pytest.raises(LockTimeout), taken(tmp_path, Waits(), StillClock(), 0):
            pytest.fail("the lock is held")
    other.end()


def test_a_lock_on_a_file_deleted_meanwhile_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = lock._open
    counts = []

    def open_and_delete_once(path: Path) -> int:
        descriptor = opened(path)
        counts.append(path)
        if len(counts) == 1:
            path.unlink()
        return descriptor

    monkeypatch.setattr(lock, "_open", open_and_delete_once)
    with taken(tmp_path, Waits(), StillClock()):
        assert (tmp_path / f"{ID}.lock").exists()
    assert len(counts) == 2


@pytest.mark.parametrize(
    "content", ["", "pid=x\n", "pid=1\n", "nonsense", "pid=1\nterminal=\nsince=soon\n", "\0" * 5000]
)
def test_a_file_that_says_nothing_is_a_holder_unknown(tmp_path: Path, content: str) -> None:
    other = Other(tmp_path)
    (tmp_path / f"{ID}.lock").write_text(content)
    waits = Waits()
    with pytest.raises(LockTimeout) as caught, taken(tmp_path, waits, StillClock(), 0):
        pytest.fail("the lock is held")
    assert caught.value.message == "another step-up is still under way (another process)"
    assert waits.holders == [None]
    other.end()


@pytest.mark.parametrize("kind", ["link", "directory", "pipe", "open to others", "somebody else's"])
def test_what_is_not_our_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"{ID}.lock"
    if kind == "link":
        (tmp_path / "target").write_text("")
        path.symlink_to(tmp_path / "target")
    elif kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_text("")
        path.chmod(0o666)
        if kind == "somebody else's":
            if os.getuid() != 0:
                pytest.skip("needs root, to give a file away")
            path.chmod(0o600)
            os.chown(path, 65534, 65534)
    with pytest.raises(StoreUnavailable, match=r"^the lock .* (cannot be opened: .*|is not a file of yours alone)$"):
        taken(tmp_path, Waits(), StillClock()).__enter__()


def test_the_lock_is_not_inherited_by_children(tmp_path: Path) -> None:
    with taken(tmp_path, Waits(), StillClock()):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    with taken(tmp_path, Waits(), StillClock(), 0):
        pass
    child.communicate(b"\n")


def test_a_holder_is_shown_with_its_terminal() -> None:
    shown = str(Holder(pid=7, terminal="/dev/pts/3", since=1_800_000_000.0))
    assert shown.startswith("process 7 on /dev/pts/3, since ")
