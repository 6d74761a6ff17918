"""The kernel keyring for root and for everybody else, in sessions with and without a link to the user keyring."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions import scope
from kubectl_stepup.sessions.stores import kernel, keyctl
from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore

NOBODY = 65534
PACKAGE_PARENT = Path(kernel.__file__).parents[3]


@pytest.fixture(autouse=True)
def keyring_of_the_kernel() -> None:
    try:
        KernelKeyringStore().probe()
    except StoreUnavailable as error:
        pytest.skip(f"no kernel keyring: {error.message}")


@pytest.fixture
def key() -> str:
    return scope.key(os.urandom(16).hex(), scope.USER_SCOPE)


def run(code: str, key: str, *, uid: int | None = None) -> str:
    """Run code in a new process, as another user where a uid is given, and give what it prints."""
    become = "" if uid is None else f"os.setgroups([]); os.setgid({uid}); os.setuid({uid})"
    # Everything is imported before: another user may not be allowed into the directories above Python and the package.
    prologue = f"""
        import os, sys, time
        sys.path.append({str(PACKAGE_PARENT)!r})
        from kubectl_stepup.errors import StoreUnavailable
        from kubectl_stepup.sessions import scope; from kubectl_stepup.sessions.stores import keyctl
        from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore
        {become}
        store = KernelKeyringStore()
        key = sys.argv[1]
    """
    text = textwrap.dedent(prologue) + textwrap.dedent(code)
    command = [sys.executable, "-I", "-S", "-c", text, key]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd="/")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def timeouts(key: str) -> str:
    """Return the kernel's own words on when a key ends: the fourth column of proc_keys(5)."""
    serial = keyctl.search(keyctl.USER_KEYRING, key)
    assert serial is not None
    lines = Path("/proc/keys").read_text(encoding="ascii").splitlines()
    return next(line.split()[3] for line in lines if int(line.split()[0], 16) == serial)


def test_the_kernel_itself_ends_the_value(key: str) -> None:
    """CACHE-19."""
    store = KernelKeyringStore()
    store.put(key, b"value", time.time() + 50)
    assert timeouts(key) in {"49s", "50s"}
    store.put(key, b"another value", time.time() + 3600)
    assert timeouts(key) in {"59m", "60m", "1h"}
    store.delete(key)


def test_a_value_is_readable_for_this_user_alone(key: str) -> None:
    store = KernelKeyringStore()
    store.put(key, b"value", time.time() + 50)
    serial = keyctl.search(keyctl.USER_KEYRING, key)
    assert serial is not None
    kind, uid, _, permissions, description = keyctl.describe(serial).split(";", 4)
    assert (kind, int(uid), permissions, description) == ("user", os.getuid(), "3f0b0000", key)
    store.delete(key)


def test_nothing_stays_in_the_process_keyring(key: str) -> None:
    store = KernelKeyringStore()
    store.put(key, b"value", time.time() + 50)
    store.delete(key)
    assert keyctl.search(keyctl.PROCESS_KEYRING, key) is None


def test_a_process_with_a_session_keyring_of_its_own_reads_it(key: str) -> None:
    """CACHE-23."""
    store = KernelKeyringStore()
    store.put(key, b"value", time.time() + 50)
    read = "keyctl.join_new_session_keyring(); print(store.get(key), key in store.keys())"
    assert run(read, key) == "b'value' True"
    store.delete(key)


def test_a_value_of_another_login_is_replaced_with_its_own_time(key: str) -> None:
    write = "keyctl.join_new_session_keyring(); store.put(key, b'theirs', time.time() + 500)"
    run(write, key)
    store = KernelKeyringStore()
    store.put(key, b"ours", time.time() + 50)
    assert store.get(key) == b"ours"
    assert timeouts(key) in {"49s", "50s"}
    assert run("keyctl.join_new_session_keyring(); print(store.get(key), store.delete(key))", key) == "b'ours' True"
    assert store.get(key) is None


def test_a_key_that_needs_possession_is_read_through_a_link(key: str) -> None:
    """CACHE-23."""
    serial = keyctl.add_key(key, b"plain", keyctl.PROCESS_KEYRING)
    keyctl.set_timeout(serial, 50)
    keyctl.link(serial, keyctl.USER_KEYRING)
    keyctl.unlink(serial, keyctl.PROCESS_KEYRING)
    assert run("keyctl.join_new_session_keyring(); print(store.get(key))", key) in {"b'plain'", "None"}
    KernelKeyringStore().delete(key)


def test_a_value_beyond_the_kernels_limit_is_refused(key: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"^the kernel keyring failed: Invalid argument$"):
        KernelKeyringStore().put(key, b"x" * 32_768, time.time() + 50)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("ENOSYS", "this system has no kernel keyrings"),
        ("EPERM", "the kernel keyring is not allowed here (a container's seccomp filter?)"),
        ("EDQUOT", "the kernel keyring's quota is used up"),
    ],
)
def test_what_the_kernel_refuses_is_said_in_words(
    number: str, message: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    def refuse(*arguments: object) -> int:
        raise OSError(getattr(errno, number), "refused")

    monkeypatch.setattr(keyctl, "_call", refuse)
    store = KernelKeyringStore()
    attempts = [
        lambda: store.put(key, b"value", time.time() + 50),
        lambda: store.get(key),
        lambda: store.delete(key),
        store.keys,
    ]
    for attempt in attempts:
        with pytest.raises(StoreUnavailable) as caught:
            attempt()
        assert caught.value.message == message


def test_a_machine_without_known_numbers_has_no_keyrings(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyctl, "_NUMBER", None)
    with pytest.raises(StoreUnavailable, match=r"^this system has no kernel keyrings$"):
        KernelKeyringStore().get(key)


def test_what_is_kept_for_a_login_session_alone_ends_with_it(key: str) -> None:
    """CACHE-19: with KUBECTL_STEPUP_KEYRING=session."""
    code = """
        from kubectl_stepup.sessions.stores.kernel import keyring_of
        keyctl.join_new_session_keyring()
        own = KernelKeyringStore(keyring=keyring_of({"KUBECTL_STEPUP_KEYRING": "session"}))
        own.put(key, b"value", time.time() + 50)
        print(own.get(key), own.keys() == [key], store.get(key))
    """
    assert run(code, key) == "b'value' True None"
    assert KernelKeyringStore().get(key) is None


class TestAnotherUser:
    """The same as a user whose quota is 20,000 bytes."""

    @pytest.fixture(autouse=True)
    def root(self) -> None:
        if os.getuid() != 0:
            pytest.skip("needs root, to become another user")

    def test_keeps_and_drops_values(self, key: str) -> None:
        code = """
            keyctl.join_new_session_keyring()
            store.put(key, b"x" * 3000, time.time() + 50)
            print(store.get(key) == b"x" * 3000, store.keys() == [key], store.delete(key), store.get(key))
        """
        assert run(code, key, uid=NOBODY) == "True True True None"

    def test_two_logins_share_what_is_stored(self, key: str) -> None:
        run("store.put(key, b'one', time.time() + 50)", key, uid=NOBODY)
        read = "keyctl.join_new_session_keyring(); print(store.get(key))"
        assert run(read, key, uid=NOBODY) == "b'one'"
        replace = "keyctl.join_new_session_keyring(); store.put(key, b'two', time.time() + 50)"
        run(replace, key, uid=NOBODY)
        assert run("print(store.get(key), store.delete(key))", key, uid=NOBODY) == "b'two' True"

    def test_nobody_else_reads_it(self, key: str) -> None:
        run("store.put(key, b'one', time.time() + 50)", key, uid=NOBODY)
        assert KernelKeyringStore().get(key) is None
        assert run("print(store.get(key))", key, uid=NOBODY - 1) == "None"
        run("store.delete(key)", key, uid=NOBODY)

    def test_a_full_quota_says_so_and_keeps_what_is_there(self, key: str) -> None:
        """CACHE-22."""
        code = """
            keyctl.join_new_session_keyring()
            stored = 0
            try:
                for number in range(30):
                    store.put(f"{key}-{number}", b"x" * 2500, time.time() + 50)
                    stored += 1
            except StoreUnavailable as error:
                print(stored, error.message, len(store.keys()))
            for one in store.keys():
                store.delete(one)
        """
        assert run(code, key, uid=NOBODY - 2) == "7 the kernel keyring's quota is used up 7"

    def test_a_value_that_only_fits_in_the_place_of_the_old_one_replaces_it(self, key: str) -> None:
        code = """
            keyctl.join_new_session_keyring()
            store.put(key, b"x" * 8000, time.time() + 50)
            store.put(key, b"y" * 16000, time.time() + 50)
            print(store.get(key) == b"y" * 16000, store.delete(key))
        """
        assert run(code, key, uid=NOBODY - 3) == "True True"


def test_a_key_that_needs_possession_is_removed_from_another_login_too(key: str) -> None:
    """CACHE-23."""
    serial = keyctl.add_key(key, b"plain", keyctl.PROCESS_KEYRING)
    keyctl.set_timeout(serial, 50)
    keyctl.link(serial, keyctl.USER_KEYRING)
    keyctl.unlink(serial, keyctl.PROCESS_KEYRING)
    assert run("keyctl.join_new_session_keyring(); print(store.delete(key), store.get(key))", key) == "True None"
