"""The policies that come with the program: one where there is no file, and one to start from."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.errors import PolicyError
from kubectl_stepup.kubectl.command import read as read_command
from kubectl_stepup.policy.document import policy_from
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.load import PROFILES, load, starting_policy
from kubectl_stepup.policy.model import Policy, Target
from kubectl_stepup.policy.published import Published
from kubectl_stepup.policy.published_file import parsed
from kubectl_stepup.yaml_edit import yaml_file


def read(text: str) -> Policy:
    return policy_from(yaml_file.parse(text.encode(), "policy.yaml"))


def content(policy: Policy) -> dict[str, Any]:
    """Return what a policy says, wherever it is written."""
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


HEAD = "apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: Policy\n"
LEVELS = """\
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
  - {name: top, signedInWithin: 5m, askAgainAfter: 0s}
"""


def document(name: str, *lines: str) -> tuple[str, bytes]:
    return f"{name}.yaml", (HEAD + "\n".join(lines)).encode()


def published(cluster: str, *parts: str) -> Published:
    """Return what a cluster publishes."""
    return Published(cluster=cluster, policy=parsed("\n".join([HEAD, *parts]), cluster))


def test_all_files_count_and_nobody_weakens_an_earlier_one() -> None:
    policy = load(
        document("system", LEVELS, "rules: [{name: a, do: [delete], needs: mfa}]", "commands: {stern: mfa}"),
        document(
            "user",
            "levels: [{name: weak, signedInWithin: 24h, askAgainAfter: 24h}]",
            "rules: [{name: c, do: [stop], needs: mfa}]",
            "commands: {stern: allow, ctx: allow}",
        ),
        published=[published("prod", LEVELS, "rules: [{name: b, do: [delete], needs: top}]", "commands: {x: allow}")],
    )
    assert [level.name for level in policy.levels] == ["mfa", "top"]
    assert [(rule.name, rule.file) for rule in policy.rules] == [
        ("a", "system.yaml"),
        ("c", "user.yaml"),
        ("b", "prod (published)"),
    ]
    # What a cluster says of commands could only allow more, so it does not count.
    assert policy.commands == {"stern": "mfa", "ctx": "allow"}
    assert policy.files == ("system.yaml", "user.yaml", "prod (published)")
    assert decide(policy, read_command(["delete", "pod", "x"]), Target()).level == "top"


def test_a_published_policy_counts_on_its_own_cluster_and_where_the_cluster_is_unknown() -> None:
    policy = load(
        None,
        document("user", LEVELS),
        published=[published("prod[1]", LEVELS, "rules: [{name: b, do: [delete], clusters: [dev], needs: top}]")],
    )
    delete = read_command(["delete", "pod", "x"])
    effects = {
        cluster: decide(policy, delete, Target(cluster=cluster)).effect for cluster in ("prod[1]", "prod1", "dev", None)
    }
    assert effects == {"prod[1]": "stepup", "prod1": "allow", "dev": "allow", None: "stepup"}


def test_a_later_file_names_the_levels_of_the_systems() -> None:
    with pytest.raises(PolicyError, match=r"^user\.yaml:\d+: .*weak"):
        load(
            document("system", LEVELS),
            document("user", "rules: [{name: c, do: [stop], needs: weak}]"),
        )
