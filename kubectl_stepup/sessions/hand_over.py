"""Hand a session to one process tree without storing it: the kernel's session keyring on Linux, a socket elsewhere.

For levels with `askAgainAfter: 0s`, `--once` and the memory store. `0s` means one process tree, not one read: kubectl
asks its plugin more than once.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack, contextmanager

from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions import hand_over_socket
from kubectl_stepup.sessions.release_credential import HANDOVER
from kubectl_stepup.sessions.scope import HANDED_OVER, PREFIX, key
from kubectl_stepup.sessions.stores import keyctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kubectl_stepup.sessions.session import ElevationSession

_POSSESSOR_ALONE = 0x3F000000
"""Who holds the session keyring may all; other processes of the user do not even see the key."""

_PROBE, _PROBE_BYTES = f"{PREFIX}probe", 4 << 10
"""A key to try with; a session takes about so much."""

_LONGEST_PATH = 103
"""Of a socket: `sun_path` has 104 bytes on macOS and 108 on Linux, the closing zero included."""

_TEMPORARY = "kubectl-stepup-"


class HandOver:
    """A way to hand a session over that was tried: it can be given one (`give`).

    Linux: the kernel takes keys of this size from us. Giving joins an anonymous session keyring; start the child from
    the same thread. The old session keyring is linked below the new one, so that everything in it (Kerberos tickets,
    the user keyring of the sessions' own store) is found as before, by this process and by its children. There is no
    way back, and none is needed: the new keyring ends with the last process that has it.
    """

    def __init__(self, stack: ExitStack, *, directory: Path, kernel: bool, now: Callable[[], float]) -> None:
        self._stack = stack
        self._directory = directory
        self._now = now
        self._offer = None if kernel and _kernel_takes_keys() else self._offered()

    def give(self, session: ElevationSession) -> tuple[str, ...]:
        """Hand `session` over to the processes that this thread starts from now on, and to their descendants.

        Return the arguments to add to the exec entry's `credential --session ID`, none with the kernel keyring.

        Raises:
            StoreUnavailable: neither way works.
        """
        value = session.for_process_tree().to_record()
        if self._offer is None:
            try:
                serial = _put_into_new_keyring(value, session.id, int(session.token_expires_at - self._now()))
            except OSError:
                self._offer = self._offered()
            else:
                self._stack.callback(_end, serial)
                return ()
        self._offer.value = value
        return (HANDOVER, self._offer.path)

    def _offered(self) -> hand_over_socket.Offer:
        offer = hand_over_socket.Offer(b"", _socket_path(self._directory, self._stack))
        self._stack.enter_context(offer)
        return offer


@contextmanager
def prepared(*, directory: Path, kernel: bool = True, now: Callable[[], float] = time.time) -> Iterator[HandOver]:
    """Prepare to hand a session to the processes that the body starts, and their descendants; nobody else can read it.

    When the body ends the session is gone for everybody, also for a process that was left behind. `directory` (of this
    user alone) takes the socket where the kernel's keyring cannot serve; `kernel=False` takes the socket at once.

    Raises:
        StoreUnavailable: neither way works.
    """
    with ExitStack() as stack:
        yield HandOver(stack, directory=directory, kernel=kernel, now=now)


def _kernel_takes_keys() -> bool:
    """Whether the kernel keeps a key as large as a session may be: containers and quotas forbid it."""
    try:
        probe = keyctl.add_key(_PROBE, bytes(_PROBE_BYTES), keyctl.PROCESS_KEYRING)
        keyctl.invalidate(probe)
    except OSError:
        return False
    return True


def _socket_path(directory: Path, stack: ExitStack) -> str:
    """Return a path for a socket that is as short as the system wants it, in a directory of this user alone."""
    import tempfile  # only where it is needed: it imports much

    name = f"{os.getpid()}.{os.urandom(4).hex()}.sock"
    path = os.path.join(directory, name)
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        return path
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - in a new directory of mode 0700
        if len(os.fsencode(parent)) + len(_TEMPORARY) + len(name) + 10 > _LONGEST_PATH:
            continue
        try:
            short = stack.enter_context(tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=parent))
        except OSError:
            continue
        return os.path.join(short, name)
    raise StoreUnavailable(
        f"the path of the hand-over socket is too long: {path}",
        hint="export XDG_RUNTIME_DIR=DIRECTORY   (mode 0700, a short path)",
    )


def _put_into_new_keyring(value: bytes, session_id: str, lifetime_s: int) -> int:
    if lifetime_s < 1:
        raise StoreUnavailable("the token to hand over has expired")
    old = _kept_reachable()
    keyctl.join_new_session_keyring()
    if old is not None:
        keyctl.link(old, keyctl.SESSION_KEYRING)
        keyctl.unlink(old, keyctl.PROCESS_KEYRING)
    serial = keyctl.add_key(key(session_id, HANDED_OVER), value, keyctl.SESSION_KEYRING)
    keyctl.set_timeout(serial, lifetime_s)
    keyctl.set_permissions(serial, _POSSESSOR_ALONE)
    return serial


def _kept_reachable() -> int | None:
    """Link the present session keyring into the process keyring: it may be linked on only while it is possessed."""
    try:
        old = keyctl.serial_number(keyctl.SESSION_KEYRING)
        keyctl.link(old, keyctl.PROCESS_KEYRING)
    except OSError:  # none, or revoked: nothing to keep
        return None
    return old


def leave() -> None:
    """Leave the session keyring that a session was handed over in, for the one of before; what this becomes stays out.

    Where none was handed over by a keyring there is nothing to leave.

    Raises:
        OSError: there is one, and it cannot be left.
    """
    try:
        inside = keyctl.serial_number(keyctl.SESSION_KEYRING)
        outside = _outside(inside)
    except OSError:  # no kernel keyrings here
        return
    if outside == inside:
        return
    keyctl.link(outside, keyctl.PROCESS_KEYRING)
    keyctl.join_new_session_keyring()
    keyctl.link(outside, keyctl.SESSION_KEYRING)
    keyctl.unlink(outside, keyctl.PROCESS_KEYRING)


def _outside(keyring: int) -> int:
    """Return the nearest keyring, this one or one linked below it, in which no session was handed over."""
    data = keyctl.read(keyring) or b""
    members = [int.from_bytes(data[at : at + 4], sys.byteorder, signed=True) for at in range(0, len(data), 4)]
    described = [(member, *_described(member)) for member in members]
    if not any(name.startswith(PREFIX) and name.endswith(f":{HANDED_OVER}") for _, _, name in described):
        return keyring
    below = [member for member, kind, _ in described if kind == "keyring"]
    return _outside(below[0]) if below else keyctl.serial_number(keyctl.USER_KEYRING)


def _described(key: int) -> tuple[str, str]:
    """Return a key's type and description; empty where it is no more."""
    try:
        kind, _, _, _, name = keyctl.describe(key).split(";", 4)
    except OSError:
        return "", ""
    return kind, name


def _end(serial: int) -> None:
    try:
        keyctl.invalidate(serial)
    except OSError:  # expired meanwhile
        return
