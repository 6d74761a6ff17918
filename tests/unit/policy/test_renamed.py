"""Old words of the policy format: an error in one's own file, read as the new ones in what a cluster publishes."""

from __future__ import annotations

import pytest

from kubectl_stepup.errors import PolicyError
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.published_file import parsed

HEAD = "apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: Policy\n"
LEVEL = "  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}\n"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            f"{HEAD}levels:\n  - {{name: mfa, signedInWithin: 15m, askAgainAfter: 10m, longest: 1h}}\n",
            "p:4: levels[0]: 'longest' is now 'maxDuration'",
            "write maxDuration in its place",
        ),
        (
            f"{HEAD}levels:\n{LEVEL}rules:\n  - name: power\n    do: [grant, guard]\n    needs: mfa\n",
            "p:7: rules[0].do[1]: 'guard' is now 'protect'",
            "write protect in its place",
        ),
    ],
)
def test_an_old_word_in_ones_own_file_is_an_error_that_names_the_new_one(text: str, message: str, hint: str) -> None:
    for system, user in ((None, ("p", text.encode())), (("p", text.encode()), None)):
        with pytest.raises(PolicyError) as caught:
            load(system, user)
        assert (caught.value.message, caught.value.hint) == (message, hint)


def test_what_a_cluster_publishes_in_old_words_means_the_same() -> None:
    old = f"{HEAD}levels:\n  - {{name: mfa, signedInWithin: 15m, askAgainAfter: 10m, longest: 1h}}\n"
    old += "rules:\n  - {name: power, do: [grant, guard], needs: mfa}\n"
    new = old.replace("longest", "maxDuration").replace("guard", "protect")
    found = parsed(old, "prod")
    assert found == parsed(new, "prod")
    assert (found.levels[0].max_duration_s, found.rules[0].actions) == (3600, frozenset({"grant", "protect"}))


@pytest.mark.parametrize(
    "text",
    [
        "levels: [{name: mfa, signedInWithin: 15m, askAgainAfter: 10m, longest: 1h, maxDuration: 2h}]",
        "levels: 1",
        "levels: [1]",
        "levels: [{name: mfa, signedInWithin: 15m, askAgainAfter: 10m}]\nrules: [{name: a, do: guard, needs: mfa}]",
        "levels: [{name: mfa, signedInWithin: 15m, askAgainAfter: 10m}]\nrules: [{name: a, do: [[guard]], needs: mfa}]",
    ],
)
def test_what_is_malformed_stays_an_error(text: str) -> None:
    with pytest.raises(PolicyError):
        parsed(f"{HEAD}{text}\n", "prod")
