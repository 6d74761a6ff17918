"""Kill a scenario at every point, in a process without threads: `python -m tests.crash DIRECTORY SCENARIO`.

Without a scenario: only count the points of all of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.crash.scenario import killed_at_every_point, points_of
from tests.crash.scenarios import ALL, SCENARIOS

directory = Path(sys.argv[1])
if sys.argv[2:]:
    count, complaints = killed_at_every_point(ALL[sys.argv[2]], directory)
    print(count, *complaints, sep="\n")
else:
    for number, scenario in enumerate(SCENARIOS.values()):
        place = directory / str(number)
        place.mkdir()
        print(points_of(scenario, place))
