"""Run generated commands with several kubectls side by side, and shrink what was missed."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from tests.system.differential.generator import Command, generated
from tests.system.differential.runner import Runner, runner, workplace
from tests.system.differential.snapshot import snapshot
from tests.system.differential.verdict import Verdict, verdict_on
from tests.system.parts import kubectls

VERSIONS = ("1.32", "1.36", "1.37")


@dataclass(slots=True, kw_only=True)
class Run:
    """The verdicts so far, by the kubectl that ran the command."""

    verdicts: list[tuple[str, Verdict]] = field(default_factory=list)
    missed: list[tuple[str, Verdict]] = field(default_factory=list)
    """Those with a miss; at the end without the words that it does not need."""

    failed: list[BaseException] = field(default_factory=list)
    """What ended a worker."""


def run(count: int, seed: int, *, tell: Callable[[Run], None] = lambda done: None) -> Run:
    """Generate commands and check each with one of the kubectls, in turn.

    Raises:
        Missing: a kubectl, or what the server answers from, cannot be had.

    """
    programs = {version: kubectls.kubectl(version) for version in VERSIONS}
    snapshot()
    done = Run()
    shares: dict[str, SimpleQueue[Command | None]] = {version: SimpleQueue() for version in VERSIONS}
    with workplace() as directory:
        workers = [
            threading.Thread(target=_work, args=(version, programs[version], share, directory, done))
            for version, share in shares.items()
        ]
        for worker in workers:
            worker.start()
        for version, words in zip(itertools.cycle(VERSIONS), generated(count, seed), strict=False):
            shares[version].put(words)
            tell(done)
        for share in shares.values():
            share.put(None)
        for worker in workers:
            while worker.is_alive():
                worker.join(2)
                tell(done)
        done.missed = [(version, shrunk(version, verdict, directory)) for version, verdict in done.missed]
    for error in done.failed:
        raise error
    return done


def _work(version: str, kubectl: Path, share: SimpleQueue[Command | None], directory: Path, done: Run) -> None:
    try:
        with runner(kubectl, directory) as worker:
            while (words := share.get()) is not None:
                verdict = _checked(worker, words)
                done.verdicts.append((version, verdict))
                if verdict.missed:
                    done.missed.append((version, verdict))
    except BaseException as error:  # noqa: BLE001 (a thread has nobody to tell; `run` raises it)
        done.failed.append(error)


def _checked(worker: Runner, words: Command) -> Verdict:
    return verdict_on(words, worker.run(words), str(worker.kubectl))


def shrunk(version: str, verdict: Verdict, directory: Path) -> Verdict:
    """Take words away from a command for as long as something is missed."""
    with runner(kubectls.kubectl(version), directory) as worker:
        while True:
            shorter = (_checked(worker, words) for words in _shorter(verdict.words))
            found = next((smaller for smaller in shorter if smaller.missed), None)
            if found is None:
                return verdict
            verdict = found


def _shorter(words: Command) -> Iterator[Command]:
    for size in (2, 1):
        for at in range(len(words) - size + 1):
            yield words[:at] + words[at + size :]
