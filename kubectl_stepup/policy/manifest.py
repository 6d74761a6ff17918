"""Read the manifests of `-f` and `-k` with kubectl's own parser, offline (a kubectl process).

No other parser agrees with kubectl about YAML: which documents there are, what a repeated key means, what a List holds.
`kubectl patch --local` with an empty patch prints every object and sends nothing; it gets no kubeconfig, and with it no
credentials, and for `-k` neither programs nor the network.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.errors import UsageError
from kubectl_stepup.policy.command import with_objects
from kubectl_stepup.policy.manifest_objects import objects_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_stepup.policy.command import KubectlCommand

TIME_LIMIT_S = 20
MAX_STDIN_BYTES = 64 << 20
MAX_OUTPUT_BYTES = 128 << 20

# kubectl reads directories below a directory by default in some commands, and in more of them from version to version;
# in these it has never done so.
_SHALLOW = frozenset((name,) for name in ("apply", "create", "delete", "describe", "diff", "get", "replace"))
_KEPT = ("PATH", environment.HOME, "USERPROFILE", "SYSTEMROOT", "TEMP", "TMPDIR")
_PATTERN = frozenset("*?[,")
_NOWHERE = "http://127.0.0.1:9"  # nothing listens on the discard port


def expand(
    command: KubectlCommand, *, kubectl: str, read_stdin: Callable[[], bytes] | None = None
) -> tuple[KubectlCommand, bytes | None]:
    """Give the command with the objects of its manifests, and the bytes of standard input where `-f -` reads it.

    The command comes back as it was, its manifests unread and so everything they could be, where they are a URL or need
    the network, are no ordinary files (a pipe can be read only once), or kubectl cannot read them.

    Raises:
        UsageError: standard input is too large to be kept, or a file is not there.
    """
    if not command.known or command.local or not command.manifests or command.line.last("raw") is not None:
        return command, None
    for place in command.manifests:
        if _is_missing(place):
            raise UsageError(f"{place}: no such file or directory")
    stdin = (read_stdin or spool_stdin)() if command.reads_stdin else None
    if not all(_can_be_read(place) for place in command.manifests):
        return command, stdin
    output = _kubectl_output(command, kubectl, stdin)
    if output is None:
        return command, stdin
    try:
        found = objects_in(output, namespace=command.namespace)
    except (ValueError, RecursionError):
        return command, stdin
    return (with_objects(command, found) if found else command), stdin


def spool_stdin() -> bytes:
    """Read standard input to its end.

    Raises:
        UsageError: it is too large.
    """
    if sys.stdin is None:  # it was closed before we started
        return b""
    data = sys.stdin.buffer.read(MAX_STDIN_BYTES + 1)
    if len(data) > MAX_STDIN_BYTES:
        raise UsageError(f"standard input is larger than {MAX_STDIN_BYTES >> 20} MiB", hint="kubectl ... -f FILE")
    return data


def _is_missing(place: str) -> bool:
    """Tell a path that names nothing; a pattern, an address or several paths in one word are kubectl's to judge."""
    return place != "-" and not _PATTERN.intersection(place) and "://" not in place and not os.path.lexists(place)


def _can_be_read(place: str) -> bool:
    """Tell files, directories, patterns and `-` from what is remote, or is gone once it has been read."""
    if place == "-":
        return True
    if "://" in place or "," in place or '"' in place:
        return False
    try:
        mode = os.stat(place).st_mode
    except OSError:
        return bool(_PATTERN.intersection(place))
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def _kubectl_output(command: KubectlCommand, kubectl: str, stdin: bytes | None) -> str | None:
    line = command.line
    arguments = [kubectl, "patch", "--local", "--type=merge", "--patch={}", "--output=json"]
    arguments += [f"--filename={place}" for place in line.all("filename")]
    kustomize = line.last("kustomize")
    if kustomize:
        arguments.append(f"--kustomize={kustomize}")
    elif line.on("recursive") or line.path not in _SHALLOW:
        arguments.append("--recursive")
    try:
        done = subprocess.run(
            arguments,
            input=stdin if stdin is not None else b"",
            capture_output=True,
            env=_environment(offline=bool(kustomize)),
            timeout=TIME_LIMIT_S,
            check=False,
        )
        if done.returncode != 0 or len(done.stdout) > MAX_OUTPUT_BYTES:
            return None
        return done.stdout.decode("utf-8")
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def _environment(*, offline: bool) -> dict[str, str]:
    """Give what kubectl, or a version manager's shim, needs to start; `offline` keeps kustomize from fetching bases."""
    found = {name: os.environ[name] for name in _KEPT if name in os.environ}
    found |= {environment.KUBECONFIG: os.devnull, environment.KUBERC: "off", environment.KUBECTL_KUBERC: "false"}
    if offline:
        found |= {"PATH": "", "HTTP_PROXY": _NOWHERE, "HTTPS_PROXY": _NOWHERE}
    return found
