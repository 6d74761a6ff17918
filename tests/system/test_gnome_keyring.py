"""The system's keyring against a real Secret Service: gnome-keyring, unlocked, locked, absent, gone in the middle."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from jeepney import MessageType, message_bus, new_method_return
from jeepney.io.blocking import open_dbus_connection

from tests.support.lab import Lab, opened_lab
from tests.support.warm_start import PROGRAM
from tests.system.parts.gnome_keyring import Desktop, gnome_keyring, session_bus

pytestmark = pytest.mark.system

KEEP = """
import os, time
from kubectl_stepup.sessions.guarded_memory import guard_memory
guard_memory()  # as the program does before: nobody can look at who asks the Secret Service
from kubectl_stepup.sessions.stores.keyring import open_os_keyring
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
import os, time
from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions.stores.keyring import open_os_keyring
began = time.monotonic()
try:
    open_os_keyring()
except StoreUnavailable as error:
    print(time.monotonic() - began < 5, error.message, flush=True)
    os._exit(0)  # as the program does where a call hangs
"""

PUT = """
import time
from kubectl_stepup.sessions.stores.keyring import open_os_keyring
open_os_keyring().put("kubectl-stepup:" + "1" * 32 + ":user", b"from before", time.time() + 600)
"""

FAST = """
import os, time
from kubectl_stepup.sessions.stores import secret_service
from kubectl_stepup.sessions.stores.keyring import open_os_keyring
secret_service.TIMEOUT_S = 30.0  # a busy machine is not what is tested
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
from kubectl_stepup.sessions.stores import secret_service
secret_service.TIMEOUT_S = 30.0
print(secret_service.read(os.environ["DBUS_SESSION_BUS_ADDRESS"], "kubectl-stepup:" + "1" * 32 + ":user"))
"""

GET = """
from kubectl_stepup.sessions.stores.keyring import open_os_keyring
print(open_os_keyring().get("kubectl-stepup:" + "1" * 32 + ":user"))
"""


def refused(cause: str) -> str:
    """Return what is said in time: the Secret Service's own cause, and that of the library's next backend."""
    other = "the D-Bus library that it needs is not installed"
    return f"True Secret Service cannot be used: {cause}; KWallet cannot be used: {other}"


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


@contextmanager
def dialog_that_nobody_answers(desktop: Desktop) -> Iterator[threading.Event]:
    """Be the desktop's dialog for passwords: it comes up, which sets the event, and nothing more happens.

    Spec: gcr's org.gnome.keyring.internal.Prompter.
    """
    shown, done = threading.Event(), threading.Event()
    with open_dbus_connection(desktop.environ["DBUS_SESSION_BUS_ADDRESS"]) as connection:
        name = message_bus.RequestName("org.gnome.keyring.SystemPrompter")
        assert connection.send_and_get_reply(name, timeout=5).body == (1,)

        def serve() -> None:
            while not done.is_set():
                with suppress(TimeoutError):
                    message = connection.receive(timeout=0.2)
                    if message.header.message_type is MessageType.method_call:
                        connection.send(new_method_return(message))
                        shown.set()

        server = threading.Thread(target=serve)
        server.start()
        try:
            yield shown
        finally:
            done.set()
            server.join()


def test_sessions_are_kept(tmp_path: Path) -> None:
    """CACHE-07: on the unlocked keyring of a desktop."""
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
    """CACHE-02, CACHE-04."""
    with gnome_keyring(tmp_path) as desktop:
        assert run(desktop, KEEP, PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring") == "kept"


def test_a_bus_that_is_not_there_is_refused_in_time(tmp_path: Path) -> None:
    """CACHE-06: a dead socket."""
    with session_bus(tmp_path) as desktop:
        nowhere = f"unix:path={tmp_path}/no-such-bus"
        assert run(desktop, REFUSED, DBUS_SESSION_BUS_ADDRESS=nowhere) == refused("nothing answers at its address")


def test_a_bus_without_a_keyring_is_refused_in_time(tmp_path: Path) -> None:
    """CACHE-01: headless."""
    with session_bus(tmp_path) as desktop:
        assert run(desktop, REFUSED) == refused("its collection cannot be opened")


def test_a_locked_keyring_is_refused_in_time(tmp_path: Path) -> None:
    """CACHE-05: there is nobody to show the dialog, which counts as dismissed."""
    with gnome_keyring(tmp_path) as desktop:
        assert run(desktop, KEEP) == "kept"
    with gnome_keyring(tmp_path, unlocked=False) as desktop:
        assert run(desktop, REFUSED) == refused("it is locked, and was not unlocked")


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
        assert run(desktop, REFUSED) == refused("its collection cannot be opened")


def test_a_dialog_that_nobody_answers_is_given_up_in_time(tmp_path: Path) -> None:
    """CACHE-05: the desktop shows the dialog, and nobody is there; the program goes on after three seconds."""
    with gnome_keyring(tmp_path) as desktop:
        assert run(desktop, KEEP) == "kept"
    with gnome_keyring(tmp_path, unlocked=False) as desktop, dialog_that_nobody_answers(desktop) as shown:
        assert run(desktop, REFUSED) == "True Secret Service did not answer within 3 s"
        assert shown.is_set()


STORE = """
import os, time
from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions.stores.keyring import open_os_keyring
store, key = open_os_keyring(), "kubectl-stepup:" + "2" * 32 + ":user"
store.put(key, b"old" * 20_000, time.time() + 600)
print("writing", flush=True)
try:
    while True:
        store.put(key, b"new" * 20_000, time.time() + 600)
except StoreUnavailable as error:
    print(error.message, flush=True)
    os._exit(0)
"""

READ = """
import time
from kubectl_stepup.sessions.stores.keyring import open_os_keyring
store, key = open_os_keyring(), "kubectl-stepup:" + "2" * 32 + ":user"
found = store.get(key)
print(found in (None, b"old" * 20_000, b"new" * 20_000))
store.put(key, b"newer" * 20_000, time.time() + 600)
print(store.get(key) == b"newer" * 20_000, store.keys() == [key], store.delete(key), store.keys())
"""


@pytest.mark.parametrize("first", [(), (signal.SIGSTOP,)], ids=["while it answers", "before it answers"])
def test_a_keyring_that_is_killed_in_the_middle_of_writing_mixes_nothing(
    tmp_path: Path, first: tuple[int, ...]
) -> None:
    """CACHE-06: killed (SIGKILL) while a session is written, the daemon's successor has the old, the new or none."""
    with gnome_keyring(tmp_path) as desktop:
        assert desktop.keyring is not None
        words = [sys.executable, "-c", STORE]
        with subprocess.Popen(words, env=desktop.environ, stdout=-1, stderr=-1, text=True) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "writing\n"
            for number in (*first, signal.SIGKILL):
                desktop.keyring.signal(number)
            said, err = writer.communicate(timeout=60)
        assert said.startswith("Secret Service "), said + err
        assert writer.returncode == 0, err
    with gnome_keyring(tmp_path) as desktop:
        assert run(desktop, READ).splitlines() == ["True", "True True True []"]


def test_a_keyring_that_hangs_in_the_middle_of_writing_is_given_up_in_time(tmp_path: Path) -> None:
    """CACHE-06."""
    with gnome_keyring(tmp_path) as desktop:
        assert desktop.keyring is not None
        words = [sys.executable, "-c", STORE]
        with subprocess.Popen(words, env=desktop.environ, stdout=-1, stderr=-1, text=True) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "writing\n"
            desktop.keyring.signal(signal.SIGSTOP)
            said, err = writer.communicate(timeout=60)
            desktop.keyring.signal(signal.SIGCONT)
        assert said == "Secret Service did not answer within 3 s\n", said + err


def run_elevated(lab: Lab, desktop: Desktop) -> str:
    """Run a sensitive command on the desktop, which must succeed, and give the screen."""
    address = f"DBUS_SESSION_BUS_ADDRESS={desktop.environ['DBUS_SESSION_BUS_ADDRESS']}"
    words = ["exec", "--", "delete", "pod", "web-0", "--ignore-not-found"]
    ran = lab.terminal.run(["env", address, *PROGRAM, *words])
    assert ran.code == 0, ran.screen
    return ran.screen


def test_the_whole_program_on_a_keyring_that_works_is_locked_and_works_again(tmp_path: Path) -> None:
    """CACHE-05, CACHE-19: locked by a logout, with a dialog that nobody answers, the command runs, with one notice."""
    with opened_lab(tmp_path, store="keyring") as lab:
        desktop_of_alice = tmp_path / "desktop"
        desktop_of_alice.mkdir()
        with gnome_keyring(desktop_of_alice) as desktop:
            assert "Compare code" in run_elevated(lab, desktop)
            assert "Using mfa in prod, approved" in run_elevated(lab, desktop)
        with gnome_keyring(desktop_of_alice, unlocked=False) as desktop, dialog_that_nobody_answers(desktop) as shown:
            screen = run_elevated(lab, desktop)
            assert shown.is_set()
            notice = "Not remembering the step-up after this command: Secret Service did not answer within 3 s"
            assert [line for line in screen.splitlines() if "remembering" in line] == [notice]
            assert "This approval is for this command alone." in screen
        with gnome_keyring(desktop_of_alice) as desktop:
            assert "Using mfa in prod, approved" in run_elevated(lab, desktop)
