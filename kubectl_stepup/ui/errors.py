"""Write errors for people and for programs.

Beside message and hint an error may have in its `details`: `explanation` (a sentence on the cause), `why` (a command
that explains the step-up), `trouble` (the last problem while waiting), and for `interaction-required` `rules`, `level`,
`cluster`, `command`, `acr_values`, `max_age`.

Spec: RFC 9470 section 3 for a step-up that needs a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.errors import InteractionRequired, StepUpDenied, StepUpExpired, TokenRejected, UsageError
from kubectl_stepup.names import API_VERSION
from kubectl_stepup.sanitise import safe
from kubectl_stepup.ui.command_line import kubectl_line

if TYPE_CHECKING:
    from kubectl_stepup.errors import StepUpError

KIND = "Error"

MESSAGE_LIMIT = 2000

INSUFFICIENT_USER_AUTHENTICATION = "insufficient_user_authentication"
_DETAILS = (
    ("explanation", "{}."),
    ("trouble", "Last problem: {}"),
    ("why", "Why a step-up is needed: {}"),
    ("help", "{}"),
    ("runbook", "Runbook: {}"),
)
_CHALLENGE = ("acr_values", "max_age")


def error_text(error: StepUpError) -> str:
    """Write an error in lines: `error: …`, what happened to the command, and last the hint."""
    lines = [f"error: {_message(error)}", *_facts(error), *_consequence(error)]
    for name, words in _DETAILS:
        value = error.details.get(name)
        if isinstance(value, str) and value:
            shown = safe(value, MESSAGE_LIMIT)
            lines.append(words.format(shown[:1].upper() + shown[1:] if name == "explanation" else shown))
    if error.hint:
        lines.append(f"hint: {safe(error.hint, MESSAGE_LIMIT)}")
    return "\n".join(lines)


def error_object(error: StepUpError) -> dict[str, object]:
    """Return the object for `-o json`; where a person is missing it is an RFC 9470 challenge too."""
    members: dict[str, object] = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "code": error.code,
        "message": error.message,
    }
    if error.hint is not None:
        members["hint"] = error.hint
    details = {str(name): _plain(value) for name, value in error.details.items()}
    if isinstance(error, InteractionRequired):
        members["error"] = INSUFFICIENT_USER_AUTHENTICATION
        members["error_description"] = error.message
        members.update({name: details.pop(name) for name in _CHALLENGE if details.get(name) not in (None, "")})
        details = {name: value for name, value in details.items() if name not in _CHALLENGE}
    if details:
        members["details"] = details
    return members


def _message(error: StepUpError) -> str:
    # click lists choices over several lines; any other line break is foreign and shown as an escape.
    text = " ".join(error.message.split()) if isinstance(error, UsageError) else error.message
    return safe(text, MESSAGE_LIMIT)


def _facts(error: StepUpError) -> list[str]:
    """Return the rule, cluster and command that need the person."""
    if not isinstance(error, InteractionRequired):
        return []
    lines = []
    rules, level = _texts(error.details.get("rules")), error.details.get("level")
    if isinstance(level, str) and level:
        named = f"{', '.join(safe(rule, 200) for rule in rules)}, " if rules else ""
        lines.append(f"  {'rule ' if rules else 'level'}    {named}{'level ' if rules else ''}{safe(level, 40)}")
    cluster = error.details.get("cluster")
    if isinstance(cluster, str) and cluster:
        lines.append(f"  cluster  {safe(cluster, 80)}")
    command = _texts(error.details.get("command"))
    if command:
        lines.append(f"  command  {kubectl_line(command)}")
    return lines


def _consequence(error: StepUpError) -> list[str]:
    match error:
        case StepUpDenied():
            return ["Nothing was run. To try again, repeat the command."]
        case StepUpExpired():
            return ["Nothing was run. Repeat the command for a new code."]
        case TokenRejected():
            return ["Nothing was run; the token was discarded."]
        case InteractionRequired():
            return ["Nothing was run. Step up in a terminal first, or give the job an identity of its own."]
        case _:
            return []


def _texts(value: object) -> list[str]:
    if not isinstance(value, list | tuple):
        return []
    return [item for item in value if isinstance(item, str)]


def _plain(value: object) -> object:
    """Return a value for JSON; any other type as its text (a Secret's is `[redacted]`)."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return str(value)
