"""Free ports on loopback, for servers that cannot be told to choose one and say which."""

from __future__ import annotations

import random
import socket

# Below the range from which the kernel takes ports for outgoing connections, so that none of those gets in between.
RANGE = range(20_000, 32_000)


def loopback_port(*taken: int) -> int:
    """Return a port of 127.0.0.1 that nothing listens on, and that is none of `taken`."""
    chance = random.SystemRandom()
    for _ in range(200):
        port = chance.choice(RANGE)
        if port in taken:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port between {RANGE.start} and {RANGE.stop}")
