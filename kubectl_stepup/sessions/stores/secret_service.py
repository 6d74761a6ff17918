"""Read a session from the Secret Service (fast path): what `os_keyring` stored there by the `keyring` library.

Only what lies open is read. A locked keyring, one that asks, one of another kind: the ordinary path deals with it.

Spec: Secret Service API 0.2 (a "plain" session: the bus is this user's own), the attributes of `keyring`'s backend.
"""

from __future__ import annotations

import time

from kubectl_stepup.sessions.stores.dbus import Body, Connection
from kubectl_stepup.sessions.stores.item_values import USERNAME, ItemValues

TIMEOUT_S = 1.0
"""For each answer. The ordinary path, which follows, waits longer."""

_NAME = "org.freedesktop.secrets"
_SERVICE, _DEFAULT = "/org/freedesktop/secrets", "/org/freedesktop/secrets/aliases/default"
_INTERFACE = "org.freedesktop.Secret"


class SecretServiceItems:
    """The open items of the default collection, as `ItemValues` reads them.

    Raises OSError in every method where there is no such service, or it does not answer as hoped.
    """

    def __init__(self, address: str) -> None:
        self._bus = Connection(address, timeout_s=TIMEOUT_S)
        body = Body().text("plain").signature("s").text("")
        self._opened = self._bus.call(_NAME, _SERVICE, f"{_INTERFACE}.Service", "OpenSession", "sv", body)
        self._session: str | None = None

    def close(self) -> None:
        """End the connection, and with it the service's session."""
        self._bus.close()

    def get(self, name: str) -> str | None:
        """Return the text of the first item of this name."""
        attributes = Body().dictionary({"service": name, "username": USERNAME})
        found = self._bus.call(_NAME, _DEFAULT, f"{_INTERFACE}.Collection", "SearchItems", "a{ss}", attributes)
        if self._session is None:
            self._session = self._opened_session()
        items = self._bus.reply(found).texts()
        if not items:
            return None
        body = Body().text(self._session)
        secret = self._bus.reply(self._bus.call(_NAME, items[0], f"{_INTERFACE}.Item", "GetSecret", "o", body))
        # (session, parameters, value, content type)
        secret.text()
        secret.array()
        return secret.array().decode("utf-8", "replace")

    def _opened_session(self) -> str:
        reply = self._bus.reply(self._opened)
        reply.signature()  # of the variant with a text in it, which is empty for a plain session
        reply.text()
        return reply.text()

    def set(self, name: str, text: str) -> None:
        """Change nothing: `ItemValues` calls this to write alone."""
        raise NotImplementedError

    def delete(self, name: str) -> None:
        """Change nothing: what is over or damaged is cleared away by the ordinary path."""


def read(address: str, key: str) -> bytes | None:
    """Return the value stored under a key; None when there is none, it is over, or the service is not to be had."""
    try:
        items = SecretServiceItems(address)
    except OSError:
        return None
    try:
        return ItemValues(items, item_characters=0, now=time.time).read(key)
    except (OSError, UnicodeDecodeError):
        return None
    finally:
        items.close()
