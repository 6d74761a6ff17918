"""Sessions in the Linux kernel's keyrings: in memory alone, dropped by the kernel when their time is over (fast path).

The keys hang in the user keyring (`@u`), which every process of the user reaches. A key is made in the process
keyring, which a process always possesses, and moved from there: `@u` can only be added to directly where the session
keyring links it, which a login without pam_keyinit does not do.

Spec: keyrings(7), user-keyring(7).
"""

from __future__ import annotations

import errno
import time

from kubectl_stepup import environment
from kubectl_stepup.posix_calls import calls
from kubectl_stepup.sessions.scope import HANDED_OVER, PREFIX
from kubectl_stepup.sessions.scope import key as key_of
from kubectl_stepup.sessions.stores import keyctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubectl_stepup.errors import StoreUnavailable

_PERMISSIONS = 0x3F0B0000
"""The possessor may all; the user may view, read and search, so that a process whose session keyring does not link `@u`
(pam_keyinit's `force revoke`, systemd's KeyringMode=private) reads the key without possessing it."""

_DESCRIPTION_AT = 4
_PROBE_S = 60
_FREED_WITHIN_S = 0.5
_LOOK_S = 0.005


def keyring_of(environ: Mapping[str, str]) -> int:
    """Return the keyring of the sessions: the user's, or where the variable says so this login session's."""
    return keyctl.SESSION_KEYRING if environ.get(environment.KEYRING) == "session" else keyctl.USER_KEYRING


class KernelKeyringStore:
    """A SessionStore in `keyring` (the user keyring). `now` gives seconds since the epoch."""

    name = "kernel"

    def __init__(self, *, now: Callable[[], float] = time.time, keyring: int = keyctl.USER_KEYRING) -> None:
        self._now = now
        self._keyring = keyring

    def __repr__(self) -> str:
        return "KernelKeyringStore()"

    def probe(self) -> None:
        """Write, read back and remove a value.

        Raises:
            StoreUnavailable: the kernel, or a filter in front of it, does not allow that.
        """
        key, value = f"{PREFIX}probe:{calls.getpid()}", calls.urandom(8)
        self.put(key, value, self._now() + _PROBE_S)
        kept = self.get(key)
        self.delete(key)
        if kept != value:
            from kubectl_stepup.errors import StoreUnavailable

            raise StoreUnavailable("the kernel keyring cannot be read from this login", details={"store": self.name})

    def get(self, key: str) -> bytes | None:
        """Return the value, or None when there is none."""
        try:
            return _get(self._keyring, key)
        except OSError as error:
            # A key that can be seen but not read (another session's, without possession) is as good as none.
            if error.errno == errno.EACCES:
                return None
            raise _unavailable(error) from error

    def put(self, key: str, value: bytes, expires_at: float) -> None:
        """Keep `value` until `expires_at`, in whole seconds; the kernel drops it then."""
        lifetime_s = int(expires_at - self._now())
        if lifetime_s < 1:
            self.delete(key)
            return
        try:
            _put(self._keyring, key, value, lifetime_s)
        except OSError as error:
            raise _unavailable(error) from error

    def delete(self, key: str) -> bool:
        """Remove the value; return whether there was one."""
        try:
            return _delete(self._keyring, key)
        except OSError as error:
            raise _unavailable(error) from error

    def keys(self) -> list[str]:
        """Return the keys of all values kept, sorted."""
        try:
            return _keys(self._keyring, PREFIX)
        except OSError as error:
            raise _unavailable(error) from error


def handed_over(session_id: str) -> bytes | None:
    """Return what a wrapper handed to this process tree (handover.py): the nearest such key in the session keyring.

    Raises:
        StoreUnavailable: there are no kernel keyrings.
    """
    try:
        serial = keyctl.search(keyctl.SESSION_KEYRING, key_of(session_id, HANDED_OVER))
        return None if serial is None else keyctl.read(serial)
    except OSError as error:
        if error.errno == errno.EACCES:
            return None
        raise _unavailable(error) from error


def _get(keyring: int, key: str) -> bytes | None:
    serial = keyctl.search(keyring, key)
    if serial is None:
        return None
    try:
        return keyctl.read(serial)
    except OSError as error:
        if error.errno != errno.EACCES or keyring != keyctl.USER_KEYRING:
            raise
    # A key with the kernel's usual permissions needs possession: link the user keyring into the session keyring.
    keyctl.link(keyctl.USER_KEYRING, keyctl.SESSION_KEYRING)
    return keyctl.read(serial)


def _put(keyring: int, key: str, value: bytes, lifetime_s: int) -> None:
    old = keyctl.search(keyring, key)
    try:
        new = keyctl.add_key(key, value, keyctl.PROCESS_KEYRING)
    except OSError as error:
        if error.errno != errno.EDQUOT or old is None:
            raise
        # The old value may be what fills the quota; losing it costs one prompt.
        keyctl.invalidate(old)
        old = None
        new = _add_when_freed(key, value)
    try:
        keyctl.set_permissions(new, _PERMISSIONS)
        keyctl.set_timeout(new, lifetime_s)
        # The old key gives way in the same step, so that no reader finds a gap or a mix.
        keyctl.link(new, keyring)
    finally:
        _forget(new)
    if old is not None:
        # NOTE: never an update of the old key: from another login it clears the time-out, and revoking may be refused.
        _invalidate(old)


def _forget(serial: int) -> None:
    """Take a key out of this process's keyring, which ends with the process anyway."""
    try:
        keyctl.unlink(serial, keyctl.PROCESS_KEYRING)
    except OSError:  # another process has put its own in the place of ours already, and invalidated ours
        return


def _add_when_freed(key: str, value: bytes) -> int:
    """Make a key as soon as the kernel's collector gives the quota of an invalidated one back, some 20 ms later."""
    end = time.monotonic() + _FREED_WITHIN_S
    while True:
        try:
            return keyctl.add_key(key, value, keyctl.PROCESS_KEYRING)
        except OSError as error:
            if error.errno != errno.EDQUOT or time.monotonic() > end:
                raise
        time.sleep(_LOOK_S)


def _delete(keyring: int, key: str) -> bool:
    serial = keyctl.search(keyring, key)
    if serial is None:
        return False
    try:
        keyctl.invalidate(serial)
    except OSError as error:
        if error.errno != errno.EACCES or keyring != keyctl.USER_KEYRING:
            raise
        # As in reading: a key with the kernel's usual permissions needs possession.
        keyctl.link(keyctl.USER_KEYRING, keyctl.SESSION_KEYRING)
        keyctl.invalidate(serial)
    return True


def _invalidate(serial: int) -> None:
    try:
        keyctl.invalidate(serial)
    except OSError as error:
        if error.errno not in keyctl.GONE and error.errno != errno.EACCES:
            raise


def _keys(keyring: int, prefix: str) -> list[str]:
    members = memoryview(keyctl.read(keyring) or b"").cast("i")
    found = set()
    for member in members:
        try:
            fields = keyctl.describe(member).split(";", _DESCRIPTION_AT)
        except OSError:  # gone since, or not ours to see
            continue
        description = fields[_DESCRIPTION_AT]
        if fields[0] == "user" and description.startswith(prefix) and keyctl.search(keyring, description):
            found.add(description)
    return sorted(found)


def _unavailable(error: OSError) -> StoreUnavailable:
    # NOTE: imported where it is raised: the classes of all errors take a tenth of the fast path.
    from kubectl_stepup.errors import StoreUnavailable

    reasons = {
        errno.ENOSYS: "this system has no kernel keyrings",
        errno.EPERM: "the kernel keyring is not allowed here (a container's seccomp filter?)",
        errno.EDQUOT: "the kernel keyring's quota is used up",
    }
    number = error.errno or 0
    reason = reasons.get(number) or f"the kernel keyring failed: {calls.strerror(number)}"
    return StoreUnavailable(reason, details={"store": "kernel", "errno": number})
