"""The system's keyring: backends that fail, hang or lie, and environments that point elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions.stores import keyring
from kubectl_stepup.sessions.stores.keyring import OSKeyringStore, open_os_keyring
from tests.contract.backends import HangingBackend, KeychainLikeBackend, SilentBackend, WindowsLikeBackend
from tests.support.clock import StillClock

KEY = "kubectl-stepup:0123456789abcdef0123456789abcdef:user"


class Raising(WindowsLikeBackend):
    """Raise an error that holds what was to be stored."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyError(password)


def store(backend: keyring.Backend, *, deadline_s: float = 3.0) -> OSKeyringStore:
    return OSKeyringStore(backend, title="Fake Keyring", now=StillClock().now, deadline_s=deadline_s)


def test_a_good_backend_passes_the_probe_and_keeps_nothing_of_it() -> None:
    backend = WindowsLikeBackend()
    store(backend).probe()
    assert backend.items == {}


def test_a_backend_that_swallows_everything_is_found_out() -> None:
    """CACHE-02."""
    with pytest.raises(StoreUnavailable, match=r"^Fake Keyring does not keep what is stored in it$"):
        store(SilentBackend()).probe()


def test_a_backend_that_hangs_costs_its_deadline_once() -> None:
    """CACHE-06."""
    hanging = store(HangingBackend(), deadline_s=0.05)
    began = time.monotonic()
    for _ in range(5):
        with pytest.raises(StoreUnavailable, match=r"^Fake Keyring did not answer within 0.05 s$"):
            hanging.get(KEY)
    assert time.monotonic() - began < 2


HANGING_IN_A_LIBRARY = """
import sys
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from kubectl_stepup import __main__
from kubectl_stepup.cli import root
from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions.stores.keyring import in_time

class Endless(SHA256):
    @property
    def name(self):  # called from foreign code
        while True:
            pass

def run(argv):
    try:
        in_time(lambda: Hash(Endless()), title="Fake", deadline_s=0.1)
    except StoreUnavailable as error:
        print(error.message)
        return 7

root.run = run
sys.exit(__main__.main())
"""


def test_a_call_that_hangs_inside_a_library_does_not_abort_the_program_at_its_end() -> None:
    done = subprocess.run([sys.executable, "-c", HANGING_IN_A_LIBRARY], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, "Fake did not answer within 0.1 s\n", "")


def test_any_error_is_one_error_and_tells_no_secret() -> None:
    with pytest.raises(StoreUnavailable, match=r"^Fake Keyring cannot be used: there is no session bus") as caught:
        store(Raising()).put(KEY, b"the secret", StillClock().now() + 60)
    assert "secret" not in str(caught.value.details)


def test_an_item_that_somebody_else_added_meanwhile_is_replaced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """CACHE-11: on a backend that does as macOS Keychain does; the second time it is another store's turn."""
    backend = KeychainLikeBackend(races=1)
    keeper = store(backend)
    keeper.put(KEY, b"ours", StillClock().now() + 60)
    assert keeper.get(KEY) == b"ours"
    backend.races = 2
    with pytest.raises(StoreUnavailable, match=r"^Fake Keyring cannot be used: it reports an error$"):
        keeper.put(KEY, b"ours", StillClock().now() + 60)


def test_another_error_is_not_tried_again() -> None:
    """A locked keyring would show its dialog twice."""

    class Locked(WindowsLikeBackend):
        def set_password(self, service: str, username: str, password: str) -> None:
            self.writes += 1
            raise RuntimeError("Failed to unlock the collection!")

    locked = Locked()
    with pytest.raises(StoreUnavailable):
        store(locked).put(KEY, b"ours", StillClock().now() + 60)
    assert locked.writes == 1


def test_an_item_that_somebody_else_removed_meanwhile_is_removed() -> None:
    class Quicker(WindowsLikeBackend):
        def delete_password(self, service: str, username: str) -> None:
            super().delete_password(service, username)
            raise RuntimeError("No such password!")

    keeper = store(Quicker())
    keeper.put(KEY, b"ours", StillClock().now() + 60)
    assert keeper.delete(KEY) is True
    assert keeper.get(KEY) is None


def test_opening_costs_one_deadline_however_many_backends_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = ("tests.contract.backends", "HangingBackend")
    monkeypatch.setitem(keyring.BACKENDS, "linux", (("One", *hanging), ("Two", *hanging), ("Three", *hanging)))
    with pytest.raises(StoreUnavailable, match=r"^One did not answer within 0.2 s$"):
        open_os_keyring(platform="linux", deadline_s=0.2)


def test_a_killed_probe_leaves_one_of_a_hundred_names() -> None:
    backend = WindowsLikeBackend()
    backend.fail_at = 2
    with pytest.raises(StoreUnavailable):
        store(backend).probe()
    assert list(backend.items) == [(f"kubectl-stepup:probe:{os.getpid() % 100}", "kubectl-stepup")]


def test_storing_clears_away_what_has_expired() -> None:
    backend, clock = WindowsLikeBackend(), StillClock()
    keeper = OSKeyringStore(backend, title="Fake", now=clock.now)
    keeper.put(f"{KEY}-old", b"x" * 5000, clock.now() + 60)
    clock.sleep(61)
    keeper.put(KEY, b"x", clock.now() + 60)
    assert keeper.keys() == [KEY]
    assert not [name for name, _ in backend.items if "-old" in name]


def test_fifty_sessions_fit_though_the_index_outgrows_an_item() -> None:
    keeper = store(WindowsLikeBackend())
    names = sorted(f"kubectl-stepup:{number:032x}:tty-34816-12345-1234567" for number in range(50))
    for name in names:
        keeper.put(name, name.encode(), StillClock().now() + 60)
    assert keeper.keys() == names


def test_a_platform_without_a_keyring_says_so() -> None:
    with pytest.raises(StoreUnavailable, match=r"^there is no keyring on this platform$"):
        open_os_keyring(platform="plan9")


def test_every_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """CACHE-03."""
    backends = (("One", "keyring.backends.no_such_module", "X"), ("Two", "keyring.backends.null", "NoSuchClass"))
    monkeypatch.setitem(keyring.BACKENDS, "linux", backends)
    message = r"^One cannot be used: it is not installed; Two cannot be used: it reports an error$"
    with pytest.raises(StoreUnavailable, match=message):
        open_os_keyring(platform="linux")


def test_a_backend_that_passes_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    backends = (
        ("Null", "keyring.backends.null", "Keyring"),
        ("Fake", "tests.contract.backends", "WindowsLikeBackend"),
    )
    monkeypatch.setitem(keyring.BACKENDS, "linux", backends)
    assert open_os_keyring(platform="linux").title == "Fake"


def test_the_environment_moves_no_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(keyring.BACKENDS, "linux", (("Fake", "tests.contract.backends", "WindowsLikeBackend"),))
    monkeypatch.setenv("KEYRING_PROPERTY_ITEMS", "elsewhere")
    # The backend cannot work without its own `items`; a foreign one would.
    with pytest.raises(StoreUnavailable, match=r"^Fake cannot be used: it reports an error$"):
        open_os_keyring(platform="linux")


@pytest.mark.parametrize("environment", ["keyring.backends.null.Keyring", "hostile.Keyring", "nonsense"])
def test_no_backend_is_taken_from_the_environment(environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """CACHE-02, CACHE-03, CACHE-04."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", environment)
    code = (
        "import sys; from kubectl_stepup.sessions.stores import keyring as os_keyring\n"
        "from kubectl_stepup.errors import StoreUnavailable\n"
        "os_keyring.BACKENDS['linux'] = (('Fake', 'tests.contract.backends', 'WindowsLikeBackend'),)\n"
        "print(os_keyring.open_os_keyring(platform='linux').title)\n"
        "import keyring.core; print(keyring.core._keyring_backend)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["Fake", "None"]
