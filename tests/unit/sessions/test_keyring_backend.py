"""The kernel keyring as a backend of the keyring library."""

from __future__ import annotations

import os

import pytest
from keyring.errors import PasswordDeleteError, PasswordSetError

from kubectl_stepup.sessions.stores.keyring_backend import KernelKeyring


@pytest.fixture
def backend() -> KernelKeyring:
    if not KernelKeyring.viable:
        pytest.skip("no kernel keyring")
    return KernelKeyring()  # type: ignore[no-untyped-call]


@pytest.fixture
def service() -> str:
    return f"service:{os.urandom(8).hex()}/ä"


def test_passwords_come_back_and_go(backend: KernelKeyring, service: str) -> None:
    assert backend.get_password(service, "alice") is None
    backend.set_password(service, "alice", "pä ss")
    backend.set_password(service, "bob", "other")
    assert backend.get_password(service, "alice") == "pä ss"
    backend.delete_password(service, "alice")
    assert backend.get_password(service, "alice") is None
    assert backend.get_password(service, "bob") == "other"
    backend.delete_password(service, "bob")


def test_no_two_names_run_together(backend: KernelKeyring, service: str) -> None:
    backend.set_password(f"{service}:a", "b", "one")
    assert backend.get_password(service, "a:b") is None
    backend.delete_password(f"{service}:a", "b")


def test_removing_nothing_is_an_error(backend: KernelKeyring, service: str) -> None:
    with pytest.raises(PasswordDeleteError):
        backend.delete_password(service, "alice")


def test_too_large_a_password_is_an_error(backend: KernelKeyring, service: str) -> None:
    with pytest.raises(PasswordSetError):
        backend.set_password(service, "alice", "x" * 40_000)


def test_it_never_goes_before_a_keyring_that_lasts(backend: KernelKeyring) -> None:
    assert KernelKeyring.priority < 1
