"""What the machine refuses is a sentence and a code, not a traceback."""

from __future__ import annotations

import errno
import os

import pytest

from kubectl_stepup.cli import root
from tests.unit.cli.conftest import Cli


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "error: no space left on device"),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE), "/etc/hosts"), "error: /etc/hosts: too many open files"),
        (OSError("strange"), "error: strange"),
        (MemoryError(), "error: there is not enough memory"),
    ],
    ids=["ENOSPC", "EMFILE", "no number", "ENOMEM"],
)
@pytest.mark.parametrize(("argv", "code"), [(("version",), 1), (("exec", "--", "get", "pods"), 125)])
def test_it_is_said(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, refusal: Exception, said: str, argv: tuple[str, ...], code: int
) -> None:
    """PROC-20."""

    def refused(**words: object) -> None:
        raise refusal

    monkeypatch.setattr(root.root, "main", refused)
    done = cli(*argv)
    assert (done.code, done.err.splitlines()[0]) == (code, said)
