"""The hand-over where there are no kernel keyrings: a unix socket of the wrapper, for processes that it started.

The socket lies in a directory of this user alone. On Linux the kernel names the caller (SO_PEERCRED), who must be a
descendant of the wrapper; on macOS only the caller's user is known (LOCAL_PEERCRED).

Spec: unix(7).
"""

from __future__ import annotations

import os

from kubectl_stepup.sessions.peer import is_ours, user_and_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from socket import socket as Socket

_TIMEOUT_S = 2.0
_LARGEST = 1 << 17
_GENERATIONS = 64


def receive(path: str) -> bytes | None:
    """Fetch what the wrapper behind the socket hands over; None when it is gone, not ours, or does not know us."""
    import _socket  # not `socket`: its enums cost more than the whole fast path

    caller = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        caller.settimeout(_TIMEOUT_S)
        caller.connect(path)
        if not is_ours(caller):
            return None
        data = b""
        while chunk := caller.recv(65536):
            data += chunk
            if len(data) > _LARGEST:
                return None
    except OSError:
        return None
    finally:
        caller.close()
    return data or None


class Offer:
    """Serve `value` on a new socket at `path` while the `with` body runs, from a thread of this process.

    `value` may be set later; while it is empty a caller is given nothing.

    A class and not a `contextmanager`: importing contextlib would cost the fast path more than the socket does.

    Raises:
        StoreUnavailable: on entering, when the socket cannot be made.
    """

    def __init__(self, value: bytes, path: str) -> None:
        self.value = value
        self.path = path

    def __enter__(self) -> None:
        import socket
        import threading

        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._listener.bind(self.path)
            os.chmod(self.path, 0o600)
            self._listener.listen(16)
        except OSError as error:
            self._listener.close()
            reason = error.strerror or str(error)
            from kubectl_stepup.errors import StoreUnavailable

            raise StoreUnavailable(f"the hand-over socket {self.path} cannot be made: {reason}") from error
        self._waker, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True, name="handover")
        self._thread.start()

    def __exit__(self, *exception: object) -> None:
        self._waker.close()
        self._thread.join(_TIMEOUT_S + 1)
        self._woken.close()
        self._listener.close()
        if os.path.lexists(self.path):
            os.unlink(self.path)

    def _serve(self) -> None:
        import select

        while True:
            ready, _, _ = select.select([self._listener, self._woken], [], [])
            if self._woken in ready:
                return
            try:
                caller, _ = self._listener.accept()
                with caller:
                    caller.settimeout(_TIMEOUT_S)
                    if _is_descendant(caller):
                        caller.sendall(self.value)
            except OSError:  # a caller that went away or does not read; the next one is served
                continue


def _is_descendant(caller: Socket) -> bool:
    user, process = user_and_process(caller)
    return user == os.getuid() and (process is None or _descends(process, os.getpid()))


def _descends(process: int, ancestor: int) -> bool:
    for _ in range(_GENERATIONS):
        if process == ancestor:
            return True
        if process <= 1:
            return False
        try:
            with open(f"/proc/{process}/stat", "rb") as file:
                process = int(file.read(4096).rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return False
    return False
