"""What somebody tries who can change files while, or after, a person steps up."""

from __future__ import annotations

from dataclasses import replace

from kubectl_stepup.kubectl.captured_input import CapturedInput
from kubectl_stepup.oidc.requirement import Evidence
from kubectl_stepup.stepup.evaluate import Flags, judge
from tests.support.fakes import FakeDiscovery
from tests.support.values import CLUSTER, CONFIG, PROVIDER, RESOLVED, asked, policy_of, repinned, session
from tests.support.world import World


def test_a_session_that_proved_something_else_is_not_reused() -> None:
    """The evidence of a level is changed in the config after the approval."""
    world = World()
    world.put(session())
    stricter = replace(PROVIDER, evidence={**PROVIDER.evidence, "mfa": Evidence(acr=("phr",))})
    wish = replace(asked("delete", "pod", "x"), provider=stricter)
    from kubectl_stepup.stepup.reuse import reusable

    assert reusable(asked("delete", "pod", "x"), world.store, scopes=("user",), now=world.moment()) is None
    found = reusable(wish, world.store, scopes=(wish.scope,), now=world.moment())
    kept = reusable(replace(wish, provider=PROVIDER), world.store, scopes=(wish.scope,), now=world.moment())
    assert (found, kept) == (None, session())


def decision_of(*words: str, server: str = CLUSTER.server) -> str:
    """Judge a command for the enrolled context, under a rule that is about other clusters alone."""
    policy = policy_of(rules='rules:\n  - {name: other, do: [delete], clusters: ["other-*"], needs: mfa}\n')
    world = World(contexts=(repinned(RESOLVED, server=server),))
    evaluation, _ = judge(
        words,
        Flags(),
        policy=policy,
        config=CONFIG,
        kubeconfig=world.kubeconfig,
        expand=lambda command: (command, CapturedInput()),
        discover=FakeDiscovery(),
    )
    return evaluation.decision.effect


def test_a_command_that_leads_to_another_cluster_meets_every_clusters_rules() -> None:
    assert decision_of("delete", "pod", "x") == "allow"
    assert decision_of("delete", "pod", "x", "--server=https://other.example.com") == "refuse"
    assert decision_of("delete", "pod", "x", "--cluster=other") == "refuse"


def test_a_context_that_was_pointed_elsewhere_since_meets_every_clusters_rules() -> None:
    assert decision_of("delete", "pod", "x", server="https://other.example.com") == "stepup"
