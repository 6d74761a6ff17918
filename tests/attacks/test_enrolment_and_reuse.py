"""What somebody tries who can change files while, or after, a person steps up."""

from __future__ import annotations

from dataclasses import replace

from kubectl_stepup.oidc.requirement import Evidence
from kubectl_stepup.stepup.evaluate import evaluate, parse
from kubectl_stepup.stepup.options import TargetOptions
from tests.support.values import CLUSTER, PROVIDER, RESOLVED, asked, policy_of, repinned, session
from tests.support.world import World


def test_a_session_that_proved_something_else_is_not_reused() -> None:
    """The evidence of a level is changed in the config after the approval."""
    world = World()
    world.put(session())
    stricter = replace(PROVIDER, evidence={**PROVIDER.evidence, "mfa": Evidence(acr=("phr",))})
    request = replace(asked("delete", "pod", "x"), provider=stricter)
    from kubectl_stepup.stepup.reuse import reusable

    assert reusable(asked("delete", "pod", "x"), world.store, scopes=("user",), now=world.moment()) is None
    found = reusable(request, world.store, scopes=(request.scope,), now=world.moment())
    kept = reusable(replace(request, provider=PROVIDER), world.store, scopes=(request.scope,), now=world.moment())
    assert (found, kept) == (None, session())


def decision_of(*words: str, server: str = CLUSTER.server) -> str:
    """Evaluate a command for the enrolled context, under a rule that is about other clusters alone."""
    policy = policy_of(rules='rules:\n  - {name: other, do: [delete], clusters: ["other-*"], needs: mfa}\n')
    world = World(policy=policy, contexts=(repinned(RESOLVED, server=server),))
    evaluation, _ = evaluate(*parse(words, TargetOptions()), world)
    return evaluation.decision.effect


def test_a_command_that_leads_to_another_cluster_meets_every_clusters_rules() -> None:
    assert decision_of("delete", "pod", "x") == "allow"
    assert decision_of("delete", "pod", "x", "--server=https://other.example.com") == "refuse"
    assert decision_of("delete", "pod", "x", "--cluster=other") == "refuse"


def test_a_context_that_was_pointed_elsewhere_since_meets_every_clusters_rules() -> None:
    assert decision_of("delete", "pod", "x", server="https://other.example.com") == "stepup"
