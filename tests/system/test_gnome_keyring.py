"""The system's keyring against a real Secret Service: gnome-keyring, unlocked, locked, absent, gone in the middle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.parts.gnome_keyring import Desktop, gnome_keyring, session_bus

pytestmark = pytest.mark.system

KEEP = """
import os, time
from kubectl_stepup.session.guarded import guard_memory
guard_memory()  # as the program does before: nobody can look at who asks the Secret Service
from kubectl_stepup.session.os_keyring import open_os_keyring
store, key, end = open_os_keyring(), "kubectl-stepup:" + "0" * 32 + ":user", time.time() + 60
assert store.title == "Secret Service"
for size in (1, 2400, 70_000):
    value = os.urandom(size)
    store.put(key, value, end)
    assert open_os_keyring().get(key) == value
    assert store.keys() == [key]
assert store.delete(key) and not store.delete(key)
assert store.get(key) is None and store.keys() == []
print("kept")
"""

REFUSED = """
import time
from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.session.os_keyring import open_os_keyring
began = time.monotonic()
try:
    open_os_keyring(deadline_s=1)
except StoreUnavailable as error:
    print(time.monotonic() - began < 5, error.message)
"""

PUT = """
import time
from kubectl_stepup.session.os_keyring import open_os_keyring
open_os_keyring().put("kubectl-stepup:" + "1" * 32 + ":user", b"from before", time.time() + 600)
"""

FAST = """
import os, time
from kubectl_stepup.session import secret_service
from kubectl_stepup.session.os_keyring import open_os_keyring
store, key = open_os_keyring(), "kubectl-stepup:" + "2" * 32 + ":user"
address = os.environ["DBUS_SESSION_BUS_ADDRESS"]
for size in (1, 2400, 200_000):
    value = os.urandom(size)
    store.put(key, value, time.time() + 60)
    assert secret_service.read(address, key) == value
store.delete(key)
print(secret_service.read(address, key))
"""

FAST_GET = """
import os
from kubectl_stepup.session import secret_service
print(secret_service.read(os.environ["DBUS_SESSION_BUS_ADDRESS"], "kubectl-stepup:" + "1" * 32 + ":user"))
"""

GET = """
from kubectl_stepup.session.os_keyring import open_os_keyring
print(open_os_keyring().get("kubectl-stepup:" + "1" * 32 + ":user"))
"""


def refused(cause: str) -> str:
    """Give what is said in time: the Secret Service's own cause, and that of the library's next backend."""
    return f"True Secret Service cannot be used ({cause}); KWallet cannot be used (NameError)"


def run(desktop: Desktop, code: str, **environ: str) -> str:
    """Run code on the desktop, as a program of its user."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**desktop.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_sessions_are_kept(tmp_path: Path) -> None:
    with gnome_keyring(tmp_path) as desktop:
        assert run(desktop, KEEP) == "kept"


def test_the_fast_road_reads_what_the_store_keeps(tmp_path: Path) -> None:
    with gnome_keyring(tmp_path) as desktop:
        assert run(desktop, FAST) == "None"


def test_the_fast_road_leaves_a_locked_keyring_alone(tmp_path: Path) -> None:
    with gnome_keyring(tmp_path) as desktop:
        run(desktop, PUT)
        assert run(desktop, FAST_GET) == "b'from before'"
    with gnome_keyring(tmp_path, unlocked=False) as desktop:
        assert run(desktop, FAST_GET) == "None"


def test_the_environment_does_not_name_the_backend(tmp_path: Path) -> None:
    with gnome_keyring(tmp_path) as desktop:
        assert run(desktop, KEEP, PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring") == "kept"


def test_a_bus_that_is_not_there_is_refused_in_time(tmp_path: Path) -> None:
    with session_bus(tmp_path) as desktop:
        assert run(desktop, REFUSED, DBUS_SESSION_BUS_ADDRESS="unix:path=/nonexistent") == refused("FileNotFoundError")


def test_a_bus_without_a_keyring_is_refused_in_time(tmp_path: Path) -> None:
    with session_bus(tmp_path) as desktop:
        assert run(desktop, REFUSED) == refused("InitError")


def test_a_locked_keyring_is_refused_in_time(tmp_path: Path) -> None:
    with gnome_keyring(tmp_path) as desktop:
        assert run(desktop, KEEP) == "kept"
    with gnome_keyring(tmp_path, unlocked=False) as desktop:
        assert run(desktop, REFUSED) == refused("KeyringLocked")


def test_a_session_outlives_the_keyrings_process(tmp_path: Path) -> None:
    with gnome_keyring(tmp_path) as desktop:
        run(desktop, PUT)
    with gnome_keyring(tmp_path) as desktop:
        assert run(desktop, GET) == "b'from before'"


def test_a_keyring_that_ended_is_refused_in_time(tmp_path: Path) -> None:
    with gnome_keyring(tmp_path) as desktop:
        run(desktop, PUT)
        assert desktop.keyring is not None
        desktop.keyring.stop()
        assert run(desktop, REFUSED) == refused("InitError")
