from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_stepup.ui.command_line import command_line, kubectl_line


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        ((), "kubectl"),
        (("delete", "pod", "web-0", "-n", "prod"), "kubectl delete pod web-0 -n prod"),
        (("delete", "pod", "a b"), "kubectl delete pod 'a b'"),
        (("get", "pods", "-l", "a in (b,c)"), "kubectl get pods -l 'a in (b,c)'"),
        (("delete", ""), "kubectl delete ''"),
        (("delete", "a\x1b[2J"), "kubectl delete 'a\\u{1b}[2J'"),
        (("delete", "a\nApproved"), "kubectl delete 'a\\nApproved'"),
        (("--token", "[redacted]"), "kubectl --token [redacted]"),
        (("delete", "x" * 600), "kubectl delete " + "x" * 476 + "...[+124]"),
    ],
)
def test_commands_are_shown_as_typed(argv: tuple[str, ...], shown: str) -> None:
    assert kubectl_line(argv) == shown


@given(st.lists(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=10), max_size=5))
def test_a_shell_reads_back_what_was_meant(argv: list[str]) -> None:
    assert shlex.split(command_line(argv)) == argv
