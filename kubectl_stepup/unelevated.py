"""Become the person's editor or diff program, in the everyday environment and outside the elevated session.

An elevated kubectl starts this program instead, as a file::

    python -I -S /path/to/kubectl_stepup/unelevated.py KUBE_EDITOR FILE
    kubectl-stepup LIVE MERGED unelevated-differ

A kubectl that the editor starts in turn has the everyday login and needs a step-up of its own.
"""

from __future__ import annotations

import os
import sys


def serve(argv: list[str]) -> int | None:
    """Become the program that our entry point's `argv` names; return None if it names none."""
    from kubectl_stepup.kubectl.everyday_programs import DIFFER

    if argv[:1] == ["unelevated"] and len(argv) > 1:
        return become(argv[1:])
    # One of our own command lines may end with the same word, as the name of an object.
    is_differ = argv[2:] == [DIFFER] and all(map(os.path.isdir, argv[:2]))
    return become([_DIFF, *argv[:2]]) if is_differ else None


def become(argv: list[str]) -> int:
    """Become the program of a variable (the first word) with the files behind it; return an exit code on failure."""
    from kubectl_stepup.kubectl.everyday_programs import differ_command, editor_command, everyday_environment
    from kubectl_stepup.sessions.hand_over import leave

    name, *files = argv
    environ = everyday_environment(os.environ)
    words = differ_command(files, environ) if name == _DIFF else editor_command(name, files, environ)
    try:
        leave()
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        sys.stderr.write(f"error: {words[0]} is not started: the elevated session cannot be left: {reason}\n")
        return 126
    try:
        os.execvpe(words[0], words, environ)  # noqa: S606 - the person's own words, as kubectl would start them
    except OSError as exc:
        sys.stderr.write(f"error: {words[0]} could not be started: {(exc.strerror or str(exc)).lower()}\n")
    return 127


_DIFF = "KUBECTL_EXTERNAL_DIFF"

if __name__ == "__main__":
    # NOTE: appended, not put first: the standard library wins over whatever lies beside the package.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.exit(become(sys.argv[1:]))
