"""An audit event: who requested what, what was proven, and how it ended.

The words are those of the Kubernetes audit log (`auditID`, `stage`), so that both can be joined by user and time.

Spec: Kubernetes audit.k8s.io/v1 Event; RFC 3339 for times; RFC 8176 for `amr`.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from kubectl_stepup.audit.redaction import cap, redacted, text
from kubectl_stepup.names import API_VERSION

KIND = "AuditEvent"

NAME_LIMIT = 512
"""Characters kept of a name (user, issuer, context); a longer one is nobody's."""

NAMES_LIMIT = 64
"""Entries kept of a list of rules or methods."""

CLOCK_SET_BACK = "clock-set-back"
"""The `result` where a session was dropped that had been approved later than now."""


class Stage(enum.StrEnum):
    """When the event was written: the one before a run and the one after it share an `auditID`."""

    REQUEST_RECEIVED = "RequestReceived"
    RESPONSE_COMPLETE = "ResponseComplete"


class Activity(enum.StrEnum):
    """What is recorded."""

    ELEVATION = "elevation"
    RUN = "run"
    REFUSAL = "refusal"
    LOGOUT = "logout"
    SETUP = "setup"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEvidence:
    """What the ID token proved. Times are seconds since the epoch; `jti_sha256` is `fingerprint(jti)`."""

    acr: str | None = None
    amr: tuple[str, ...] = ()
    auth_time: int | None = None
    exp: int | None = None
    jti_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One thing that happened. Secrets leave `command` and `reason` when it is written, not before.

    `audit_id` is a UUID as text, `time` seconds since the epoch. `result` is one kebab-case word: `approved`, `reused`,
    `timed-out`, `logged-out`, `clock-set-back`, `enrolled`, or the code of the error that refused (`denied`,
    `too-weak`, `command-refused`). `exit_code` is the child's, in the later event. `account` is what the
    account claim says, `user` what people call it. `command` is kubectl's arguments, `summary` what the prompt begins
    with. `parent` is the `audit_id` of the elevated run that this happened inside of.
    """

    audit_id: str
    stage: Stage
    activity: Activity
    time: float
    result: str
    user: str | None = None
    account: str | None = None
    issuer: str | None = None
    context: str | None = None
    cluster: str | None = None
    level: str | None = None
    summary: str | None = None
    command: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    reason: str | None = None
    evidence: TokenEvidence | None = None
    exit_code: int | None = None
    pid: int | None = None
    terminal: str | None = None
    parent: str | None = None
    version: str | None = None

    @property
    def elevates(self) -> bool:
        """Whether something elevated follows: a session that serves, or a command that starts, also inside another."""
        starts = self.activity is Activity.RUN and self.stage is Stage.REQUEST_RECEIVED
        return self.activity is Activity.ELEVATION or (starts and (self.level or self.parent) is not None)

    def to_json(self) -> dict[str, object]:
        """Return the members of the line: redacted, capped, without those that are not set."""
        members: dict[str, object] = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "auditID": _name(self.audit_id),
            "stage": self.stage.value,
            "activity": self.activity.value,
            "time": rfc3339(self.time),
            "result": _name(self.result),
            "command": [_encodable(argument) for argument in redacted(self.command)] or None,
            "rules": _names(self.rules) or None,
            "reason": None if self.reason is None else _encodable(text(self.reason)),
            "evidence": None if self.evidence is None else _evidence_to_json(self.evidence),
            "exitCode": self.exit_code,
            "pid": self.pid,
        }
        for name in _TEXT_MEMBERS:
            value = getattr(self, name)
            members[name] = None if value is None else _name(value)
        return {name: value for name, value in members.items() if value is not None}

    @classmethod
    def from_json(cls, members: dict[str, object]) -> AuditEvent | None:
        """Read the members of a line; None where one has a type or a word that no version of ours writes."""
        try:
            return cls(
                audit_id=_text(members["auditID"]),
                stage=Stage(_text(members["stage"])),
                activity=Activity(_text(members["activity"])),
                time=datetime.fromisoformat(_text(members["time"])).timestamp(),
                result=_text(members["result"]),
                command=_texts(members.get("command")),
                rules=_texts(members.get("rules")),
                reason=_optional_text(members.get("reason")),
                evidence=_evidence_from_json(members.get("evidence")),
                exit_code=_optional_integer(members.get("exitCode")),
                pid=_optional_integer(members.get("pid")),
                **{name: _optional_text(members.get(name)) for name in _TEXT_MEMBERS},
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            return None


_TEXT_MEMBERS = (
    "user",
    "account",
    "issuer",
    "context",
    "cluster",
    "level",
    "summary",
    "terminal",
    "parent",
    "version",
)


def fingerprint(identifier: str) -> str:
    """Return the SHA-256 of a token's `jti`, in hex: enough to join audit logs, too little to replay."""
    return hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).hexdigest()


def rfc3339(seconds: float) -> str:
    """Write seconds since the epoch as Kubernetes' MicroTime does, in UTC: `2026-11-21T12:28:00.000000Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _evidence_to_json(evidence: TokenEvidence) -> dict[str, object]:
    members: dict[str, object] = {
        "acr": None if evidence.acr is None else _name(evidence.acr),
        "amr": _names(evidence.amr) or None,
        "authTime": evidence.auth_time,
        "exp": evidence.exp,
        "jtiSHA256": evidence.jti_sha256,
    }
    return {name: value for name, value in members.items() if value is not None}


def _evidence_from_json(node: object) -> TokenEvidence | None:
    if node is None:
        return None
    if not isinstance(node, dict):
        raise TypeError
    return TokenEvidence(
        acr=_optional_text(node.get("acr")),
        amr=_texts(node.get("amr")),
        auth_time=_optional_integer(node.get("authTime")),
        exp=_optional_integer(node.get("exp")),
        jti_sha256=_optional_text(node.get("jtiSHA256")),
    )


def _name(value: str) -> str:
    return _encodable(cap(value, NAME_LIMIT))


def _names(values: tuple[str, ...]) -> list[str]:
    kept = [_name(value) for value in values[:NAMES_LIMIT]]
    return kept if len(values) <= NAMES_LIMIT else [*kept, f"...[+{len(values) - NAMES_LIMIT}]"]


def _encodable(value: str) -> str:
    # Bytes of argv that are no UTF-8 arrive as lone surrogates; JSON readers disagree about those.
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def _text(node: object) -> str:
    if not isinstance(node, str):
        raise TypeError
    return node


def _optional_text(node: object) -> str | None:
    return None if node is None else _text(node)


def _texts(node: object) -> tuple[str, ...]:
    if node is None:
        return ()
    if not isinstance(node, list):
        raise TypeError
    return tuple(_text(item) for item in node)


def _optional_integer(node: object) -> int | None:
    if node is None:
        return None
    if not isinstance(node, int) or isinstance(node, bool):
        raise TypeError
    return node
