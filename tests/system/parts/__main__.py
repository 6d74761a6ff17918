"""The parts by hand: `python -m tests.system.parts` obtains them all, `... start NAME` starts one until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from dataclasses import asdict, is_dataclass
from pathlib import Path

from tests.system.parts.cache import Missing, cache_directory
from tests.system.parts.inventory import PARTS, STARTED
from tests.system.parts.processes import NotReady


def main() -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.parts", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("start", help="start one part until Ctrl-C").add_argument("name", choices=sorted(STARTED))
    wanted = parser.parse_args()
    if wanted.command is None:
        return obtain()
    try:
        return start(wanted.name)
    except (Missing, NotReady) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def obtain() -> int:
    """Obtain every part, a line each; what is there already costs nothing.

    A missing part is named and is no failure here: the tests that need it say what they lacked.
    """
    print(f"Parts of the test bed, kept in {cache_directory()}")
    missing = 0
    for name, get in PARTS.items():
        began = time.monotonic()
        print(f"  {name} ...", end="", flush=True)
        try:
            get()
        except Missing as error:
            missing += 1
            print(f" missing: {error.how}", flush=True)
        else:
            print(f" ok, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{len(PARTS) - missing} parts are here, {missing} missing")
    return 0


def start(name: str) -> int:
    """Start a part, say how to reach it, and end it on Ctrl-C or SIGTERM."""
    ending = {signal.SIGINT, signal.SIGTERM}
    with tempfile.TemporaryDirectory(prefix=f"{name}-") as directory, STARTED[name](Path(directory)) as started:
        facts = asdict(started) if is_dataclass(started) and not isinstance(started, type) else {"url": started}
        for fact, value in facts.items():
            print(f"{fact}: {value}")
        print("Ctrl-C ends it.", flush=True)
        signal.pthread_sigmask(signal.SIG_BLOCK, ending)
        signal.sigwait(ending)
    return 0


if __name__ == "__main__":
    sys.exit(main())
