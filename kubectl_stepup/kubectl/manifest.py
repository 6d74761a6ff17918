"""Read the manifests of `-f` and `-k` with kubectl's own parser (a kubectl process, the filesystem).

No other parser agrees with kubectl about YAML: which documents there are, what a repeated key means, what a List holds.
`kubectl patch --local` with an empty patch prints every object and sends nothing; it gets no kubeconfig, and with it no
credentials, and for `-k` neither programs nor the network, unless it is to fetch what the command itself would fetch.
"""

from __future__ import annotations

import glob
import os
import stat
import subprocess
from itertools import chain
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.errors import UsageError
from kubectl_stepup.kubectl.captured_input import CapturedInput
from kubectl_stepup.kubectl.command import with_objects
from kubectl_stepup.kubectl.manifest_objects import objects_in
from kubectl_stepup.kubectl.standard_input import captured, is_stream, read_stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from kubectl_stepup.kubectl.command import KubectlCommand

TIME_LIMIT_S = 20
FETCH_LIMIT_S = 60
MAX_BYTES = 16 << 20
"""How much of manifests is classified: ten thousand objects. What is larger could be anything."""

MAX_OUTPUT_BYTES = 128 << 20

# kubectl reads directories below a directory by default in some commands, and in more of them from version to version;
# in these it has never done so.
_SHALLOW = frozenset((name,) for name in ("apply", "create", "delete", "describe", "diff", "get", "replace"))
_QUIET = {environment.KUBECONFIG: os.devnull, environment.KUBERC: "off", environment.KUBECTL_KUBERC: "false"}
_KEPT = ("PATH", environment.HOME, "USERPROFILE", "SYSTEMROOT", "TEMP", "TMPDIR")
_PATTERN = frozenset("*?[,")
_HOSTS = ("github.com/", "git@")  # kustomize fetches these too
_NO_OBJECTS = b"error: no objects passed to patch"
"""How kubectl says that it could read everything and found nothing: then the command itself sends no object either."""

_NOWHERE = "http://127.0.0.1:9"  # nothing listens on the discard port


def expand(
    command: KubectlCommand, *, kubectl: str, stdin: BinaryIO | None = None, online: bool = False
) -> tuple[KubectlCommand, CapturedInput]:
    """Return the command with the objects of its manifests, and what was read for that.

    What can be read only once (standard input, a pipe, a descriptor of the caller) is read here, whole. The command
    comes back as it was, its manifests unread and so everything they could be, where they are a URL or need the
    network, are larger than `MAX_BYTES`, or kubectl cannot read them. `online` lets kubectl fetch, once, what has an
    address: only for a command that is then run with what was fetched. `stdin` takes the place of standard input.

    Raises:
        UsageError: a file is not there, or a pipe cannot be read.
    """
    if not command.known or command.local or not command.manifests or command.line.last("raw") is not None:
        return command, CapturedInput()
    for place in command.manifests:
        if _is_missing(place):
            raise UsageError(f"{place}: no such file or directory")
    captured, data = _captured(stdin) if command.reads_stdin else (CapturedInput(), b"")
    streams = tuple(read_stream(place) if is_stream(place) else None for place in command.line.all("filename"))
    if any(stream is not None for stream in streams):
        captured = captured.replace(streams=streams)
    output = _objects_output(command, streams, data, kubectl, online=online)
    if output is None:
        return command, captured
    try:
        found = objects_in(output.decode("utf-8"), namespace=command.namespace)
    except (ValueError, RecursionError):
        return command, captured
    if not found and output:
        return command, captured
    if set(command.manifests) != {"-"}:
        captured = captured.replace(objects=output, streams=())
    return with_objects(command, found), captured


def _objects_output(
    command: KubectlCommand, streams: Sequence[bytes | None], stdin: bytes, kubectl: str, *, online: bool
) -> bytes | None:
    """Return the objects of all manifests, in their order, as kubectl prints them; None where it cannot."""
    kustomize = command.line.last("kustomize")
    if kustomize:
        readable = _can_be_read(kustomize, online)
        return _kubectl_output(command, [f"--kustomize={kustomize}"], kubectl, b"", online=online) if readable else None
    outputs = []
    for places, data in _parts(command.line.all("filename"), streams, stdin):
        if len(data) > MAX_BYTES or not all(_can_be_read(place, online) for place in places):
            return None
        output = _kubectl_output(command, [f"--filename={place}" for place in places], kubectl, data, online=online)
        if output is None:
            return None
        outputs.append(output)
    return b"".join(outputs)


def _parts(places: Sequence[str], streams: Sequence[bytes | None], stdin: bytes) -> Iterator[tuple[list[str], bytes]]:
    """Return the places of `-f` in groups that one kubectl can read: files side by side, and each stream alone."""
    files: list[str] = []
    for place, stream in zip(places, streams, strict=True):
        if place != "-" and stream is None:
            files.append(place)
            continue
        if files:
            yield files, b""
            files = []
        yield ["-"], stdin if stream is None else stream
    if files:
        yield files, b""


def _captured(stdin: BinaryIO | None) -> tuple[CapturedInput, bytes]:
    """Read standard input as far as it is classified; what is beyond comes in pieces when it is wanted."""
    data, rest = captured(stdin, MAX_BYTES + 1)
    return CapturedInput(stdin=chain((data,), rest) if len(data) > MAX_BYTES else (data,)), data


def _is_missing(place: str) -> bool:
    """Whether a path names nothing; a pattern, an address or several paths in one word are left to kubectl."""
    return place != "-" and not _PATTERN.intersection(place) and not _has_address(place) and not os.path.lexists(place)


def _has_address(place: str) -> bool:
    """Return what is not on this machine."""
    return "://" in place or place.startswith(_HOSTS)


def _can_be_read(place: str, online: bool) -> bool:
    """Tell files, directories, patterns and `-` from what is remote, too large, or gone once it has been read."""
    if place == "-":
        return True
    if "," in place or '"' in place:
        return False  # several files to the kubectl that reads them
    if _has_address(place):
        return online
    try:
        mode = os.stat(place).st_mode
    except OSError:
        found = glob.glob(place) if _PATTERN.intersection(place) else []
        return bool(found) and _size(found) <= MAX_BYTES
    return (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and _size([place]) <= MAX_BYTES


def _size(places: Sequence[str]) -> int:
    """Return the bytes of files, and of those in directories, as far as it matters."""
    total = 0
    for path in _files(places):
        try:
            found = os.stat(path)
        except OSError:
            continue
        if not stat.S_ISREG(found.st_mode):
            return MAX_BYTES + 1  # a pipe among them: it can be read only once
        total += found.st_size
        if total > MAX_BYTES:
            break
    return total


def _files(places: Sequence[str]) -> Iterator[str]:
    for place in places:
        if not os.path.isdir(place):
            yield place
            continue
        for directory, _, names in os.walk(place):
            yield from (os.path.join(directory, name) for name in names if name.endswith((".json", ".yaml", ".yml")))


def _kubectl_output(
    command: KubectlCommand, sources: Sequence[str], kubectl: str, stdin: bytes, *, online: bool
) -> bytes | None:
    line = command.line
    kustomizes = bool(line.last("kustomize"))
    arguments = [kubectl, "patch", "--local", "--type=merge", "--patch={}", "--output=json", *sources]
    if not kustomizes and (line.on("recursive") or line.path not in _SHALLOW):
        arguments.append("--recursive")
    try:
        done = subprocess.run(
            arguments,
            input=stdin,
            capture_output=True,
            env=dict(os.environ) | _QUIET if online else _offline(kustomizes=kustomizes),
            timeout=FETCH_LIMIT_S if online else TIME_LIMIT_S,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    if (done.returncode, done.stdout, done.stderr.strip()) == (1, b"", _NO_OBJECTS):
        return b""
    return done.stdout if done.returncode == 0 and 0 < len(done.stdout) <= MAX_OUTPUT_BYTES else None


def _offline(*, kustomizes: bool) -> dict[str, str]:
    """Return what kubectl, or a version manager's shim, needs to start; kustomize is kept from fetching bases."""
    found = {name: os.environ[name] for name in _KEPT if name in os.environ} | _QUIET
    if kustomizes:
        found |= {"PATH": "", "HTTP_PROXY": _NOWHERE, "HTTPS_PROXY": _NOWHERE}
    return found
