"""One step-up at a time: waiting, time limits, dead holders and deleted files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from kubectl_stepup.errors import LockTimeout, LoginNeeded, StoreUnavailable
from kubectl_stepup.sessions import lock
from kubectl_stepup.sessions.lock import Holder
from tests.support.clock import StillClock

ID = "0123456789abcdef0123456789abcdef"

HOLD = """
import sys
from pathlib import Path
from kubectl_stepup.sessions import lock
from tests.support.clock import StillClock
with lock.acquire(Path(sys.argv[1]), sys.argv[2], answer=lambda: None, timeout_s=0, on_wait=print, clock=StillClock()):
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
    """What `on_wait` was told; does something when it is first told."""

    def __init__(self, action: Callable[[], object] = lambda: None) -> None:
        self.holders: list[Holder | None] = []
        self.action = action

    def __call__(self, holder: Holder | None) -> None:
        self.holders.append(holder)
        if len(self.holders) == 1:
            self.action()


class HastyClock(StillClock):
    """A clock that goes on by a second whenever it is read."""

    def monotonic(self) -> float:
        self.sleep(1.0)
        return super().monotonic()


def taken(
    directory: Path,
    waits: Waits,
    clock: StillClock,
    timeout_s: float = 60.0,
    answer: Callable[[], str | None] = lambda: None,
) -> AbstractContextManager[str | None]:
    return lock.acquire(directory, ID, answer=answer, timeout_s=timeout_s, on_wait=waits, clock=clock)


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
    """CONC-11."""
    other = Other(tmp_path)
    waits = Waits(other.end)
    with taken(tmp_path, waits, StillClock()):
        pass
    assert waits.holders == [Holder(pid=other.process.pid, terminal=None, since=1_800_000_000.0)]


def test_all_who_wait_get_the_answer_without_the_lock(tmp_path: Path) -> None:
    """CONC-01."""
    other = Other(tmp_path)
    both, got = threading.Barrier(3), []

    def follow() -> None:
        with taken(tmp_path, Waits(both.wait), StillClock(), answer=lambda: "the session") as answer:
            got.append(answer)
            both.wait(30)  # each has its answer while the other has not let go of anything

    followers = [threading.Thread(target=follow, daemon=True) for _ in range(2)]
    for follower in followers:
        follower.start()
    both.wait(30)
    other.end()
    both.wait(30)
    for follower in followers:
        follower.join()
    assert got == ["the session"] * 2


def test_whoever_gets_the_lock_at_once_asks_for_the_answer_too(tmp_path: Path) -> None:
    with taken(tmp_path, Waits(), StillClock(), answer=lambda: "it came just now") as answer:
        assert answer == "it came just now"


def test_what_the_holder_was_refused_is_raised_in_those_who_waited(tmp_path: Path) -> None:
    """CONC-03."""
    other = Other(tmp_path)

    def refused() -> str | None:
        raise LoginNeeded("denied")

    with pytest.raises(LoginNeeded), taken(tmp_path, Waits(other.end), StillClock(), answer=refused):
        pytest.fail("it was refused")


def test_a_holder_that_is_killed_leaves_the_lock_to_one_of_those_who_wait(tmp_path: Path) -> None:
    """CONC-04."""
    other = Other(tmp_path)
    waits = Waits(lambda: other.end(kill=True))
    with taken(tmp_path, waits, StillClock()) as answer:
        assert answer is None
        assert (tmp_path / f"{ID}.lock").read_text().startswith(f"pid={os.getpid()}\n")
    assert [holder.pid for holder in waits.holders if holder] == [other.process.pid]


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    """CONC-04."""
    other = Other(tmp_path)
    other.end(kill=True)
    waits = Waits()
    with taken(tmp_path, waits, StillClock()):
        pass
    assert waits.holders == []


def test_the_time_limit_names_the_holder(tmp_path: Path) -> None:
    """CONC-05."""
    other = Other(tmp_path)
    clock, waits = StillClock(), Waits()
    with pytest.raises(LockTimeout) as caught, taken(tmp_path, waits, clock, 0):
        pytest.fail("the lock is held")
    assert caught.value.message.startswith(f"another step-up is still under way (process {other.process.pid}, since ")
    assert caught.value.hint == f"kill {other.process.pid}"
    assert len(waits.holders) == 1
    other.end()


@pytest.mark.parametrize(
    ("begun_s_ago", "waited_s"),
    [(0, 60), (50, 10), (57, 5), (600, 5), (-600, 60)],
    ids=["as I came", "before", "just before the end", "long ago", "by a clock that was set back"],
)
def test_all_who_wait_give_up_together_counted_from_the_holder(
    tmp_path: Path, begun_s_ago: float, waited_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CONC-05: whoever comes late does not wait as long again, but always long enough to see who holds it now."""
    monkeypatch.setattr(lock, "_LOOK_S", 0.0)
    other = Other(tmp_path)
    clock = HastyClock(wall=1_800_000_000.0 + begun_s_ago)
    with pytest.raises(LockTimeout), taken(tmp_path, Waits(), clock):
        pytest.fail("the lock is held")
    assert clock.boottime - 5_000.0 == pytest.approx(waited_s, abs=2)
    other.end()


def test_a_long_wait_takes_one_thread_however_often_it_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_LOOK_S", 0.0)
    other, before = Other(tmp_path), threading.active_count()
    with pytest.raises(LockTimeout), taken(tmp_path, Waits(), HastyClock(wall=1_800_000_000.0)):
        pytest.fail("the lock is held")
    assert threading.active_count() - before == 1
    other.end()


def test_ctrl_c_ends_the_wait_and_leaves_no_lock(tmp_path: Path) -> None:
    other = Other(tmp_path)

    def ctrl_c() -> None:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt), taken(tmp_path, Waits(ctrl_c), StillClock()):
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
    """CONC-09."""
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
    """CONC-09."""
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
