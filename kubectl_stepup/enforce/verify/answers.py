"""What kubectl's output says about a request: who denied it, and why.

Spec: kubernetes.io, *Validating Admission Policy* (the text of a denial) and *Using RBAC Authorization*.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from kubectl_stepup.enforce.names import OBJECT_PREFIX
from kubectl_stepup.values import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

_DENIED = re.compile(rf"ValidatingAdmissionPolicy '{re.escape(OBJECT_PREFIX)}([^']+)' with binding '[^']+' denied")
_WARNED = re.compile(rf"ValidatingAdmissionPolicy '{re.escape(OBJECT_PREFIX)}([^']+)' with binding")
_BY_RBAC = re.compile(r"cannot (?P<verb>[a-z]+) resource|attempting to grant RBAC permissions not currently held")
_LOOKS = frozenset({"get", "list", "watch"})


class KubectlAnswer(Record):
    """The outcome of a kubectl: its exit code and output."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def failed(self) -> bool:
        """Whether it failed: `kubectl cordon` can print an error and exit with 0."""
        return self.code != 0 or any(line.startswith("error:") for line in self.err.splitlines())

    @property
    def said(self) -> str:
        """Return the last line of the error."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        return lines[-1].strip() if lines else f"kubectl ended with exit code {self.code}"


def denied_by(answer: KubectlAnswer) -> str | None:
    """Return the rule whose admission policy denied the request, or None."""
    found = _DENIED.search(answer.err)
    return found[1] if found else None


def warned_by(answer: KubectlAnswer) -> tuple[str, ...]:
    """Return the rules whose admission policies let the request pass with a warning."""
    return () if answer.failed else tuple(_WARNED.findall(answer.err))


def refused_by_rbac(answer: KubectlAnswer) -> bool:
    """Whether RBAC denied it; false if kubectl was only denied a read of the object before."""
    found = _BY_RBAC.search(answer.err) if answer.failed else None
    return found is not None and found["verb"] not in _LOOKS


def not_allowed_to_look(answer: KubectlAnswer) -> bool:
    """Whether RBAC denied a read."""
    found = _BY_RBAC.search(answer.err) if answer.failed else None
    return found is not None and found["verb"] in _LOOKS


def unauthenticated(answer: KubectlAnswer) -> bool:
    """Whether the server did not authenticate the caller, or there was no credential."""
    marks = ("(Unauthorized)", "must be logged in to the server", "getting credentials:")
    return answer.failed and any(mark in answer.err for mark in marks)


def document(answer: KubectlAnswer) -> dict[str, Any] | None:
    """Return the printed JSON object; None if it is none."""
    return next(documents(answer.out), None) if answer.code == 0 else None


def documents(text: str) -> Iterator[dict[str, Any]]:
    """Return the JSON objects at the beginning of a text, one after another."""
    decoder = json.JSONDecoder()
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            found, at = decoder.raw_decode(text, at)
        except ValueError:
            return
        if isinstance(found, dict):
            yield found
