"""Load the policy in force from its documents (pyyaml, through documents.yaml_file)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_stepup.documents import yaml_file
from kubectl_stepup.errors import PolicyError
from kubectl_stepup.policy.document import merge, policy_from
from kubectl_stepup.policy.published import on_its_cluster, strictest, within_windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_stepup.documents.node import Node
    from kubectl_stepup.policy.model import Policy
    from kubectl_stepup.policy.published import Published

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
    """Give the policy that the system's file, those that clusters publish and the user's make together.

    The levels are those of the first of them; several clusters' make one by the strictest of each. Where there is no
    user's file the default policy takes its place. Its levels give way to theirs, and so do a user's own to those of
    clusters, which nobody could have foreseen.

    Raises:
        PolicyError: with the file and line of what is wrong.
    """
    policies = [] if system is None else [_parsed(system)]
    theirs = [one.policy.levels for one in published]
    if policies:
        policies[0] = policies[0].replace(levels=within_windows(policies[0].levels, theirs))
    levels = policies[0].levels if policies else strictest(theirs[0], theirs) if theirs else ()
    policies += [on_its_cluster(one, levels) for one in published]
    foreseen = user is not None and (system is not None or not published)
    document = yaml_file.read(DEFAULT_POLICY, error=PolicyError) if user is None else _node(user)
    policies.append(policy_from(document, levels=levels, stand_ins=not foreseen))
    return merge(policies)


def _node(document: Document) -> Node:
    return yaml_file.parse(document[1], document[0], error=PolicyError)


def _parsed(document: Document) -> Policy:
    return policy_from(_node(document))


def starting_policy(profile: str) -> str:
    """Give the text of the policy file that `policy init` writes, by one of `PROFILES`."""
    return STARTING_POLICY.read_text(encoding="utf-8") + PROFILES[profile]
