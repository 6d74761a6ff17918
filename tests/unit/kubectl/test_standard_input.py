"""Reading standard input in two parts, from what has all of it and from what has it piece by piece."""

from __future__ import annotations

import io
import os
import threading

import pytest

from kubectl_stepup.kubectl.standard_input import captured


@pytest.mark.parametrize(
    ("data", "at_most"), [(b"", 4), (b"abc", 4), (b"abcd", 4), (b"abcde", 4), (b"x" * (3 << 20), 1 << 20)]
)
def test_a_beginning_and_the_rest(data: bytes, at_most: int) -> None:
    head, rest = captured(io.BytesIO(data), at_most)
    assert (head, b"".join(rest)) == (data[:at_most], data[at_most:])


def test_a_pipe_that_is_filled_slowly_and_does_not_wait() -> None:
    """PROC-06: whoever shares the pipe may have made reading from it not wait; nothing yet is not the end."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)

    def fill() -> None:
        for number in range(50):
            os.write(writing, bytes([number]) * 100)
        os.close(writing)

    with open(reading, "rb", buffering=0) as source:
        threading.Timer(0.05, fill).start()
        head, rest = captured(source, 1000)
        assert head + b"".join(rest) == b"".join(bytes([number]) * 100 for number in range(50))
