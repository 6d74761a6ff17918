"""What kubectl answers to a request that was made to see who refuses it.

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
    """How a kubectl ended: its exit code and what it wrote."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def failed(self) -> bool:
        """Whether it did not do what it was asked: `kubectl cordon` says so, and exits with 0."""
        return self.code != 0 or any(line.startswith("error:") for line in self.err.splitlines())

    @property
    def said(self) -> str:
        """The last line of what went wrong."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        return lines[-1].strip() if lines else f"kubectl ended with exit code {self.code}"


def denied_by(answer: KubectlAnswer) -> str | None:
    """Name the rule whose admission policy refused the request."""
    found = _DENIED.search(answer.err)
    return found[1] if found else None


def warned_by(answer: KubectlAnswer) -> tuple[str, ...]:
    """Name the rules whose admission policies let the request pass with a warning."""
    return () if answer.failed else tuple(_WARNED.findall(answer.err))


def refused_by_rbac(answer: KubectlAnswer) -> bool:
    """Whether RBAC refused it; not so where kubectl only could not look at the object first."""
    found = _BY_RBAC.search(answer.err) if answer.failed else None
    return found is not None and found["verb"] not in _LOOKS


def not_allowed_to_look(answer: KubectlAnswer) -> bool:
    """Whether RBAC refused a read."""
    found = _BY_RBAC.search(answer.err) if answer.failed else None
    return found is not None and found["verb"] in _LOOKS


def unauthenticated(answer: KubectlAnswer) -> bool:
    """Whether the server does not know who is asking, or no credential could be had."""
    marks = ("(Unauthorized)", "must be logged in to the server", "getting credentials:")
    return answer.failed and any(mark in answer.err for mark in marks)


def document(answer: KubectlAnswer) -> dict[str, Any] | None:
    """Return the one JSON object that was printed; None where it is none."""
    return next(documents(answer.out), None) if answer.code == 0 else None


def documents(text: str) -> Iterator[dict[str, Any]]:
    """Return the JSON objects that follow each other in a text; what is no such thing ends them."""
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
