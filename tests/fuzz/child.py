"""The process of one run: `python -m tests.fuzz.child TARGET ENGINE SECONDS SEED DIRECTORY`, its result a file there.

It is a process of its own because libFuzzer takes it over, and because code is instrumented when it is imported.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from tests.fuzz.engines import ATHERIS, CHANCE

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from tests.fuzz.run import Run

RESULT = "result.json"
LARGEST_INPUT = 4096


def main(name: str, engine: str, seconds: float, seed: int, directory: Path) -> None:
    """Run a target for a time."""
    corpus = directory / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    run = _imported(name, engine, directory)
    started = time.monotonic()

    def one(data: bytes) -> None:
        run.one(data)
        if (took := time.monotonic() - started) >= seconds:
            _finish(run, name, engine, seed, took, directory)

    (_guided if engine == ATHERIS else _by_chance)(one, corpus, seed)


def _imported(name: str, engine: str, directory: Path) -> Run:
    if engine == CHANCE:
        from tests.fuzz.run import Run

        return Run(name, keep_in=directory)
    import atheris

    with atheris.instrument_imports(include=["kubectl_stepup"]):
        from tests.fuzz.run import Run

        return Run(name, keep_in=directory, instrumented=True)


def _guided(one: Callable[[bytes], None], corpus: Path, seed: int) -> None:
    import atheris

    random = Random(seed)
    for number in range(200):  # inputs long enough for whole documents, to start from
        (corpus / f"start-{number}").write_bytes(random.randbytes(random.randrange(LARGEST_INPUT)))
    # Its own clock is only there to end a run that hangs in one input.
    options = [f"-seed={seed % 2**31 or 1}", f"-max_len={LARGEST_INPUT}", "-rss_limit_mb=4096", "-timeout=120"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one)
    atheris.Fuzz()


def _by_chance(one: Callable[[bytes], None], corpus: Path, seed: int) -> NoReturn:
    """Try what was found before, then new inputs and old ones with a few bytes changed."""
    random = Random(seed)
    known = [path.read_bytes() for path in sorted(corpus.iterdir())]
    for data in known:
        one(data)
    while True:
        if known and random.random() < 0.5:
            one(_changed(random.choice(known), random))
        else:
            one(random.randbytes(random.randrange(LARGEST_INPUT)))


def _changed(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.randrange(8) if data else 0):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def _finish(run: Run, name: str, engine: str, seed: int, seconds: float, directory: Path) -> None:
    from tests.fuzz.run import Result

    result = run.finish(Result(target=name, engine=engine, seed=seed, seconds=seconds))
    (directory / RESULT).write_text(json.dumps(result.to_json()), encoding="utf-8")
    sys.stderr.flush()
    os._exit(0)  # libFuzzer would go on, or end the process as if it had failed


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
