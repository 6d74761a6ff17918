"""A process that kubectl started and left behind ends, whatever it waits for."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

WAITS = """
import os, signal, sys, time
{before}
from kubectl_stepup.kubectl.caller import end_with_caller
end_with_caller()
print(os.getpid(), flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    print("cancelled", flush=True)
"""
STARTS = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]]); sys.stdin.readline()"


@pytest.mark.parametrize(
    ("before", "said"),
    [("", "cancelled\n"), ("signal.signal(signal.SIGINT, signal.SIG_IGN)", "")],
    ids=["as ever", "ctrl-c is ignored"],
)
def test_it_ends_within_two_seconds_of_the_one_that_started_it(before: str, said: str) -> None:
    """PROC-09."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTS, WAITS.format(before=before)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as caller:
        assert caller.stdout is not None
        assert os.getpgid(int(caller.stdout.readline())) > 0
        caller.kill()
        # The pipe ends with its last writer: with the one that was left behind.
        rest = caller.communicate(timeout=2)[0]
    assert rest == said
