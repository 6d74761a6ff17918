"""The Linux kernel keyring as a backend of the `keyring` library, for any program that asks for it by name.

`keyring -b kubectl_stepup.sessions.stores.keyring_backend.KernelKeyring set SERVICE USER`. Values live in memory
until the machine stops, or for `lifetime_s` seconds (KEYRING_PROPERTY_LIFETIME_S); the kernel gives a user
20,000 bytes for all of them.
"""

from __future__ import annotations

import time
from urllib.parse import quote

from keyring.backend import KeyringBackend
from keyring.compat import properties
from keyring.errors import PasswordDeleteError, PasswordSetError

from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore

_CENTURY_S = 100 * 365 * 24 * 3600


class KernelKeyring(KeyringBackend):
    """Passwords in the user keyring (`@u`), under `keyring:<service>:<username>`."""

    lifetime_s: int | str = 0

    @properties.classproperty
    def priority(cls) -> float:
        """Serve where nothing that lasts is there; never before it.

        Raises:
            RuntimeError: there are no kernel keyrings here.
        """
        try:
            KernelKeyringStore().keys()
        except StoreUnavailable as error:
            raise RuntimeError(error.message) from error
        return 0.5

    def get_password(self, service: str, username: str) -> str | None:
        """Return the password, or None."""
        value = KernelKeyringStore().get(_name(service, username))
        return None if value is None else value.decode("utf-8")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a password.

        Raises:
            PasswordSetError: the kernel does not take it.
        """
        lifetime_s = int(self.lifetime_s) or _CENTURY_S
        try:
            KernelKeyringStore().put(_name(service, username), password.encode("utf-8"), time.time() + lifetime_s)
        except StoreUnavailable as error:
            raise PasswordSetError(error.message) from error

    def delete_password(self, service: str, username: str) -> None:
        """Remove a password.

        Raises:
            PasswordDeleteError: there is none.
        """
        if not KernelKeyringStore().delete(_name(service, username)):
            raise PasswordDeleteError("Password not found")


def _name(service: str, username: str) -> str:
    # Quoted, so that no two pairs have one name; ASCII, as keys are.
    return f"keyring:{quote(service, safe='')}:{quote(username, safe='')}"
