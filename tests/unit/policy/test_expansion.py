"""What actions stand for: the table that people see agrees with what the decision does."""

from __future__ import annotations

import pytest

from kubectl_stepup.enforce.targets.requests_cel import EXEMPT_KINDS
from kubectl_stepup.kubectl.request import ResourceAttributes
from kubectl_stepup.kubectl.resources import Resource, resource_in_path, resources_named
from kubectl_stepup.policy.actions import NAMES, actions_of
from kubectl_stepup.policy.expansion import ADMISSION, CLIENT, EXPANSIONS, RBAC, Expansion

ROWS = [(action, one) for action, expanded in EXPANSIONS.items() for one in expanded]


def requests(one: Expansion) -> list[ResourceAttributes]:
    """Return every request of a row, one for each verb and resource."""
    found: list[ResourceAttributes] = []
    for text in one.resources:
        words, _, subresource = text.partition("/")
        name, _, group = words.partition(".")
        resource = Resource(group="example.com", name="widgets") if name == "*" else resource_in_path(group, name)
        found.extend(ResourceAttributes(verb=verb, resource=resource, subresource=subresource) for verb in one.verbs)
    return found


def test_every_action_is_expanded() -> None:
    assert tuple(EXPANSIONS) == NAMES


@pytest.mark.parametrize(("action", "one"), ROWS, ids=[f"{action}-{one.resources[0]}" for action, one in ROWS])
def test_a_row_without_a_condition_is_that_action_whole(action: str, one: Expansion) -> None:
    decided = [action in actions_of(entry) for entry in requests(one)]

    # With a condition the attributes alone do not tell: a mark of the command or the manifest decides.
    assert all(decided) or (one.only and action in {"stop", "node", "run-as", "change"})


@pytest.mark.parametrize(("action", "one"), ROWS, ids=[f"{action}-{one.resources[0]}" for action, one in ROWS])
def test_resources_are_kubernetes_own(action: str, one: Expansion) -> None:
    for text in one.resources:
        words = text.partition("/")[0]
        if words in {"*", "users", "groups"}:
            continue
        (found,) = resources_named(words)
        assert found.built_in, text


def test_reads_and_admissions_own_policies_are_not_left_to_admission() -> None:
    for action, one in ROWS:
        reads = set(one.verbs) <= {"get", "list", "watch"} and not any("/" in name for name in one.resources)
        exempt = all(name.partition(".")[0] in EXEMPT_KINDS for name in one.resources)
        virtual = {"bind", "escalate", "impersonate"} >= set(one.verbs)
        assert (one.enforced_by == RBAC) == (reads or exempt or virtual), (action, one)
        assert one.enforced_by in {ADMISSION, RBAC, CLIENT}
