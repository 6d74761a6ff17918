"""A pseudo-terminal and its screen; commands run on it one after another, as in a person's shell."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import shlex
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

from kubectl_stepup.errors import DemoFailed

# The shell leads the session: our sessions are bound to terminal, leader and the leader's start time, so commands
# that share an approval must share the leader. Opening a terminal makes it the leader's own (the pseudo-terminal was
# opened without becoming ours). Commands come on 3, exit codes go to 4; the command itself has neither.
_LEADER = """
exec 3<&0 4>&1
exec <"$1" >"$1" 2>&1
while IFS= read -r line <&3; do
  eval "$line" 3<&- 4>&-
  echo "$?" >&4
  printf '\\033]stepup-demo-end\\007'
done
"""
_END = b"\x1b]stepup-demo-end\x07"
_LOOK_S = 1.0
_ROWS, _COLUMNS = 40, 160
_CONTROL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|[\x00-\x08\x0b\x0c\x0e-\x1f]"
)
_URL = re.compile(r"\bopen\b\W+(?P<url>https://\S+)", re.IGNORECASE)
_CODE = re.compile(r"\bcode\b\W+(?P<code>[A-Z0-9]{3,}(?:-[A-Z0-9]{3,})*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command left: its exit code and the screen, as text."""

    code: int
    screen: str


class DemoTerminal:
    """Run commands on a terminal of their own; a context manager. `environ` is their whole environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        os.set_blocking(self._master, False)
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _LEADER, "sh", os.ttyname(slave)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            cwd=environ["HOME"],
            start_new_session=True,
        )
        # Kept open: the screen must not end between two commands.
        self._slave = slave

    def run(self, words: Sequence[str], watch: Callable[[str], None] | None = None, *, timeout_s: float = 60) -> Ran:
        """Run one command to its end; `watch` gets the screen so far whenever it grows.

        Raises:
            DemoFailed: the command does not end in time, or the terminal broke.
        """
        commands, codes = self._shell.stdin, self._shell.stdout
        if commands is None or codes is None:
            raise DemoFailed("the demo's shell has no pipes")
        commands.write(os.fsencode(shlex.join(words)) + b"\n")
        commands.flush()
        seen, end = b"", time.monotonic() + timeout_s
        while (left := end - time.monotonic()) > 0:
            select.select([self._master], [], [], min(left, _LOOK_S))
            grown = self._read()
            seen += grown
            # The mark comes after all that the command wrote: the pipe may be faster than the terminal.
            if seen.endswith(_END):
                return Ran(code=int(codes.readline()), screen=screen_text(seen))
            if grown and watch is not None:
                watch(screen_text(seen))
            if self._shell.poll() is not None:
                raise DemoFailed(f"the demo's shell ended during: {shlex.join(words)}")
        raise DemoFailed(
            f"no end after {timeout_s:.0f} s of: {shlex.join(words)}", details={"screen": screen_text(seen)}
        )

    def close(self) -> None:
        """End the session and all that runs in it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._shell.pid, signal.SIGHUP)
        for pipe in (self._shell.stdin, self._shell.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        try:
            self._shell.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._shell.kill()
            self._shell.wait()
        os.close(self._master)
        os.close(self._slave)

    def __enter__(self) -> DemoTerminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> bytes:
        parts: list[bytes] = []
        with contextlib.suppress(BlockingIOError, OSError):
            while part := os.read(self._master, 65536):
                parts.append(part)
        return b"".join(parts)


def screen_text(data: bytes) -> str:
    """Return what a terminal would show: no control sequences, of an overwritten line the last writing."""
    text = _CONTROL.sub("", data.decode("utf-8", "replace").replace("\r\n", "\n"))
    lines = (next((part for part in reversed(line.split("\r")) if part.strip()), "") for line in text.split("\n"))
    return "\n".join(line.rstrip() for line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSeen:
    """Where the screen says to go, and the code to compare."""

    verification_uri: str
    user_code: str


def prompt_on(screen: str) -> PromptSeen | None:
    """Find a whole device prompt on a screen; None until both lines have ended."""
    whole = screen[: screen.rfind("\n") + 1]
    url, code = _URL.search(whole), _CODE.search(whole)
    if url is None or code is None:
        return None
    return PromptSeen(verification_uri=url["url"], user_code=code["code"].upper())
