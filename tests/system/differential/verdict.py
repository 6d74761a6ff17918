"""Whether the reader foresaw what came, and whether it named more than came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from kubectl_stepup.errors import UsageError
from kubectl_stepup.kubectl.command import KubectlCommand, read
from kubectl_stepup.kubectl.manifest import expand
from kubectl_stepup.kubectl.request import ResourceAttributes
from kubectl_stepup.policy.matching import resolved
from kubectl_stepup.policy.model import Target
from tests.support.sent import foresees, matters
from tests.system.differential.runner import Outcome
from tests.system.differential.server import Request
from tests.system.recorder.fixture import SHOP

HERE = Target(cluster="lab", labels={}, namespace=SHOP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A command and what came of it, held against what the reader said."""

    words: tuple[str, ...]
    outcome: Outcome
    command: KubectlCommand
    missed: tuple[Request, ...]
    """What came, matters, and was not foreseen."""

    asked: tuple[ResourceAttributes, ...]
    """What was foreseen and matters, where nothing came that does, and kubectl had no complaint."""

    @property
    def path(self) -> str:
        """The command's words, as far as they are known."""
        return self.command.name or "(none)"

    @property
    def mattered(self) -> bool:
        """Whether anything came that matters."""
        return any(map(matters, self.outcome.requests))

    @property
    def refused(self) -> bool:
        """Whether kubectl did what the reader refuses to know."""
        return not self.command.known and self.outcome.code == 0 and bool(self.outcome.requests)


def verdict_on(words: Sequence[str], outcome: Outcome, kubectl: str) -> Verdict:
    """Read the command as `exec` does, and compare."""
    command, ours = understood(words, kubectl)
    came = [request for request in outcome.requests if matters(request)]
    missed = [request for request in came if command.known and not any(foresees(entry, request) for entry in ours)]
    over = (
        [entry for entry in ours if matters(row_of(entry))] if command.known and outcome.code == 0 and not came else []
    )
    return Verdict(words=tuple(words), outcome=outcome, command=command, missed=tuple(missed), asked=tuple(over))


def understood(words: Sequence[str], kubectl: str) -> tuple[KubectlCommand, tuple[ResourceAttributes, ...]]:
    """Read a command with its manifests; give its requests in the place where it runs."""
    command = read(words)
    try:
        command, _ = expand(command, kubectl=kubectl, stdin=BytesIO())
    except UsageError as error:  # a file is not there: nothing is run
        command = command.replace(known=False, problem=str(error))
    return command, resolved(command, HERE)


def row_of(entry: ResourceAttributes) -> Request:
    """Return one of our requests in the form of those that come."""
    at = entry.resource
    return entry.verb, at.group, at.name, entry.subresource, entry.namespace or "", entry.name or ""
