"""Load the policy in force from its documents (pyyaml, through documents.yaml_file)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_stepup.documents import yaml_file
from kubectl_stepup.errors import PolicyError
from kubectl_stepup.policy.document import merge, policy_from

if TYPE_CHECKING:
    from kubectl_stepup.policy.model import Policy

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


def load(system: Document | None, user: Document | None, *, published: Document | None = None) -> Policy:
    """Give the policy that the system's file, the one that the cluster publishes and the user's make together.

    The levels are those of the first of them. Where there is no user's file the default policy takes its place; its
    levels give way to theirs.

    Raises:
        PolicyError: with the file and line of what is wrong.
    """
    policies: list[Policy] = []
    for document in (system, published, user):
        if document is not None:
            levels = policies[0].levels if policies else ()
            policies.append(policy_from(yaml_file.parse(document[1], document[0], error=PolicyError), levels=levels))
    if user is None:
        default = yaml_file.read(DEFAULT_POLICY, error=PolicyError)
        policies.append(policy_from(default, levels=policies[0].levels if policies else (), stand_ins=True))
    return merge(policies)


def starting_policy(profile: str) -> str:
    """Give the text of the policy file that `policy init` writes, by one of `PROFILES`."""
    return STARTING_POLICY.read_text(encoding="utf-8") + PROFILES[profile]
