"""An elevation session: a verified elevated token, what it was approved for, and until when it may be used again."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin
from kubectl_stepup.secret import Secret
from kubectl_stepup.sessions import stored_session
from kubectl_stepup.sessions.rests_on import NOTHING
from kubectl_stepup.sessions.stored_session import MIN_REMAINING_S, Moment
from kubectl_stepup.strict_json import json_object

IDENTITY_VERSION = 1
COMMAND_CHARACTERS = 300
"""A longer command line is stored cut: it is shown again in one line, and stores are small."""


def identity_text(*, issuer: str, client: str, account: str, cluster: str, level: str) -> str:
    """Return the canonical text of what a session is for: sorted, compact, ASCII JSON."""
    return _canonical(
        {
            "v": IDENTITY_VERSION,
            "issuer": issuer,
            "client": client,
            "account": account,
            "cluster": cluster,
            "level": level,
        }
    )


def session_id(*, issuer: str, client: str, account: str, cluster: str, level: str) -> str:
    """Return the id of the session for these five: 32 lower-case hex digits."""
    return stored_session.id_of_identity(
        identity_text(issuer=issuer, client=client, account=account, cluster=cluster, level=level)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevationSession:
    """A verified elevated token and the approval behind it.

    Times are seconds since the epoch (UTC). `approved` is read from three clocks, so that a wall clock set back does
    not revive a session. `cluster` is the enrolment's name; `pin` is what `credential` compares with what
    client-go says. `exec_info` holds the SHA-256 digests of the KUBERNETES_EXEC_INFO values expected of kubectl, in the
    order of `stored_session.EXPECTED`; empty where they cannot be predicted. `command` is the command line that the
    person approved. `access_token` is kept only to be revoked at logout. `jti_sha256` is the digest of the token's
    `jti`, which joins our audit log with the API server's. `evidence` is the fingerprint of what the config asked the
    token to prove. The session ends where the config asks for something else, and where policy asks for a younger
    sign-in than `signed_in_within_s` and this one was older. `rests_on` names the files that the stored form was
    evaluated with (rests_on.py).
    """

    issuer: str
    client: str
    account: str
    cluster: str
    level: str
    token: Secret
    token_expires_at: float
    auth_time: float | None
    approved: Moment
    reuse_until: float
    acr: str | None
    amr: tuple[str, ...]
    command: str
    pin: ClusterPin
    exec_info: tuple[str, ...] = ()
    access_token: Secret | None = None
    jti_sha256: str | None = None
    evidence: str | None = None
    signed_in_within_s: float | None = None
    rests_on: str = NOTHING

    @property
    def id(self) -> str:
        """The session id."""
        return stored_session.id_of_identity(self._identity())

    @property
    def approved_at(self) -> float:
        """When it was approved, by the wall clock."""
        return self.approved.wall

    @property
    def credential_expires_at(self) -> float:
        """What client-go is told as `expirationTimestamp`: the end of reuse or of the token, whichever is first.

        A process that runs for longer (k9s) then asks again when a new command would have had to.
        """
        return min(self.reuse_until, self.token_expires_at - MIN_REMAINING_S)

    def usable(self, now: Moment) -> bool:
        """Whether the session may still be used at `now`."""
        return stored_session.usable(
            approved=self.approved,
            reuse_until=self.reuse_until,
            token_expires_at=self.token_expires_at,
            now=now,
        )

    def for_process_tree(self) -> ElevationSession:
        """Return the form handed to one process tree: good for as long as the token, whatever config and policy say."""
        return replace(self, reuse_until=self.token_expires_at, rests_on=NOTHING)

    def to_record(self) -> bytes:
        """Return the stored form (stored_session.py)."""
        moment = self.approved
        return stored_session.write(
            {
                "identity": self._identity(),
                "approved": f"{float(moment.wall)!r} {float(moment.boottime)!r} {moment.boot_id or '-'}",
                "until": f"{float(self.reuse_until)!r} {float(self.token_expires_at)!r}",
                "rests_on": self.rests_on,
                "exec_info": " ".join(self.exec_info),
                "cluster": self.pin.to_json(),
                "facts": _canonical(
                    {
                        "access_token": None if self.access_token is None else self.access_token.reveal(),
                        "acr": self.acr,
                        "amr": self.amr,
                        "auth_time": self.auth_time,
                        "command": _cut(self.command),
                        "evidence": self.evidence,
                        "jti_sha256": self.jti_sha256,
                        "signed_in_within_s": self.signed_in_within_s,
                    }
                ),
                "status": _canonical(
                    {"expirationTimestamp": _rfc3339(self.credential_expires_at), "token": self.token.reveal()}
                ),
            }
        )

    def _identity(self) -> str:
        return identity_text(**{name: getattr(self, name) for name in _IDENTITY})


_IDENTITY = ("issuer", "client", "account", "cluster", "level")


def from_record(data: bytes, *, session_id: str) -> ElevationSession | None:
    """Return a stored session; None where it is malformed (see `stored_session.read`) or a value has a wrong type."""
    stored = stored_session.read(data, session_id=session_id)
    if stored is None:
        return None
    try:
        identity, facts, status = (
            json_object(text, any_text=True) for text in (stored.identity, stored.facts, stored.status)
        )
        if identity.pop("v", None) != IDENTITY_VERSION:
            return None
        session = ElevationSession(
            **{name: _text(identity[name]) for name in _IDENTITY},
            token=Secret(_text(status["token"])),
            token_expires_at=stored.token_expires_at,
            auth_time=_optional_number(facts["auth_time"]),
            approved=stored.approved,
            reuse_until=stored.reuse_until,
            acr=_optional_text(facts["acr"]),
            amr=tuple(_text(method) for method in _list(facts["amr"])),
            command=_text(facts["command"]),
            pin=ClusterPin.from_json(stored.cluster),
            exec_info=stored.exec_info,
            access_token=_optional_secret(facts["access_token"]),
            jti_sha256=_optional_text(facts["jti_sha256"]),
            evidence=_optional_text(facts["evidence"]),
            signed_in_within_s=_optional_number(facts["signed_in_within_s"]),
            rests_on=stored.rests_on,
        )
        # A record that this program would not have written in this very form was not written by it.
        return session if session.to_record() == data else None
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _cut(command: str) -> str:
    return command if len(command) <= COMMAND_CHARACTERS else f"{command[: COMMAND_CHARACTERS - 1]}…"


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _optional_secret(value: object) -> Secret | None:
    return None if value is None else Secret(_text(value))


def _optional_number(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("not a number")
    return value
