"""The system's keyring against a real Secret Service: gnome-keyring on a D-Bus session of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = ("dbus-run-session", "gnome-keyring-daemon")
MISSING = [program for program in PROGRAMS if shutil.which(program) is None]

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
    pytest.mark.skipif(sys.platform != "linux", reason="the Secret Service is Linux's"),
]

UNLOCKED = """
printf 'password\\n' | gnome-keyring-daemon --unlock --components=secrets > /dev/null
exec "$@"
"""

KEEP = """
import os, time
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
    assert error.message.startswith("Secret Service "), error.message
    print("refused", time.monotonic() - began < 5)
"""


def run(directory: Path, code: str, prologue: str, **environ: str) -> str:
    """Run code in a D-Bus session whose home and runtime directory are empty."""
    for name in ("home", "runtime"):
        (directory / name).mkdir(mode=0o700, exist_ok=True)
    env = {
        "HOME": str(directory / "home"),
        "XDG_RUNTIME_DIR": str(directory / "runtime"),
        "PATH": os.environ["PATH"],
        **environ,
    }
    command = ["dbus-run-session", "--", "sh", "-c", prologue, "sh", sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_sessions_are_kept(tmp_path: Path) -> None:
    assert run(tmp_path, KEEP, UNLOCKED) == "kept"


def test_the_environment_does_not_name_the_backend(tmp_path: Path) -> None:
    assert run(tmp_path, KEEP, UNLOCKED, PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring") == "kept"


def test_a_bus_without_a_keyring_is_refused_in_time(tmp_path: Path) -> None:
    code = 'exec env DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent "$@"'
    assert run(tmp_path, REFUSED, code) == "refused True"


def test_a_locked_keyring_is_refused_in_time(tmp_path: Path) -> None:
    locked = 'gnome-keyring-daemon --start --components=secrets > /dev/null; exec "$@"'
    run(tmp_path, KEEP, UNLOCKED)
    assert run(tmp_path, REFUSED, locked) == "refused True"
