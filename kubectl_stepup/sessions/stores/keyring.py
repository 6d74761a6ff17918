"""Sessions in the operating system's keyring, by the `keyring` library.

The backend is one of a short list and is constructed by name. `keyring.get_keyring()`, PYTHON_KEYRING_BACKEND and
keyringrc.cfg are never consulted: they can name a backend that keeps nothing, or any code at all.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from kubectl_stepup import environment
from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions.peer import is_ours
from kubectl_stepup.sessions.scope import PREFIX
from kubectl_stepup.sessions.stores.dbus import ForeignBus, reason_not_ours
from kubectl_stepup.sessions.stores.item_values import USERNAME, ItemValues
from kubectl_stepup.sessions.stores.keyring_errors import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Backend(Protocol):
        """What is used of a backend of the `keyring` library."""

        def get_password(self, service: str, username: str) -> str | None:
            """Return an item."""

        def set_password(self, service: str, username: str, password: str) -> None:
            """Set an item."""

        def delete_password(self, service: str, username: str) -> None:
            """Remove an item."""


Answer = TypeVar("Answer")

BACKENDS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "linux": (
        ("Secret Service", "keyring.backends.SecretService", "Keyring"),
        ("KWallet", "keyring.backends.kwallet", "DBusKeyring"),
    ),
    "darwin": (("macOS Keychain", "keyring.backends.macOS", "Keyring"),),
    "win32": (("Windows Credential Manager", "keyring.backends.Windows", "WinVaultKeyring"),),
}
"""(what people call it, module, class) by `sys.platform`; the first that works is used, and nothing else is loaded."""

_ON_A_BUS = frozenset({"keyring.backends.SecretService", "keyring.backends.kwallet"})

INDEX = f"{PREFIX}index"
WINDOWS_CHARACTERS = 1200
"""Windows Credential Manager takes 2,560 bytes of UTF-16: 1,280 characters."""
ELSEWHERE_CHARACTERS = 60_000

_NEVER = 1 << 40
"""The index outlives what it names: expired sessions are found by it and cleared away."""

DEADLINE_S = 3.0
"""For opening, over all backends, and for each call afterwards: an unlock dialog that nobody answers, or a D-Bus peer
that never speaks, must not hold kubectl up."""

_PROBES = 100
"""So many names of items to probe with, by pid: processes that start together do not meet in one, and a killed one
leaves no more than these behind."""

_THREAD = "keyring"

_DUPLICATE = "-25299"
"""errSecDuplicateItem: macOS replaces an item by removing it and adding another, and so may somebody else meanwhile."""


class _Items:
    """The items of a backend, each call within the deadline and with one kind of error."""

    def __init__(self, backend: Backend, *, title: str, deadline_s: float) -> None:
        self._backend = backend
        self._title = title
        self._deadline_s = deadline_s
        self._broken: StoreUnavailable | None = None

    def get(self, name: str) -> str | None:
        return self._call(lambda: self._backend.get_password(name, USERNAME))

    def set(self, name: str, text: str) -> None:
        def set_item() -> None:
            try:
                self._backend.set_password(name, USERNAME, text)
            # Of the many types and wordings of backends only the number tells; any other error goes on its way.
            except Exception as error:
                if _DUPLICATE not in str(error):
                    raise
                self._backend.set_password(name, USERNAME, text)

        self._call(set_item)

    def delete(self, name: str) -> None:
        def delete() -> None:
            # Backends disagree on what removing nothing is, and another process may remove it first.
            if self._backend.get_password(name, USERNAME) is None:
                return
            try:
                self._backend.delete_password(name, USERNAME)
            except Exception:
                if self._backend.get_password(name, USERNAME) is not None:
                    raise

        self._call(delete)

    def _call(self, call: Callable[[], Answer]) -> Answer:
        # A backend that hung once hangs again; every further call would cost its whole deadline.
        if self._broken is not None:
            raise self._broken
        try:
            return in_time(call, title=self._title, deadline_s=self._deadline_s)
        except StoreUnavailable as error:
            self._broken = error
            raise


class OSKeyringStore:
    """A SessionStore in a backend of the `keyring` library. `now` gives seconds since the epoch.

    NOTE: the index of keys is read, changed and written: two processes that store different sessions in the same
    instant can lose one entry of it. That session is still found by its key; `keys` then leaves it out until it
    expires.
    """

    name = "keyring"

    def __init__(
        self,
        backend: Backend,
        *,
        title: str,
        now: Callable[[], float] = time.time,
        deadline_s: float = DEADLINE_S,
        item_characters: int = WINDOWS_CHARACTERS,
    ) -> None:
        self.title = title
        self._items = _Items(backend, title=title, deadline_s=deadline_s)
        self._values = ItemValues(self._items, item_characters=item_characters, now=now)
        self._now = now

    def __repr__(self) -> str:
        return f"OSKeyringStore({self.title!r})"

    def probe(self) -> None:
        """Write, read back and remove an item: a backend that swallows what it is given shows here.

        Raises:
            StoreUnavailable: it does not keep items, or does not answer in time.
        """
        name, text = f"{PREFIX}probe:{os.getpid() % _PROBES}", os.urandom(8).hex()
        self._items.set(name, text)
        kept = self._items.get(name)
        self._items.delete(name)
        if kept != text:
            raise StoreUnavailable(f"{self.title} does not keep what is stored in it", details={"store": self.name})

    def get(self, key: str) -> bytes | None:
        """Return the value, or None when there is none."""
        return self._values.read(key)

    def put(self, key: str, value: bytes, expires_at: float) -> None:
        """Keep `value` until `expires_at`, in whole seconds; what has expired elsewhere is cleared away."""
        index = self._index()
        for old in [name for name, end in index.items() if end <= self._now()]:
            self._values.remove(old)
            del index[old]
        if int(expires_at) > self._now():
            index[key] = int(expires_at)
            # First, so that what a crash leaves of the value is found by it later.
            self._write_index(index)
            self._values.write(key, value, int(expires_at))
        else:
            self._values.remove(key)
            index.pop(key, None)
            self._write_index(index)

    def delete(self, key: str) -> bool:
        """Remove the value; return whether there was one."""
        present = self._values.read(key) is not None
        self._values.remove(key)
        index = self._index()
        if index.pop(key, None) is not None:
            self._write_index(index)
        return present

    def keys(self) -> list[str]:
        """Return the keys of all values kept, sorted."""
        return sorted(key for key in self._index() if self._values.read(key) is not None)

    def _index(self) -> dict[str, int]:
        text = (self._values.read(INDEX) or b"").decode("ascii", "replace")
        pairs = [line.rpartition(" ") for line in text.splitlines()]
        return {key: int(end) for key, _, end in pairs if key and end.isdigit()}

    def _write_index(self, index: dict[str, int]) -> None:
        if index:
            text = "".join(f"{key} {end}\n" for key, end in sorted(index.items()))
            self._values.write(INDEX, text.encode("ascii"), _NEVER)
        else:
            self._values.remove(INDEX)


def open_os_keyring(
    *, platform: str = sys.platform, now: Callable[[], float] = time.time, deadline_s: float = DEADLINE_S
) -> OSKeyringStore:
    """Return a store in the first keyring of the platform that keeps what is put into it.

    Raises:
        StoreUnavailable: none does; the message says why of each.
    """
    reasons: list[str] = []
    size = WINDOWS_CHARACTERS if platform == "win32" else ELSEWHERE_CHARACTERS
    end = time.monotonic() + deadline_s

    def opened(title: str, module: str, name: str) -> OSKeyringStore:
        addresses = os.environ.get(environment.DBUS_SESSION_BUS_ADDRESS, "") if module in _ON_A_BUS else ""
        reason = reason_not_ours(addresses, timeout_s=deadline_s)
        if reason is not None:
            raise StoreUnavailable(f"{title} cannot be used: {reason}", details={"store": OSKeyringStore.name})
        backend = _backend(module, name)
        store = OSKeyringStore(backend, title=title, now=now, deadline_s=deadline_s, item_characters=size)
        store.probe()
        return store

    for title, module, name in BACKENDS.get(platform, ()):
        left_s = end - time.monotonic()
        if left_s <= 0:
            break
        try:
            return in_time(partial(opened, title, module, name), title=title, deadline_s=left_s)
        except StoreUnavailable as error:
            reasons.append(error.message)
    raise StoreUnavailable("; ".join(reasons) or "there is no keyring on this platform", details={"store": "keyring"})


def _backend(module: str, name: str) -> Backend:
    backend = getattr(importlib.import_module(module), name)()
    # The library sets attributes from the environment; where items go is not for that to say.
    for variable in os.environ:
        if variable.startswith("KEYRING_PROPERTY_"):
            vars(backend).pop(variable.removeprefix("KEYRING_PROPERTY_").lower(), None)
    if module == "keyring.backends.SecretService":
        # The connection that is used is checked too: by then the bus may be another one.
        backend.get_preferred_collection = partial(_of_own_bus, backend.get_preferred_collection)
    return cast("Backend", backend)


def _of_own_bus(collection_of: Callable[[], Any]) -> Any:
    collection = collection_of()
    if not is_ours(collection.connection.sock):
        collection.connection.close()
        raise ForeignBus("the session bus belongs to another user")
    return collection


def is_anything_hanging() -> bool:
    """Whether a call that took too long is still going on."""
    return any(thread.name == _THREAD for thread in threading.enumerate())


def in_time(call: Callable[[], Answer], *, title: str, deadline_s: float) -> Answer:
    """Run `call` in a thread of its own and give its answer; leave it behind when it takes too long.

    Raises:
        StoreUnavailable: it took longer than `deadline_s`, or raised anything.
    """
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(call())
        # Whatever a backend raises (pywintypes.error, errors of dbus and jeepney, KeyError) says: not this store.
        except BaseException as error:  # noqa: BLE001 - see above; an error of Rust is no Exception
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True, name=_THREAD)
    thread.start()
    thread.join(deadline_s)
    if answers:
        return answers[0]
    details = {"store": "keyring"}
    if errors:
        if isinstance(errors[0], StoreUnavailable):
            raise errors[0]
        # NOTE: words of ours, not the error's: a backend's text is foreign and may hold what was to be stored.
        reason = reason_of(errors[0])
        raise StoreUnavailable(f"{title} cannot be used: {reason}", details=details) from errors[0]
    raise StoreUnavailable(f"{title} did not answer within {round(deadline_s, 2):g} s", details=details)
