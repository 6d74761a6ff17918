"""Who is at the other end of a unix socket: the kernel says it (fast path).

Spec: SO_PEERCRED in unix(7); LOCAL_PEERCRED in unix(4) of macOS.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket as Connection

_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1
"""macOS `<sys/un.h>`; Python has no names for them."""


def user_and_process(connection: Connection) -> tuple[int, int | None]:
    """Return the user and, where the system says it, the pid at the other end: of a server, who began to listen."""
    if sys.platform == "linux":
        import _socket

        credentials = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
        process, user = (int.from_bytes(credentials[at : at + 4], sys.byteorder) for at in (0, 4))
        return user, process
    # struct xucred: a version, then the user; 76 bytes in all.
    credentials = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 76)
    return int.from_bytes(credentials[4:8], sys.byteorder), None


def is_ours(connection: Connection) -> bool:
    """Whether the other end is a process of this user."""
    return user_and_process(connection)[0] == os.getuid()
