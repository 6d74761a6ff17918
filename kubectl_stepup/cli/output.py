"""How commands write: data on standard output, errors on standard error."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from kubectl_stepup.terminal.errors import error_object, error_text

if TYPE_CHECKING:
    from kubectl_stepup.errors import StepUpError

API_VERSION = "kubectl-stepup.github.io/v1alpha1"


def report(error: StepUpError, *, as_json: bool) -> None:
    """Write an error and its hint to standard error, or one JSON object there."""
    text = json.dumps(error_object(error)) if as_json else error_text(error)
    write(sys.stderr, text + "\n")


def data(text: str) -> None:
    """Write data to standard output."""
    write(sys.stdout, text if text.endswith("\n") else text + "\n")


def write(stream: object, text: str) -> None:
    """Write text whatever the stream's encoding can hold; a closed stream is not an error."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    safe = text.encode(encoding, "backslashreplace").decode(encoding)
    try:
        stream.write(safe)  # type: ignore[attr-defined]
        stream.flush()  # type: ignore[attr-defined]
    except (ValueError, AttributeError):
        # A closed or missing stream (pythonw, `2>&-`): there is nobody to tell.
        return
