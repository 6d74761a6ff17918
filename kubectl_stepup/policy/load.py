"""Load the policy in force from its documents (pyyaml, through documents.yaml_file)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_stepup.errors import PolicyError
from kubectl_stepup.policy.document import merge, policy_from
from kubectl_stepup.policy.published import laid_over
from kubectl_stepup.policy.rule_index import index_of
from kubectl_stepup.yaml_edit import yaml_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_stepup.policy.model import Policy
    from kubectl_stepup.policy.published import Published
    from kubectl_stepup.yaml_edit.node import Node

DEFAULT_POLICY = Path(__file__).with_name("default-policy.yaml")
"""The policy where there is no user's file."""

STARTING_POLICY = Path(__file__).with_name("starting-policy.yaml")
"""The same with comments, for a team to start from."""

PROFILES = {
    "guarded": "",
    "read-only": """\
  - name: changes            # any other write: without asking one may only read
    do: [change]
    needs: mfa
""",
}
"""What each profile adds to the rules of the starting policy."""


Document = tuple[str, bytes]
"""The name and the content of a policy file."""


def load(system: Document | None, user: Document | None, *, published: Sequence[Published] = ()) -> Policy:
    """Return the policy that the system's file, the user's, and those that clusters publish make together.

    Where there is no user's file the default policy takes its place. Nobody's file lowers anybody else's: all rules
    count, levels are joined to the strictest (levels.py), and what a cluster publishes counts on that cluster alone.

    Raises:
        PolicyError: with the file and line of what is wrong.
    """
    first = None if system is None else policy_from(_node(system))
    levels = () if first is None else first.levels
    if user is None:
        default = yaml_file.read(DEFAULT_POLICY, error=PolicyError)
        policy = policy_from(default, levels=levels, elsewhere="strongest")
    else:
        policy = policy_from(_node(user), levels=levels)
    if first is not None:
        policy = merge(first, policy)
    if published:
        policy = laid_over(policy, published)
        policy = policy.replace(index=index_of(policy.rules))
    return policy


def _node(document: Document) -> Node:
    return yaml_file.parse(document[1], document[0], error=PolicyError)


def starting_policy(profile: str) -> str:
    """Return the text of the policy file that `policy init` writes, by one of `PROFILES`."""
    return STARTING_POLICY.read_text(encoding="utf-8") + PROFILES[profile]
