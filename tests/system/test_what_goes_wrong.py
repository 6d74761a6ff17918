"""What a real provider can do to a step-up: each time nothing runs, the reason is said, and it is in the record.

Each provider has clients for which it does one thing wrong. Denials and other persons are in `test_the_story`.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.system.lab import home
from tests.system.lab.lab import Desk
from tests.system.parts.oauth_client import OAuthClient
from tests.system.parts.person import Person
from tests.system.parts.processes import wait_until
from tests.system.parts.signing_keys import published, rotate

pytestmark = pytest.mark.system

# Keycloak's endpoint ignores step-up parameters (`test_keycloak`), so a client without a flow of its own does too.
LAX = {"oidc-provider": "kubectl-lax", "keycloak": "kubectl-everyday-flow"}
FORGETFUL = {"oidc-provider": "kubectl-forgetful", "keycloak": "kubectl-everyday-flow"}
HASTY = "kubectl-hasty"
# Keycloak leaves out, without a word, a scope that the client does not have.
NARROW = {"oidc-provider": "kubectl-narrow", "keycloak": "kubectl-elevated"}
UNGRANTED = {"oidc-provider": "groups", "keycloak": "kube-admin"}
OLD_S = 7
"""Older than `--fresh` allows: five seconds before the start, which is the allowance for clocks."""


def with_client(desk: Desk, client_id: str, *more: str) -> None:
    """Enrol again, with another client for step-ups."""
    words = [*home.enrolment(desk.environ, desk.lab.provider), "--elevated-client-id", client_id, *more]
    done = desk.stepup(*words)
    assert done.code == 0, done.screen


def last_record(desk: Desk) -> dict[str, Any]:
    file = Path(desk.environ["HOME"]) / ".local/state/kubectl-stepup/audit.jsonl"
    found: dict[str, Any] = json.loads(file.read_text().splitlines()[-1])
    return found


def refused(desk: Desk, said: str, result: str, *flags: str, decide: str | None = "approve") -> None:
    """Try to delete a pod, in vain."""
    ran = desk.stepup("exec", *flags, "--", "delete", "pod", "web-0", decide=decide)

    assert (ran.code, said in ran.screen) == (125, True), ran.screen
    assert "Approved" not in ran.screen
    assert last_record(desk)["result"] == result
    assert desk.has_pod("web-0")


def test_a_sign_in_without_the_second_factor(desk: Desk) -> None:
    provider = desk.lab.provider
    with_client(desk, LAX[provider.name])

    said = f"not strongly enough: wanted acr={provider.mfa}, got acr={provider.password_only}"
    refused(desk, said, "too-weak")


def test_an_old_session_answers(desk: Desk) -> None:
    provider = desk.lab.provider
    client = FORGETFUL[provider.name]
    with_client(desk, client, "--evidence", f"mfa:acr={provider.mfa},{provider.password_only}")
    OAuthClient(provider=provider, client_id=client).id_token(desk.person, acr_values=provider.mfa)
    signed_in = time.time()
    wait_until(lambda: time.time() > signed_in + OLD_S, "an old session", within_s=OLD_S + 5)

    refused(desk, "not freshly enough: the sign-in is ", "not-fresh", "--fresh")


def test_nobody_comes_in_time(desk: Desk) -> None:
    with_client(desk, HASTY)
    began = time.monotonic()

    refused(desk, "expired after 5s without approval", "expired", decide=None)

    assert 5 <= time.monotonic() - began < 60


def test_somebody_comes_too_late(desk: Desk) -> None:
    with_client(desk, HASTY)

    refused(replace(desk, person=_Late(desk.lab.provider)), "expired after 5s without approval", "expired")


class _Late(Person):
    """Somebody who comes when the code has gone."""

    def approve(self, verification_uri: str, user_code: str) -> str:
        time.sleep(6)
        with pytest.raises(AssertionError, match="more than 8 pages"):  # the code is asked for again and again
            super().approve(verification_uri, user_code)
        return "too late"


def test_a_scope_that_the_level_needs_is_not_granted(desk: Desk) -> None:
    provider = desk.lab.provider
    scope = UNGRANTED[provider.name]
    with_client(desk, NARROW[provider.name], "--evidence", f"mfa:scope={scope}")
    config = Path(desk.environ["HOME"]) / ".config/kubectl-stepup/config.yaml"
    enrolled = yaml.safe_load(config.read_text())
    enrolled["providers"][0]["scopes"] = ["openid", scope]
    config.write_text(yaml.safe_dump(enrolled))

    refused(desk, f"not strongly enough: wanted scope={scope}, got scope=openid", "too-weak")


def test_a_key_that_is_rotated_while_the_person_decides(desk: Desk) -> None:
    provider = desk.lab.provider
    before = published(provider)
    slow = replace(desk, person=_Rotating(provider))

    ran = slow.stepup("exec", "--", "delete", "pod", "web-0", decide="approve")

    assert published(provider) - before, "no new key"
    assert (ran.code, 'pod "web-0" deleted' in ran.screen) == (0, True), ran.screen


class _Rotating(Person):
    """Somebody who takes so long that the provider gets another signing key meanwhile."""

    def approve(self, verification_uri: str, user_code: str) -> str:
        rotate(self.provider)
        return super().approve(verification_uri, user_code)
