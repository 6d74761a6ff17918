"""Where the server holds one command to a rule."""

from __future__ import annotations

import pytest

from kubectl_stepup.enforce.served import Served, served
from kubectl_stepup.kubectl.command import read
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.model import Target
from tests.unit.enforce.policies import PROD, policy

RULES = policy(
    "name: deletes, do: [delete, stop], needs: mfa",
    "name: secrets, do: [read-secrets], needs: mfa",
    "name: power, do: [grant, protect, mint, node], needs: critical",
    "name: mass, do: [delete], where: {all: true}, needs: critical",
    "name: quiet, do: [read-secrets], needs: mfa, mode: audit",
    "name: gently, do: [change], needs: mfa, mode: warn",
    "name: widgets, verbs: [update, get], apiGroups: [example.com], resources: [widgets, widgets/status], needs: mfa",
    "name: shells, verbs: [create], resources: [pods/exec], needs: mfa",
)
DELETES = "refused by admission (policy kubectl-stepup-deletes)"
GENTLY = "warned of by admission (policy kubectl-stepup-gently)"


def of(words: str) -> dict[str, Served]:
    decision = decide(RULES, read(words.split()), Target(cluster=PROD.name, labels=PROD.labels, namespace="shop"))
    found = map(served, (*decision.rules, *decision.warned, *decision.audited))
    return {one.rule: one for one in found}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("delete pod x", {"deletes": DELETES}),
        (
            "delete pods --all",
            {
                "deletes": DELETES,
                "mass": "client only: `where` is about the command line, which no server sees",
            },
        ),
        ("drain n", {"deletes": DELETES}),
        ("cordon n", {"deletes": DELETES}),
        # What stops nothing, as it was stopped before, is a change to the server.
        ("scale deploy/x --replicas=0", {"deletes": DELETES, "gently": GENTLY}),
        ("rollout pause deploy/x", {"deletes": DELETES, "gently": GENTLY}),
        ("rollout undo deploy/x", {"deletes": "client only: rollout undo", "gently": GENTLY}),
        (
            "get secret x",
            {"secrets": "by RBAC alone (get secrets)", "quiet": "client only: RBAC has no mode audit"},
        ),
        ("create token x", {"power": "refused by admission (policy kubectl-stepup-power)"}),
        ("get pods --as=x", {"power": "by RBAC alone (impersonate users)"}),
        # Admission control is never asked about its own objects, whatever the rule.
        (
            "delete validatingadmissionpolicybinding x",
            {
                "deletes": "by RBAC alone (delete validatingadmissionpolicybindings)",
                "power": "by RBAC alone (delete validatingadmissionpolicybindings)",
            },
        ),
        ("label configmap a b=c", {"gently": GENTLY}),
        ("get widgets.v1.example.com w", {"widgets": "by RBAC alone (get widgets)"}),
        ("exec x -- ls", {"shells": "refused by admission (policy kubectl-stepup-shells)"}),
        ("get pods", {}),
    ],
)
def test_a_command(words: str, expected: dict[str, str]) -> None:
    assert {rule: one.words for rule, one in of(words).items()} == expected


def test_what_nobody_has_read_could_be_anything() -> None:
    found = of("apply -f https://example.com/x.yaml")

    assert found["power"].by == ("admission", "rbac")
    assert found["secrets"].words == "by RBAC alone"
