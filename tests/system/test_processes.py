"""How servers are started, known and ended; no part is needed for that, so this runs with the ordinary tests."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.system.parts import cache, processes
from tests.system.parts.processes import LAB, NotReady, Server, running, start, stop_orphans, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the test bed knows its servers by /proc")

ENVIRON = {"PATH": os.environ["PATH"]}
SLEEP = ["sleep", "600"]


@pytest.fixture(autouse=True)
def own_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "records", lambda: _directory(tmp_path / "records"))


def _directory(path: Path) -> Path:
    path.mkdir(exist_ok=True)
    return path


def test_a_server_is_itself_and_ends_with_its_block(tmp_path: Path) -> None:
    with running("sleeper", SLEEP, directory=tmp_path, environ=ENVIRON) as server:
        wait_until(lambda: _command(server.pid) == SLEEP, "the server", within_s=10)
        assert server.running
        assert int(server.record.read_text()) == server.pid
    assert not server.running
    assert list((tmp_path / "records").iterdir()) == []


def test_a_server_of_the_lab_stays_when_its_block_is_thrown_away(tmp_path: Path) -> None:
    stack = ExitStack()
    server = stack.enter_context(running("lab", SLEEP, directory=tmp_path, environ=ENVIRON, owner=LAB))
    stack.pop_all()
    del stack
    gc.collect()

    assert server.running
    server.stop()


def test_a_server_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    stubborn = ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done"]
    server = start("stubborn", stubborn, directory=tmp_path, environ=ENVIRON)
    wait_until(lambda: server.log.read_text() == "up\n", "the trap", within_s=10)
    server.stop(grace_s=0.3)

    assert not server.running


def test_waiting_tells_the_log_of_a_server_that_ended(tmp_path: Path) -> None:
    server = start("broken", ["sh", "-c", "echo no such luck; exit 3"], directory=tmp_path, environ=ENVIRON)

    with pytest.raises(NotReady, match="broken ended while waiting for luck: no such luck"):
        wait_until(lambda: False, "luck", within_s=10, server=server)
    server.stop()


def test_input_reaches_the_server(tmp_path: Path) -> None:
    server = start("reader", ["cat"], directory=tmp_path, environ=ENVIRON, stdin=b"password")
    wait_until(lambda: server.log.read_text() == "password", "the echo", within_s=10)
    server.stop()


def test_what_a_killed_run_left_is_ended_and_nothing_else(tmp_path: Path, end: Callable[[Server], None]) -> None:
    living = start("living", SLEEP, directory=tmp_path, environ=ENVIRON)
    first, second = (start(name, SLEEP, directory=tmp_path, environ=ENVIRON, owner=LAB) for name in ("b", "a"))
    for server in (living, first, second):
        end(server)
    orphan = _left_by_a_killed_run(tmp_path)
    assert orphan.running

    assert stop_orphans(lab=False) == ["orphan"]
    assert (orphan.running, living.running, first.running) == (False, True, True)
    # The last started is ended first.
    assert stop_orphans(lab=True) == ["a", "b"]
    assert (living.running, first.running, second.running) == (True, False, False)
    assert stop_orphans(lab=True) == []


def test_no_other_process_is_a_server_whose_record_we_have(tmp_path: Path, end: Callable[[Server], None]) -> None:
    server = start("sleeper", SLEEP, directory=tmp_path, environ=ENVIRON)
    end(server)

    assert [replace(server, pid=pid).running for pid in (0, 1, os.getpid(), server.pid)] == [False, False, False, True]


def test_a_server_that_had_no_time_to_write_its_id_down_is_found(tmp_path: Path, end: Callable[[Server], None]) -> None:
    server = start("early", SLEEP, directory=tmp_path, environ=ENVIRON, owner=LAB)
    end(server)
    wait_until(lambda: _command(server.pid) == SLEEP, "the server", within_s=10)
    server.record.unlink()

    assert stop_orphans(lab=True) == ["early"]
    assert not server.running


def test_another_process_with_an_old_id_is_left_alone(tmp_path: Path, end: Callable[[Server], None]) -> None:
    other = start("other", SLEEP, directory=tmp_path, environ=ENVIRON)
    end(other)
    stale = tmp_path / "records/stale-0123"
    stale.write_text(f"{other.pid}\n")
    stale.with_suffix(".json").write_text('{"name": "stale", "owner": "lab"}')

    assert stop_orphans(lab=True) == []
    assert other.running
    assert not stale.exists()


@pytest.fixture
def end() -> object:
    started: list[Server] = []
    yield started.append
    for server in started:
        server.stop()


def _left_by_a_killed_run(directory: Path) -> Server:
    """Let another process start a server and kill that process, so that it cannot clean up."""
    code = f"""
import os, signal
from pathlib import Path
from tests.system.parts import processes
processes.records = lambda: Path({str(directory / "records")!r})
server = processes.start("orphan", {SLEEP!r}, directory=Path({str(directory)!r}), environ={ENVIRON!r})
print(server.pid, server.record, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    pid, record = done.stdout.split()
    return Server(name="orphan", pid=int(pid), log=Path(os.devnull), record=Path(record))


def _command(pid: int) -> list[str]:
    return [word.decode() for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") if word]


def test_the_cache_is_where_the_environment_says() -> None:
    assert cache.cache_directory({"KUBECTL_STEPUP_SYSTEM_CACHE": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a")
    assert cache.cache_directory({"KUBECTL_STEPUP_SYSTEM_CACHE": "a"}) == Path.cwd() / "a"
    assert cache.cache_directory({"XDG_CACHE_HOME": "/b", "HOME": "/c"}) == Path("/b/kubectl-stepup-system")
    assert cache.cache_directory({"XDG_CACHE_HOME": "b", "HOME": "/c"}) == Path("/c/.cache/kubectl-stepup-system")
    assert cache.cache_directory({"HOME": "/c"}) == Path("/c/.cache/kubectl-stepup-system")


def test_a_thing_is_made_once_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "cache_directory", lambda: tmp_path / "cache")
    attempts: list[str] = []

    def make(directory: Path) -> None:
        attempts.append(directory.name)
        (directory / "half").touch()
        if len(attempts) == 1:
            raise cache.Missing("thing", "try again")
        (directory / "thing").write_text("whole")

    with pytest.raises(cache.Missing, match="thing is missing: try again"):
        cache.made("thing-1", make)
    assert not (tmp_path / "cache/thing-1").exists()
    assert (cache.made("thing-1", make) / "thing").read_text() == "whole"
    cache.made("thing-1", make)
    assert attempts == ["thing-1.new"] * 2


def test_a_failed_command_is_a_missing_part_with_its_words() -> None:
    with pytest.raises(cache.Missing, match=r"tea is missing: `sh -c .*` failed: no kettle"):
        cache.run("tea", ["sh", "-c", "echo no kettle >&2; exit 1"])
