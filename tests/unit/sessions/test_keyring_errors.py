"""What keyring libraries raise is said in plain words."""

from __future__ import annotations

import pytest
from keyring.errors import InitError, KeyringLocked, NoKeyringError
from secretstorage.exceptions import LockedException, SecretServiceNotAvailableException

from kubectl_stepup.sessions.stores.keyring_errors import reason_of


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SecretServiceNotAvailableException("x"), "no such service answers in this login session"),
        (LockedException("x"), "it is locked, and was not unlocked"),
        (KeyringLocked("x"), "it is locked, and was not unlocked"),
        (InitError("x"), "its collection cannot be opened"),
        (NoKeyringError("x"), "it is not installed"),
        (ModuleNotFoundError("x"), "it is not installed"),
        (NameError("name 'dbus' is not defined"), "the D-Bus library that it needs is not installed"),
        (FileNotFoundError(2, "x"), "nothing answers at its address"),
        (ConnectionRefusedError(111, "x"), "nothing answers at its address"),
        (TimeoutError("x"), "it does not answer"),
        (KeyError("DBUS_SESSION_BUS_ADDRESS"), "there is no session bus"),
        (RuntimeError("x"), "it reports an error"),
    ],
)
def test_reasons(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason


def test_what_the_error_says_itself_may_be_a_secret_and_is_not_said() -> None:
    assert "t0ken" not in reason_of(ValueError("t0ken"))
