"""Terminal scopes and clocks, as /proc gives them."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time

import pytest

from kubectl_stepup.sessions import scope

ID = "0123456789abcdef0123456789abcdef"
PRINT = "from kubectl_stepup.sessions.scope import terminal_scope; print(terminal_scope())"

linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


def scope_in(**options: object) -> str:
    """Return the scope of a new Python process."""
    run = subprocess.run([sys.executable, "-c", PRINT], capture_output=True, text=True, check=True, **options)  # type: ignore[call-overload]
    return str(run.stdout.strip())


def scopes_on_a_new_terminal(times: int) -> list[str]:
    """Return the scopes of processes started in turn by a shell that leads a session on a new terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        command = f'"{sys.executable}" -c "{PRINT}"'
        os.execv("/bin/sh", ["sh", "-c", "; ".join([command] * times) + "; true"])
    output = b""
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # EIO: the session has ended
            break
        if not chunk:
            break
        output += chunk
    os.close(terminal)
    os.waitpid(pid, 0)
    return output.decode().split()


def test_keys_name_program_session_and_scope() -> None:
    assert scope.key(ID, scope.USER_SCOPE) == f"kubectl-stepup:{ID}:user"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (f"kubectl-stepup:{ID}:user", ID),
        (f"kubectl-stepup:{ID}:tty-34816-10-20", ID),
        (f"other:{ID}:user", None),
        (f"kubectl-stepup:{ID}", None),
        (f"kubectl-stepup:{ID}:user:more", None),
        ("kubectl-stepup:index", None),
        (f"kubectl-stepup:{ID.upper()}:user", None),
        ("kubectl-stepup:../../x:user", None),
        ("", None),
    ],
)
def test_a_key_tells_its_session(key: str, expected: str | None) -> None:
    assert scope.session_id_of(key) == expected


def test_a_child_has_its_parents_scope() -> None:
    assert scope_in() == scope.terminal_scope()


def test_another_session_is_another_scope() -> None:
    assert scope_in(start_new_session=True) != scope.terminal_scope()


@linux
def test_without_a_terminal_the_leader_and_its_start_count() -> None:
    kind, leader, started = scope_in(start_new_session=True).split("-")
    assert kind == "sid"
    assert int(leader) > 1
    assert int(started) > 0


@linux
def test_two_commands_on_a_terminal_share_and_two_terminals_do_not() -> None:
    """CACHE-17."""
    first, second = scopes_on_a_new_terminal(2), scopes_on_a_new_terminal(1)
    assert first[0] == first[1]
    assert first[0].startswith("tty-")
    assert first[0] != second[0]


@linux
def test_a_name_with_brackets_and_spaces_moves_no_field() -> None:
    rename = "from pathlib import Path; Path('/proc/self/comm').write_text(') R 1 2 3'); "
    run = subprocess.run([sys.executable, "-c", rename + PRINT], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == scope.terminal_scope()


def test_the_moment_is_now_and_does_not_go_back() -> None:
    first, second = scope.moment(), scope.moment()
    assert abs(first.wall - time.time()) < 5
    assert first.boottime <= second.boottime
    assert first.boot_id == second.boot_id


@linux
def test_the_boot_has_an_id() -> None:
    assert len(scope.moment().boot_id) == 36


@linux
def test_this_process_started_before_now_by_the_same_clock() -> None:
    started = scope.process_started_boottime()
    assert 0 < started <= scope.moment().boottime


@linux
@pytest.mark.parametrize("terminal", ["34816", "0"])
def test_a_leaders_pid_that_is_used_again_is_another_scope(monkeypatch: pytest.MonkeyPatch, terminal: str) -> None:
    """CACHE-18."""

    def scope_with(leader_started: str) -> str:
        own = ["R", "1", "2", "100", terminal, *["0"] * 14, "9000"]
        leader = ["S", "1", "100", "100", terminal, *["0"] * 14, leader_started]
        monkeypatch.setattr(scope, "_stat", lambda process: own if process == "self" else leader)
        return scope.terminal_scope()

    assert scope_with("5000") == scope_with("5000")
    assert scope_with("5000") != scope_with("5001")
    assert "100" in scope_with("5000").split("-")
