from __future__ import annotations

import json

import pytest

from kubectl_stepup.errors import (
    CommandRefused,
    InteractionRequired,
    StepUpDenied,
    StepUpError,
    StepUpExpired,
    TooWeak,
    UsageError,
)
from kubectl_stepup.secret import Secret
from kubectl_stepup.ui.errors import error_object, error_text

NOBODY = InteractionRequired(
    "step-up needed, but nobody can be asked (no terminal, CI=true)",
    hint="kubectl stepup login --context prod-eu --level mfa",
    details={
        "rules": ["prod-deletes"],
        "level": "mfa",
        "cluster": "prod-eu",
        "command": ("delete", "pod", "web-0"),
        "acr_values": "mfa gold",
        "max_age": 900,
    },
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            CommandRefused("policy refuses it", hint="kubectl stepup policy explain -- x"),
            "error: policy refuses it\nhint: kubectl stepup policy explain -- x",
        ),
        (CommandRefused("no hint"), "error: no hint"),
        (
            StepUpDenied(
                "step-up denied by login.example.com (access_denied: The user cancelled)",
                details={"why": "kubectl stepup policy explain -- delete pod web-0"},
            ),
            "error: step-up denied by login.example.com (access_denied: The user cancelled)\n"
            "Nothing was run. To try again, repeat the command.\n"
            "Why a step-up is needed: kubectl stepup policy explain -- delete pod web-0",
        ),
        (
            StepUpExpired("code WDJB-MJHT expired after 15m without approval", details={"trouble": "no route"}),
            "error: code WDJB-MJHT expired after 15m without approval\n"
            "Nothing was run. Repeat the command for a new code.\n"
            "Last problem: no route",
        ),
        (
            TooWeak(
                "you signed in, but not strongly enough: wanted acr=mfa, got acr=pwd (amr=pwd)",
                hint="kubectl stepup doctor --context prod-eu",
                details={"explanation": "the identity provider ignored acr_values"},
            ),
            "error: you signed in, but not strongly enough: wanted acr=mfa, got acr=pwd (amr=pwd)\n"
            "Nothing was run; the token was discarded.\n"
            "The identity provider ignored acr_values.\n"
            "hint: kubectl stepup doctor --context prod-eu",
        ),
        (
            NOBODY,
            "error: step-up needed, but nobody can be asked (no terminal, CI=true)\n"
            "  rule     prod-deletes, level mfa\n"
            "  cluster  prod-eu\n"
            "  command  kubectl delete pod web-0\n"
            "Nothing was run. Step up in a terminal first, or give the job an identity of its own.\n"
            "hint: kubectl stepup login --context prod-eu --level mfa",
        ),
        (
            InteractionRequired("nobody", details={"level": "mfa", "rules": [], "cluster": None}),
            "error: nobody\n"
            "  level    mfa\n"
            "Nothing was run. Step up in a terminal first, or give the job an identity of its own.",
        ),
        (UsageError("choose from:\n\ta,\n\tb"), "error: choose from: a, b"),
        (
            CommandRefused("context x\nApproved: \x1b[2J[/nope]", hint="a\nb"),
            "error: context x\\nApproved: \\u{1b}[2J[/nope]\nhint: a\\nb",
        ),
    ],
    ids=lambda value: value.code if isinstance(value, StepUpError) else "",
)
def test_an_error_in_lines(error: StepUpError, text: str) -> None:
    assert error_text(error) == text


def test_an_error_as_an_object() -> None:
    assert error_object(CommandRefused("no", hint="type this", details={"flags": ("--as",), "n": 1})) == {
        "apiVersion": "kubectl-stepup.github.io/v1alpha1",
        "kind": "Error",
        "code": "command-refused",
        "message": "no",
        "hint": "type this",
        "details": {"flags": ["--as"], "n": 1},
    }


def test_what_is_missing_is_left_out() -> None:
    assert error_object(CommandRefused("no")).keys() == {"apiVersion", "kind", "code", "message"}


def test_a_refusal_for_lack_of_a_person_is_a_challenge() -> None:
    """RFC 9470 section 3."""
    found = error_object(NOBODY)
    assert found["error"] == "insufficient_user_authentication"
    assert found["error_description"] == "step-up needed, but nobody can be asked (no terminal, CI=true)"
    assert found["acr_values"] == "mfa gold"
    assert found["max_age"] == 900
    assert found["code"] == "interaction-required"
    details = found["details"]
    assert isinstance(details, dict)
    assert details.keys() == {"rules", "level", "cluster", "command"}


def test_a_challenge_without_acr_values_does_not_name_them() -> None:
    found = error_object(InteractionRequired("nobody", details={"acr_values": "", "max_age": 0}))
    assert "acr_values" not in found
    assert found["max_age"] == 0
    assert "details" not in found


def test_details_are_json_whatever_they_are() -> None:
    error = CommandRefused("no", details={"secret": Secret("hunter2"), "set": {"a"}, "deep": [{"x": ({1: None},)}]})
    found = json.loads(json.dumps(error_object(error)))
    assert found["details"] == {"secret": "[redacted]", "set": ["a"], "deep": [{"x": [{"1": None}]}]}
