"""The screens of `policy show`."""

from __future__ import annotations

import re

from kubectl_stepup.policy.expansion import EXPANSIONS
from kubectl_stepup.ui.policy_screens import expansion_screen, policy_screen
from tests.support.values import policy_of

RULES = """
rules:
  - {name: deletes, do: [stop, delete], clusters: ["prod-*"], except: [{namespaces: ["sandbox-*"]}, {names: [a, b]}],
     needs: mfa}
  - {name: widgets, verbs: [update, get], apiGroups: ["", example.com], resources: [widgets/status], needs: critical}
  - {name: mass, do: [delete], labels: {env: [prod, dr]}, where: {all: true, objects: 10, dryRun: server}, needs: mfa,
     mode: warn}
commands: {stern: allow, ctx: mfa}
"""


def rows(screen: str) -> list[list[str]]:
    """Return the cells of each line."""
    return [re.split(r" {3,}", line) for line in screen.splitlines()]


def test_the_policy() -> None:
    assert rows(policy_screen(policy_of(RULES))) == [
        ["LEVEL", "SIGNED IN WITHIN", "ASK AGAIN AFTER", "REASON"],
        ["mfa", "15m", "10m", "<none>"],
        ["strong", "10m", "5m", "<none>"],
        ["critical", "5m", "each command", "required"],
        [""],
        ["RULE", "NEEDS", "WHAT", "WHERE", "MODE", "FROM"],
        [
            "deletes",
            "mfa",
            "do delete,stop",
            "clusters=prod-* not (namespaces=sandbox-*) not (names=a,b)",
            "enforce",
            "policy.yaml:10",
        ],
        [
            "widgets",
            "critical",
            "get,update widgets/status in (core),example.com",
            "everywhere",
            "enforce",
            "policy.yaml:12",
        ],
        ["mass", "mfa", "do delete", "env=prod,dr all=true objects=10 dryRun=server", "warn", "policy.yaml:13"],
        [""],
        ["COMMAND", "NEEDS"],
        ["ctx", "mfa"],
        ["stern", "allow"],
    ]


def test_the_expansion_has_a_row_for_each_kind_of_request() -> None:
    lines = expansion_screen(EXPANSIONS).splitlines()

    assert lines[0].split() == ["ACTION", "VERBS", "ENFORCED", "BY", "ONLY", "RESOURCES"]
    assert len(lines) == 1 + sum(map(len, EXPANSIONS.values()))
    assert not any("...[+" in line for line in lines)
