"""What a guarded server says in each mode: to the person at kubectl, to programs, and to the audit log."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.request import parse_http_list, parse_keqv_list

import pytest

from tests.system.guarded.cluster import BREAK_GLASS, EVERYDAY, Guarded, enforce, wait_for_guards
from tests.system.guarded.policies import DEFAULT, MODES
from tests.system.guarded.roles import allow_everything
from tests.system.parts.kube_api import KubeAPI
from tests.system.recorder import fixture
from tests.system.recorder.fixture import POD_SPEC

pytestmark = pytest.mark.system

DENIED = "ValidatingAdmissionPolicy 'kubectl-stepup-{0}' with binding 'kubectl-stepup-{0}' denied request: "
MFA = (
    'error="insufficient_user_authentication", acr_values="gold", max_age="900"; run: kubectl stepup exec -- {command}'
)
CRITICAL = (
    'error="insufficient_user_authentication", acr_values="phr", max_age="300"; run: kubectl stepup exec -- {command}; '
    "help: call #sre; runbook: https://wiki.example/power"
)
SHOP = "step-up to mfa needed (rule deletes: ask the platform team's 'on call'); "


@pytest.fixture(scope="module")
def guarded(guarded_by: Callable[[str], Guarded]) -> Guarded:
    found = guarded_by(DEFAULT)
    admin = found.api.admin
    for group in ("dev", BREAK_GLASS, "machines"):
        allow_everything(admin, group)
    fixture.restore(admin)
    admin.create("/api/v1/namespaces/sandbox/pods", {"metadata": {"name": "web-0"}, "spec": POD_SPEC})
    enforce(found, MODES)
    wait_for_guards(found, "DELETE", pod("shop") + "?dryRun=All", rule="deletes")
    return found


def pod(namespace: str, name: str = "web-0") -> str:
    return f"/api/v1/namespaces/{namespace}/pods/{name}"


def recorded(guarded: Guarded, api: KubeAPI, method: str, path: str, body: Any = None) -> dict[str, str]:
    """Send a request and give what the audit log says of it."""
    answer = api.request(method, path, body)
    events = [event for event in guarded.api.audit_events() if event["auditID"] == answer.headers["Audit-Id"]]
    found: dict[str, str] = events[-1].get("annotations", {})
    return {key: value for key, value in found.items() if not key.startswith("authorization.k8s.io/")}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            "delete pod web-0 -n shop",
            'Error from server (Forbidden): pods "web-0" is forbidden: '
            + DENIED.format("deletes")
            + SHOP
            + MFA.format(command="delete pods web-0 -n shop"),
        ),
        (
            "delete pod web-0 web-1 -n shop",
            'Error from server (Forbidden): pods "web-0" is forbidden: '
            + DENIED.format("deletes")
            + SHOP
            + MFA.format(command="delete pods web-0 -n shop")
            + '\nError from server (Forbidden): pods "web-1" is forbidden: '
            + DENIED.format("deletes")
            + SHOP
            + MFA.format(command="delete pods web-1 -n shop"),
        ),
        (
            "create clusterrolebinding mine --clusterrole=cluster-admin --user=alice",
            "error: failed to create clusterrolebinding: "
            'clusterrolebindings.rbac.authorization.k8s.io "mine" is forbidden: '
            + DENIED.format("power")
            + "step-up to critical needed (rule power); "
            + CRITICAL.format(command="..."),
        ),
        (
            "label clusterrole ops a=b",
            'Error from server (Forbidden): clusterroles.rbac.authorization.k8s.io "ops" is forbidden: '
            + DENIED.format("power")
            + "step-up to critical needed (rule power); "
            + CRITICAL.format(command="..."),
        ),
    ],
)
def test_what_kubectl_prints(guarded: Guarded, command: str, said: str) -> None:
    done = guarded.kubectl(*command.split(), token=guarded.token(aud=EVERYDAY, acr="silver"))

    assert (done.returncode, done.stdout, done.stderr.rstrip("\n")) == (1, "", said)


def test_the_challenge_is_for_programs(guarded: Guarded) -> None:
    """RFC 9470 section 3, in the form of RFC 9110 section 11.2."""
    refused = guarded.everyday().request("DELETE", pod("shop")).json()
    (cause,) = refused["details"]["causes"]
    challenge = parse_keqv_list(parse_http_list(cause["message"].split("; ")[1]))

    assert (refused["code"], refused["reason"]) == (403, "Forbidden")
    assert challenge == {"error": "insufficient_user_authentication", "acr_values": "gold", "max_age": "900"}


def test_a_drain_says_it_too(guarded: Guarded) -> None:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web-0", "namespace": "shop"}}
    refused = guarded.everyday().request("POST", f"{pod('shop')}/eviction", eviction)

    assert refused.json()["message"].endswith(SHOP + MFA.format(command="..."))


def test_warn_passes_and_warns(guarded: Guarded) -> None:
    everyday = guarded.kubectl(
        *["delete", "pod", "web-0", "-n", "prod", "--dry-run=server"], token=guarded.token(aud=EVERYDAY, acr="silver")
    )
    assert everyday.returncode == 0
    assert everyday.stderr.rstrip("\n") == (
        "Warning: Validation failed for ValidatingAdmissionPolicy 'kubectl-stepup-warned' with binding "
        "'kubectl-stepup-warned': step-up to critical needed (rule warned); "
        + CRITICAL.format(command="delete pods web-0 -n prod")
    )

    dry = pod("prod") + "?dryRun=All"
    warned = guarded.elevated("mfa").request("DELETE", dry)
    assert (warned.status_code, "step-up to critical needed" in warned.headers["Warning"]) == (200, True)
    assert "Warning" not in guarded.elevated("critical").request("DELETE", dry).headers
    found = recorded(guarded, guarded.everyday(), "DELETE", dry)
    assert found == {"kubectl-stepup-warned/step-up": "critical: missing"}


def test_audit_passes_in_silence_and_is_recorded(guarded: Guarded) -> None:
    dry = pod("sandbox") + "?dryRun=All"
    passed = guarded.everyday().request("DELETE", dry)
    assert (passed.status_code, "Warning" in passed.headers) == (200, False)

    found = recorded(guarded, guarded.everyday(), "DELETE", dry)
    assert found.pop("kubectl-stepup-recorded/step-up") == "mfa: missing"
    assert "step-up to mfa needed (rule recorded)" in found.pop("validation.policy.admission.k8s.io/validation_failure")
    assert found == {}
    found = recorded(guarded, guarded.elevated(), "DELETE", dry)
    assert found == {"kubectl-stepup-recorded/step-up": "mfa: stepped up"}


def test_enforce_is_recorded_too(guarded: Guarded) -> None:
    dry = pod("shop") + "?dryRun=All"
    key = "kubectl-stepup-deletes/step-up"

    assert recorded(guarded, guarded.everyday(), "DELETE", dry) == {key: "mfa: missing"}
    assert recorded(guarded, guarded.elevated(), "DELETE", dry) == {key: "mfa: stepped up"}
    assert recorded(guarded, guarded.elevated("critical"), "DELETE", dry) == {key: "mfa: stepped up"}
    # What is not sensitive is nobody's business, nor is a machine.
    assert recorded(guarded, guarded.everyday(), "GET", pod("shop")) == {}
    configmap = {"metadata": {"name": "settings-2"}}
    path = "/api/v1/namespaces/shop/configmaps?dryRun=All"
    assert recorded(guarded, guarded.everyday(), "POST", path, configmap) == {}
    assert recorded(guarded, guarded.api.admin, "DELETE", dry) == {}
    machine = guarded.api.as_owner(guarded.api.certificate("backup", "machines"))
    assert recorded(guarded, machine, "DELETE", dry) == {}


def test_break_glass_passes_and_is_annotated_loudly(guarded: Guarded) -> None:
    carol = guarded.api.as_owner(guarded.api.certificate("carol", BREAK_GLASS))
    dry = pod("shop") + "?dryRun=All"

    assert carol.request("DELETE", dry).status_code == 200
    said = "BREAK-GLASS: carol passed without mfa"
    assert recorded(guarded, carol, "DELETE", dry) == {"kubectl-stepup-deletes/step-up": said}
    roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles?dryRun=All"
    said = "BREAK-GLASS: carol passed without critical"
    assert recorded(guarded, carol, "POST", roles, {"metadata": {"name": "mine"}}) == {
        "kubectl-stepup-power/step-up": said
    }


@pytest.mark.parametrize("claims", [{"groups": [BREAK_GLASS]}, {"groups": BREAK_GLASS}, {"sub": "carol"}])
def test_no_token_is_break_glass(guarded: Guarded, claims: dict[str, Any]) -> None:
    claims = {"groups": ["dev"], **claims}
    everyday = guarded.everyday(**claims)
    assert BREAK_GLASS not in everyday.whoami()["groups"]
    refused = everyday.request("DELETE", pod("shop") + "?dryRun=All")
    assert refused.status_code == 403
    assert re.search("kubectl-stepup-deletes|cannot delete", refused.text)


def test_nobody_may_be_chosen_for_break_glass(guarded: Guarded) -> None:
    enforce(guarded, MODES, "--no-break-glass")
    path = pod("shop") + "?dryRun=All"
    wait_for_guards(guarded, "DELETE", path, rule="deletes")

    # A certificate is a machine's then: it passes, and nothing says that it was let through.
    carol = guarded.api.as_owner(guarded.api.certificate("carol", BREAK_GLASS))
    assert recorded(guarded, carol, "DELETE", path) == {}
