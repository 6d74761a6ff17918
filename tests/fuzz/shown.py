"""What a person gets to see of a malformed answer: it is harmless in a terminal, and no longer than a few lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_stepup.ui.errors import error_text

if TYPE_CHECKING:
    from kubectl_stepup.errors import StepUpError

LONGEST = 1000
"""Characters of a message or a hint; a terminal of 80 columns shows them in a dozen lines."""

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\S*\\\S*|[0-9]+")


def refusal(error: StepUpError) -> str:
    """Check that an error can be shown, by itself and in lines, and give it without what it quotes."""
    assert error.message
    for text in (error.message, error.hint or "", *error_text(error).splitlines()):
        harmless(text)
    return f"{error.code}: {_QUOTED.sub('', error.message)[:100]}"


def harmless(text: str) -> None:
    """Check one line: nothing in it that a terminal obeys or a reader does not see."""
    assert text.isprintable(), f"it cannot be shown: {text[:300]!a}"
    assert len(text) <= LONGEST, f"{len(text)} characters are shown: {text[:300]!a}"
