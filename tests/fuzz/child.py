"""The process of one run: `python -m tests.fuzz.child TARGET SECONDS SEED DIRECTORY`; its result is a file there.

It is a process of its own because libFuzzer takes it over, and because code is instrumented when it is imported.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fuzz.run import Run

RESULT = "result.json"
LARGEST_INPUT = 4096


def main(name: str, seconds: float, seed: int, directory: Path) -> None:
    """Run a target for a time."""
    corpus = directory / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    try:
        import atheris
    except ImportError:
        atheris = None
    if atheris is None:
        run = _imported(name, directory)
    else:
        with atheris.instrument_imports(include=["kubectl_stepup"]):
            run = _imported(name, directory)
    started = time.monotonic()

    def one(data: bytes) -> None:
        run.one(data)
        if time.monotonic() - started >= seconds:
            _finish(run, name, "chance" if atheris is None else "atheris", seed, time.monotonic() - started, directory)

    random = Random(seed)
    if atheris is None:
        while True:
            one(random.randbytes(random.randrange(LARGEST_INPUT)))
    for number in range(200):  # inputs long enough for whole documents, to start from
        (corpus / f"start-{number}").write_bytes(random.randbytes(random.randrange(LARGEST_INPUT)))
    # Its own clock is only there to end a run that hangs in one input.
    options = [f"-seed={seed % 2**31 or 1}", f"-max_len={LARGEST_INPUT}", "-rss_limit_mb=4096", "-timeout=120"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one)
    atheris.Fuzz()


def _imported(name: str, directory: Path) -> Run:
    from tests.fuzz.run import Run

    return Run(name, keep_in=directory)


def _finish(run: Run, name: str, engine: str, seed: int, seconds: float, directory: Path) -> None:
    from tests.fuzz.run import Result

    result = run.finish(Result(target=name, engine=engine, seed=seed, seconds=seconds))
    content: dict[str, Any] = result.to_json()
    (directory / RESULT).write_text(json.dumps(content), encoding="utf-8")
    sys.stderr.flush()
    os._exit(0)  # libFuzzer would go on, or end the process as if it had failed


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
