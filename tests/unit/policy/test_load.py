"""The policies that come with the program: one where there is no file, and one to start from."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.documents import yaml_file
from kubectl_stepup.policy.document import policy_from
from kubectl_stepup.policy.load import PROFILES, load, starting_policy
from kubectl_stepup.policy.model import Policy


def read(text: str) -> Policy:
    return policy_from(yaml_file.parse(text.encode(), "policy.yaml"))


def content(policy: Policy) -> dict[str, Any]:
    """Give what a policy says, wherever it is written."""
    rules = tuple(rule.replace(file="", line=0) for rule in policy.rules)
    return {**policy.as_dict(), "rules": rules, "files": ()}


def test_the_guarded_profile_says_what_holds_without_a_file() -> None:
    assert content(read(starting_policy("guarded"))) == content(load(None, None))


def test_the_read_only_profile_adds_every_other_write() -> None:
    guarded, read_only = (read(starting_policy(profile)) for profile in ("guarded", "read-only"))
    *same, changes = content(read_only)["rules"]

    assert tuple(same) == content(guarded)["rules"]
    assert (changes.name, changes.actions, changes.needs) == ("changes", frozenset({"change"}), "mfa")
    assert read_only.levels == guarded.levels


@pytest.mark.parametrize("profile", PROFILES)
def test_editors_find_the_schema(profile: str) -> None:
    first, *lines = starting_policy(profile).splitlines()

    assert first == "# yaml-language-server: $schema=https://kubectl-stepup.github.io/schemas/policy.schema.json"
    assert max(map(len, lines)) <= 120
