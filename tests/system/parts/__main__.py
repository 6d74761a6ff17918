"""Obtain every part, one line each: `python -m tests.system.parts`. What is there already costs nothing."""

from __future__ import annotations

import time

from tests.system.parts.cache import Missing, cache_directory
from tests.system.parts.inventory import PARTS


def main() -> None:
    """Obtain; a missing part is named and is no failure here: the tests that need it say what they lacked."""
    print(f"Parts of the test bed, kept in {cache_directory()}")
    missing = 0
    for name, obtain in PARTS.items():
        began = time.monotonic()
        print(f"  {name} ...", end="", flush=True)
        try:
            obtain()
        except Missing as error:
            missing += 1
            print(f" missing: {error.how}", flush=True)
        else:
            print(f" ok, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{len(PARTS) - missing} parts are here, {missing} missing")


if __name__ == "__main__":
    main()
