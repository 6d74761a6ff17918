"""Our commands, forked from a process that has imported the program: each costs a fork in place of a start.

For tests of what a command does. A test of how the program starts, or of what its processes show, starts it itself.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import gc
import importlib
import json
import os
import pkgutil
import select
import shlex
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import BinaryIO, NoReturn, TextIO, cast

import kubectl_stepup
from kubectl_stepup import __main__ as program
from kubectl_stepup.demo.terminal import DemoTerminal

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-P", "-m", "kubectl_stepup"]
KILLED_PROGRAM = [sys.executable, str(ROOT / "tests/crash/program.py")]
"""With the number of a point: the program that is killed there."""

CODE = [sys.executable, "-I", "-c"]
"""With Python code, that calls a part of the program."""

AT_ONCE = "at-once"
"""`[AT_ONCE, "20", *words]` on a terminal starts so many commands, as a shell does in the background.

The word `$number` is the number of each; when one ends, a line says `code=` and its exit code.
"""

CAN_FORK = sys.platform == "linux"
"""Elsewhere the system's libraries forbid it, or a terminal is taken in another way."""

_END = b"\033]stepup-demo-end\007"
"""What `DemoTerminal` waits for."""

_LARGEST = 1 << 20
_USED_LATE = (
    "certifi",
    "cryptography.x509",
    "joserfc.jwt",
    "rich.table",
    "truststore",
    "urllib3",
    "urllib3.contrib.socks",
)
"""What the program imports in the middle of its work."""


class WarmStart:
    """The process from which commands are forked."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
                 "from tests.support.warm_start import serve; serve(int(sys.argv[1]))", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        atexit.register(self.close)

    def fork(self, order: Mapping[str, object], descriptors: Sequence[int]) -> int:
        """Fork a process that follows `order` with these descriptors, the last for its wait status; return its id."""
        with self._one_at_a_time:
            socket.send_fds(self._socket, [json.dumps(order).encode() + b"\n"], list(descriptors))
            return int(self._socket.recv(32))

    def run(
        self,
        words: Sequence[str],
        environ: Mapping[str, str],
        *,
        stdin: int | None = None,
        directory: Path | None = None,
        timeout_s: float = 60,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run one of our commands in a session of its own, without a terminal and, but for `stdin`, nothing to read."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, open(os.devnull, "rb") as nothing:
            reading, writing = os.pipe()
            with open(reading, "rb") as ended:
                order = {"words": list(words), "environ": dict(environ), "directory": str(directory or Path.cwd())}
                given = nothing.fileno() if stdin is None else stdin
                pid = self.fork(order, [given, out.fileno(), err.fileno(), writing])
                os.close(writing)
                if not select.select([ended], [], [], timeout_s)[0]:
                    os.killpg(pid, signal.SIGKILL)
                    raise subprocess.TimeoutExpired(list(words), timeout_s)
                code = int(ended.read())
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(list(words), code, out.read(), err.read())

    def is_there(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process, and have the CPU time of all its commands counted as that of a child."""
        self._socket.close()
        self._process.wait()


class Shell:
    """The leader of a terminal's session: as the shell of `DemoTerminal`, with our commands forked."""

    def __init__(self, environ: Mapping[str, str], terminal: str) -> None:
        commands, self.stdin = _pipe()
        self.stdout, codes = _pipe()
        order = {"terminal": terminal, "environ": dict(environ), "directory": environ["HOME"]}
        self._ended, ends = _pipe()
        with commands, codes, ends:
            self.pid = warm_start().fork(order, [commands.fileno(), codes.fileno(), ends.fileno()])

    def poll(self) -> int | None:
        """Return the exit code where the leader has ended."""
        return 0 if select.select([self._ended], [], [], 0)[0] else None

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the end.

        Raises:
            TimeoutExpired: it does not end in time.
        """
        if not select.select([self._ended], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("the leader", timeout or 0)
        self._ended.close()


class WarmTerminal(DemoTerminal):
    """A terminal on which our commands are forked, and others are started as a shell does."""

    def __init__(self, environ: Mapping[str, str], *, rows: int = 40, columns: int = 160) -> None:
        self._master, self._slave = os.openpty()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.set_blocking(self._master, False)
        self._shell = Shell(environ, os.ttyname(self._slave))  # type: ignore[assignment]

    def raw(self, words: Sequence[str], *, timeout_s: float = 60) -> str:
        """Run one command to its end; return every character that came."""
        seen = b""
        self._shell.stdin.write(json.dumps(list(words)).encode() + b"\n")  # type: ignore[union-attr]
        while not seen.endswith(_END):
            if not select.select([self._master], [], [], timeout_s)[0]:
                raise subprocess.TimeoutExpired(words, timeout_s, seen)
            seen += os.read(self._master, 65536)
        self._shell.stdout.readline()  # type: ignore[union-attr]
        return seen.removesuffix(_END).decode()


_started: list[WarmStart] = []
_starting = threading.Lock()


def warm_start() -> WarmStart:
    """Return the process of these tests, started when it is first needed, and again where it was ended."""
    with _starting:
        if not _started or not _started[-1].is_there():
            _started.append(WarmStart())
        return _started[-1]


def is_ours(words: Sequence[str]) -> bool:
    """Whether words start our program, as such or to be killed, or code that calls it."""
    return CAN_FORK and any(list(words[: len(start)]) == start for start in (PROGRAM, KILLED_PROGRAM, CODE))


def serve(descriptor: int) -> None:
    """Import the program; fork a process for each order, until nobody is there to give one."""
    _import_everything()
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=descriptor) as orders:
        while True:
            order, descriptors, _, _ = socket.recv_fds(orders, _LARGEST, 8)
            while order and not order.endswith(b"\n"):
                order += orders.recv(_LARGEST)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            if not order:
                break
            child = os.fork()
            if child == 0:
                orders.close()
                _follow(json.loads(order), descriptors)
            for given in descriptors:
                os.close(given)
            orders.send(str(child).encode())
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def _import_everything() -> None:
    for module in pkgutil.walk_packages(kubectl_stepup.__path__, "kubectl_stepup."):
        if not module.name.endswith("__main__"):
            with contextlib.suppress(ImportError):
                importlib.import_module(module.name)
    for name in _USED_LATE:
        importlib.import_module(name)


def _follow(order: dict[str, object], descriptors: list[int]) -> NoReturn:
    code = 70
    try:
        os.chdir(str(order["directory"]))
        os.environ.clear()
        os.environ.update(order["environ"])  # type: ignore[call-overload]
        time.tzset()
        code = _lead(str(order["terminal"]), *descriptors) if "terminal" in order else _one(order["words"], descriptors)
    finally:
        os._exit(code)


def _one(words: object, descriptors: list[int]) -> int:
    """Run one command; write what it returned."""
    assert isinstance(words, list)
    *standard, ends = descriptors
    os.setpgid(0, 0)
    child = os.fork()
    if child == 0:
        os.setsid()
        for number, descriptor in enumerate(standard):
            os.dup2(descriptor, number)
        for descriptor in descriptors:
            os.close(descriptor)
        _become(words)
    os.write(ends, str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())
    return 0


def _lead(terminal: str, commands: int, codes: int, ends: int) -> int:
    """Run the commands that come, one after another, on a terminal that becomes this session's."""
    os.setsid()
    for number, flags in enumerate((os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)):
        opened = os.open(terminal, flags)
        os.dup2(opened, number)
        os.close(opened)
    signal.signal(signal.SIGINT, _go_on)
    with open(commands, encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            child = os.fork()
            if child == 0:
                lines.close()
                os.close(codes)
                os.close(ends)
                signal.signal(signal.SIGINT, signal.default_int_handler)
                _become(json.loads(line) if line.startswith("[") else shlex.split(line))
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            os.write(codes, f"{code if code >= 0 else 128 - code}\n".encode())
            os.write(1, _END)
    return 0


def _go_on(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: Ctrl-C is for the command."""


def _become(words: list[str]) -> NoReturn:
    """Become our program, or another."""
    code = 70
    try:
        if words[0] == AT_ONCE:
            code = _all_at_once(int(words[1]), words[2:])
        elif not is_ours(words):
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execvpe(words[0], words, os.environ)
        else:
            sys.stdin, sys.stdout, sys.stderr = _text(0, "r"), _text(1, "w"), _text(2, "w")
            code = _ours(words)
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        code = 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def _ours(words: list[str]) -> int:
    if words[: len(CODE)] == CODE:
        sys.argv = ["-c", *words[len(CODE) + 1 :]]
        return _exit_code(functools.partial(exec, words[len(CODE)], {"__name__": "__main__"}))
    if words[: len(KILLED_PROGRAM)] == KILLED_PROGRAM:
        from tests.crash.injection import Points

        sys.argv = [KILLED_PROGRAM[-1], *words[len(KILLED_PROGRAM) + 1 :]]
        Points(int(words[len(KILLED_PROGRAM)])).install()
    else:
        sys.argv = [program.__file__, *words[len(PROGRAM) :]]
    return _exit_code(program.main)


def _all_at_once(count: int, words: list[str]) -> int:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    children = {}
    for number in range(1, count + 1):
        child = os.fork()
        if child == 0:
            _become([word.replace("$number", str(number)) for word in words])
        children[child] = number
    while children:
        child, status = os.wait()
        del children[child]
        code = os.waitstatus_to_exitcode(status)
        os.write(1, f"code={code if code >= 0 else 128 - code}\n".encode())
    return 0


def _exit_code(run: Callable[[], int | None]) -> int:
    try:
        return run() or 0
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 1
    finally:
        atexit._run_exitfuncs()


def _text(descriptor: int, mode: str) -> TextIO:
    by_line = mode == "w" and (descriptor == 2 or os.isatty(descriptor))
    errors = "backslashreplace" if descriptor == 2 else "surrogateescape"
    stream = open(descriptor, mode, 1 if by_line else -1, encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115 - as long as the process
    return cast("TextIO", stream)


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    reading, writing = os.pipe()
    return open(reading, "rb"), open(writing, "wb", buffering=0)
