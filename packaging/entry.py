"""Entry of the frozen program: `kubectl_stepup.__main__`, imported as the installed script does."""

import sys

from kubectl_stepup.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
