"""From an elevation that ends by itself to power that stays: nobody gets there below the highest level."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from tests.system.guarded.cluster import Guarded, wait_for_guards
from tests.system.guarded.escapes import OURS, Escape, escapes
from tests.system.guarded.policies import LADDER
from tests.system.guarded.roles import GUARDS, OPERATORS, bind
from tests.system.parts.kube_api import KubeAPI

pytestmark = pytest.mark.system

GUARD = "ValidatingAdmissionPolicy 'kubectl-stepup-"
ESCAPES = list(escapes())
every_escape = pytest.mark.parametrize("escape", ESCAPES, ids=[escape.name for escape in ESCAPES])


@pytest.fixture(scope="module")
def guarded(guarded_by: Callable[[str], Guarded]) -> Guarded:
    found = guarded_by(LADDER)
    bind(found.api.admin, "operators", "dev", OPERATORS)
    bind(found.api.admin, "guards", "stepup:critical:dev", GUARDS)
    wait_for_guards(found, "DELETE", "/api/v1/namespaces/shop/pods/web-0?dryRun=All")
    return found


def attempt(api: KubeAPI, escape: Escape, *, dry: bool) -> requests.Response:
    mark = "&" if "?" in escape.path else "?"
    path = f"{escape.path}{mark}dryRun=All" if dry else escape.path
    return api.request(escape.method, path, escape.body, escape.content_type, escape.headers)


@every_escape
@pytest.mark.parametrize("level", ["everyday", "mfa"])
def test_below_the_highest_level_it_is_refused(guarded: Guarded, escape: Escape, level: str) -> None:
    """SRV-04, SRV-05."""
    api = guarded.everyday() if level == "everyday" else guarded.elevated(level)
    answer = attempt(api, escape, dry=False)

    assert answer.status_code == 403, answer.text
    said = answer.json()["message"]
    assert (GUARD in said) is (escape.stopped_by == OURS), said
    if level == "mfa" and escape.stopped_by == OURS:
        assert "step-up to critical needed" in said


@every_escape
def test_at_the_highest_level_it_is_not(guarded: Guarded, escape: Escape) -> None:
    answer = attempt(guarded.elevated("critical"), escape, dry=True)

    assert (answer.status_code != 403) is escape.open_at_the_top, answer.text
    assert GUARD not in answer.text


def test_there_are_enough_of_them() -> None:
    assert len({escape.name for escape in ESCAPES}) == len(ESCAPES) >= 50


def test_lifting_pod_security_from_a_namespace_lifts_no_guard(guarded: Guarded) -> None:
    elevated = guarded.elevated()
    labels = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}
    relabelled = elevated.request("PATCH", "/api/v1/namespaces/shop", labels, "application/merge-patch+json")
    assert relabelled.status_code == 200

    privileged = next(escape for escape in ESCAPES if escape.name == "a privileged pod")
    assert attempt(elevated, privileged, dry=True).status_code == 403
