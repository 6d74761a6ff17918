"""How commands write: data on standard output, errors on standard error."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING, TextIO

from kubectl_stepup.errors import OutputFailed
from kubectl_stepup.sanitise import safe_lines
from kubectl_stepup.ui.errors import error_object, error_text

if TYPE_CHECKING:
    from kubectl_stepup.errors import StepUpError


def report(error: StepUpError, *, as_json: bool) -> None:
    """Write an error and its hint to standard error, or one JSON object there."""
    text = json.dumps(error_object(error)) if as_json else error_text(error)
    with contextlib.suppress(OSError):  # there is no other way to report it
        write(sys.stderr, text + "\n")


class ReaderGone(Exception):
    """The reader of standard output is gone (`| head -1`)."""


def data(text: str) -> None:
    """Write data to standard output, unless it is empty.

    Control characters become escapes here as well, in case they were forgotten before: JSON and YAML have none.

    Raises:
        ReaderGone: the reader went away.
        OutputFailed: the disk behind it is full, or the like.
    """
    if not text:
        return
    try:
        text = safe_lines(text)
        write(sys.stdout, text if text.endswith("\n") else text + "\n")
    except BrokenPipeError as exc:
        raise ReaderGone from exc
    except OSError as exc:
        raise OutputFailed(f"standard output cannot be written: {(exc.strerror or str(exc)).lower()}") from exc


def write(stream: TextIO | None, text: str) -> None:
    """Write text in the stream's encoding, with escapes if needed; a missing or closed stream is no error.

    Raises:
        OSError: the reader is gone, or the disk is full.
    """
    if stream is None or stream.closed:
        return
    encoded = text.encode(stream.encoding or "utf-8", "backslashreplace")
    stream.flush()
    try:
        descriptor = stream.fileno()
    except OSError:
        # No file: a test or an embedding program captures the output.
        stream.write(encoded.decode(stream.encoding or "utf-8"))
        return
    # NOTE: past the buffer: on a full disk what stays there would fail again at exit and make the exit code 120.
    while encoded:
        encoded = encoded[os.write(descriptor, encoded) :]
