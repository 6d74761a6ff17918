"""Process entry: the cached credential road first, everything else through the command line.

The only place that turns an error into an exit code.
"""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the program on `sys.argv` and give its exit code."""
    argv = sys.argv[1:]
    if argv and argv[0] == "credential":
        from kubectl_stepup import fast_path

        served = fast_path.serve(argv, os.environ)
        if served is not None:
            return served
    from kubectl_stepup.cli.root import run

    return run(argv)


if __name__ == "__main__":
    sys.exit(main())
