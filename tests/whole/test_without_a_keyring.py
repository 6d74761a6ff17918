"""`store: keyring` where no keyring serves: the command runs all the same, and one line says what that costs."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import Lab, opened_lab
from tests.support.warm_start import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTICE = "Not remembering the step-up after this command: "


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path, store="keyring") as opened:
        opened.answer.approve_after_polls = 0
        yield opened


@pytest.fixture
def mute(tmp_path: Path) -> Iterator[str]:
    """Return the address of a bus that accepts and never says a word."""
    path = tmp_path / "mute"
    accepted: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    accepted.append(listener.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"unix:path={path}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in accepted:
        connection.close()


def notices(lab: Lab, *environ: str) -> list[str]:
    """Run a sensitive command, which must succeed, in an environment; give its notices."""
    words = ["exec", "--", "delete", "pod", "web-0", "--ignore-not-found"]
    ran = lab.terminal.run(["env", *environ, *PROGRAM, *words])
    assert ran.code == 0, ran.screen
    assert not lab.exists("web-0")
    assert "This approval is for this command alone." in ran.screen
    assert "Traceback" not in ran.screen
    assert not re.search(r"[a-z](Error|Exception)\b", ran.screen), "a name for programmers"
    return [line for line in ran.screen.splitlines() if line.startswith(NOTICE)]


def test_without_a_bus(lab: Lab) -> None:
    """CACHE-01."""
    (notice,) = notices(lab)
    assert "Secret Service cannot be used: " in notice


def test_with_a_bus_that_is_dead(lab: Lab, tmp_path: Path) -> None:
    """CACHE-06."""
    (notice,) = notices(lab, f"DBUS_SESSION_BUS_ADDRESS=unix:path={tmp_path}/gone")
    assert "Secret Service cannot be used: " in notice


def test_with_a_bus_that_accepts_and_never_answers(lab: Lab, mute: str) -> None:
    """CACHE-06: given up by the D-Bus library after a second; what that does not, is given up after three."""
    (notice,) = notices(lab, f"DBUS_SESSION_BUS_ADDRESS={mute}")
    assert "Secret Service cannot be used: it does not answer" in notice


@pytest.mark.parametrize("backend", ["keyring.backends.null.Keyring", "no.such.Backend", "hostile.Keyring"])
def test_what_the_environment_names_as_a_keyring_is_not_even_looked_at(lab: Lab, tmp_path: Path, backend: str) -> None:
    """CACHE-02, CACHE-03, CACHE-04: in the variable and in keyringrc.cfg, which names a directory with code as well."""
    hostile, ran = tmp_path / "hostile", tmp_path / "ran"
    hostile.mkdir()
    (hostile / "hostile.py").write_text(f"open({str(ran)!r}, 'w').close()\nclass Keyring: pass\n")
    config = tmp_path / "home/.config/python_keyring/keyringrc.cfg"
    config.parent.mkdir(parents=True)
    config.write_text(f"[backend]\ndefault-keyring={backend}\nkeyring-path={hostile}\n[broken\n")

    (notice,) = notices(lab, f"PYTHON_KEYRING_BACKEND={backend}")

    assert "Secret Service cannot be used: " in notice
    assert not ran.exists()
