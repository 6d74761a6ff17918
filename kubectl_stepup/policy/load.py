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


def load(system: tuple[str, bytes] | None, user: tuple[str, bytes] | None) -> Policy:
    """Give the policy that the system's and the user's file (name and content) make together.

    Where there is no user's file the default policy takes its place; its levels give way to the system's.

    Raises:
        PolicyError: with the file and line of what is wrong.
    """
    policies: list[Policy] = []
    if system is not None:
        policies.append(policy_from(yaml_file.parse(system[1], system[0], error=PolicyError)))
    levels = policies[0].levels if policies else ()
    if user is not None:
        policies.append(policy_from(yaml_file.parse(user[1], user[0], error=PolicyError), levels=levels))
    else:
        default = yaml_file.read(DEFAULT_POLICY, error=PolicyError)
        policies.append(policy_from(default, levels=levels, stand_ins=True))
    return merge(policies)


def starting_policy(profile: str) -> str:
    """Give the text of the policy file that `policy init` writes, by one of `PROFILES`."""
    return STARTING_POLICY.read_text(encoding="utf-8") + PROFILES[profile]
