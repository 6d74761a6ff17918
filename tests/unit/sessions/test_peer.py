"""Who is at the other end of a unix socket."""

from __future__ import annotations

import os
import socket
import struct
import sys

import pytest

from kubectl_stepup.sessions.peer import is_ours, user_and_process

LARGEST = 2**32 - 2
"""So far user ids go; those of a directory service may be as high."""


class Peer:
    """A connection whose other end is that user."""

    def __init__(self, user: int) -> None:
        self.user = user

    def getsockopt(self, level: int, name: int, size: int) -> bytes:
        if level == socket.SOL_SOCKET:
            return struct.pack("=iII", 7, self.user, 0)
        return struct.pack("=II", 0, self.user).ljust(size, b"\0")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no name for how Linux says it")
@pytest.mark.parametrize("user", [0, 1000, 2**31, LARGEST])
@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_any_user_is_known_by_number(user: int, platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(os, "getuid", lambda: user)
    assert user_and_process(Peer(user)) == (user, 7 if platform == "linux" else None)  # type: ignore[arg-type]
    assert is_ours(Peer(user))  # type: ignore[arg-type]
    assert not is_ours(Peer(user + 1))  # type: ignore[arg-type]


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such sockets")
def test_our_own_end_is_ours() -> None:
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert is_ours(one)
