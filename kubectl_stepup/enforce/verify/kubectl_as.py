"""kubectl on the cluster under one login, everyday or elevated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.enforce.verify.answers import KubectlAnswer
from kubectl_stepup.values import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ANSWER_WITHIN_S = 60.0
"""How long one kubectl may take, its credential plugin included."""


class KubectlAs(Record):
    """kubectl as one user: every call runs it with that login's flags and environment.

    `run` runs kubectl and returns its exit code, output and errors; `trace` gets each command line.
    """

    run: Callable[..., tuple[int, bytes, bytes]]
    flags: tuple[str, ...]
    environ: Mapping[str, str]
    trace: Callable[[str], None]

    def __call__(self, words: Sequence[str], stdin: str = "") -> KubectlAnswer:
        """Run kubectl with these words and return how it ended.

        Raises:
            KubectlNotFound, KubectlNotExecutable, KubectlFailed: it could not be started, or did not end in time.
        """
        argv = (*words, *self.flags)
        self.trace(f"kubectl {' '.join(argv)}")
        code, out, err = self.run(argv, self.environ, stdin=stdin.encode(), within_s=ANSWER_WITHIN_S)
        return KubectlAnswer(code=code, out=out.decode("utf-8", "replace"), err=err.decode("utf-8", "replace"))
