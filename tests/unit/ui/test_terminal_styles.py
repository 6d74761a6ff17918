from __future__ import annotations

import pytest

from kubectl_stepup.ui.terminal import STYLES, is_styled


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("Step-up needed: delete pods", ["Step-up needed:"]),
        ("Step-up to level mfa", ["Step-up"]),
        ("a\n  2. Compare code  WDJB-MJHT\nb", ["WDJB-MJHT"]),
        ("  2. Enter code    WDJB", ["WDJB"]),
        ("Approved: alice\nElevated", ["Approved:"]),
        ("x\nwarning: y", ["warning:"]),
        ("Using mfa in prod-eu, approved 3m ago", []),
        ("not at the start: Approved: warning:", []),
    ],
)
def test_what_is_marked(text: str, marked: list[str]) -> None:
    assert [match for pattern, _ in STYLES for match in pattern.findall(text)] == marked
    assert is_styled(text) == bool(marked)
