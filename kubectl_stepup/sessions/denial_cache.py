"""Remember for half a minute that a step-up was refused, or failed (small files in the runtime directory).

kubectl runs a failing plugin up to six times for one command, and twenty parallel commands wait for one prompt: all
of them get the one answer that the person gave. A command that is typed afterwards asks anew. A client that runs in
the background (k9s, an editor) would prompt all night: after three codes in a row that nobody approved, `credential`
prompts no more until somebody approves a command of their own.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

from kubectl_stepup import private_file
from kubectl_stepup.errors import (
    ProviderError,
    ProviderResponse,
    ProviderUnreachable,
    StepUpExpired,
    StoreUnavailable,
)

REMEMBERED_S = 30.0
UNATTENDED = 3
ENDED = ".ended"
"""How the names of the files that `end` writes end."""

_NOBODY_ASKED = {error.code for error in (ProviderError, ProviderUnreachable, ProviderResponse)}
_LARGEST = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What was answered (an error's code, message and hint), and when, by the boot-time clock.

    `expiries` counts the codes in a row that nobody approved, this one included; a provider that fails in between is
    nobody's answer.
    """

    code: str
    message: str
    hint: str | None
    at_boottime: float
    expiries: int = 0

    def binds(self, *, process_started_boottime: float, now_boottime: float, for_credential: bool) -> bool:
        """Whether the refusal holds for a process, at `now_boottime`.

        It holds for `REMEMBERED_S`: for `credential` always, since client-go calls that again by itself; for another
        command only when it was started before the refusal, and so was part of what was refused. After `UNATTENDED`
        expiries it holds for `credential` until it is forgotten.
        """
        age = now_boottime - self.at_boottime
        if age >= 0 and for_credential and self.expiries >= UNATTENDED:
            return True
        if not 0 <= age < REMEMBERED_S:  # before: from another boot
            return False
        return for_credential or process_started_boottime <= self.at_boottime


def remember(directory: Path, session_id: str, refusal: Refusal) -> None:
    """Keep a refusal, counting expiries; the caller goes on without where it cannot be kept.

    The caller holds the lock of `session_id`.

    Raises:
        StoreUnavailable: the file cannot be written.
    """
    path = _path(directory, session_id)
    refusal = replace(refusal, expiries=_expiries(refusal, _read(path)))
    data = json.dumps(
        {
            "code": refusal.code,
            "message": refusal.message,
            "hint": refusal.hint,
            "at": refusal.at_boottime,
            "expiries": refusal.expiries,
        }
    )
    # One name is enough, as whoever remembers holds the lock of the session id.
    _write(path, data, temporary=path.with_name(f".{path.name}"))


def _write(path: Path, text: str, *, temporary: Path) -> None:
    try:
        private_file.remove(str(temporary))  # a killed process may have left it
        private_file.replace(str(path), text.encode("ascii"), temporary=str(temporary))
    except OSError as error:
        raise StoreUnavailable(f"a refusal cannot be remembered in {path}: {error.strerror}") from error


def _expiries(refusal: Refusal, before: Refusal | None) -> int:
    counted = 0 if before is None or before.at_boottime > refusal.at_boottime else before.expiries  # from another boot
    if refusal.code in _NOBODY_ASKED:
        return counted
    return counted + 1 if refusal.code == StepUpExpired.code else 0


def binding(
    directory: Path,
    session_id: str,
    *,
    process_started_boottime: float,
    now_boottime: float,
    for_credential: bool,
) -> Refusal | None:
    """Return the refusal that holds for this process now, or None; an unreadable one is none."""
    refusal = _read(_path(directory, session_id))
    if refusal is None or not refusal.binds(
        process_started_boottime=process_started_boottime, now_boottime=now_boottime, for_credential=for_credential
    ):
        return None
    return refusal


def forget(directory: Path, session_id: str) -> None:
    """Drop a refusal, for instance when the next step-up succeeded."""
    try:
        _path(directory, session_id).unlink(missing_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"a refusal cannot be forgotten: {error.strerror}") from error


def end(directory: Path, stored_key: str, *, now_boottime: float) -> None:
    """Record that the session of a key was ended: a step-up that is under way must not bring it back.

    Raises:
        StoreUnavailable: it cannot be recorded.
    """
    path = _ended_path(directory, stored_key)
    _write(path, repr(now_boottime), temporary=path.with_name(f".{path.name}.{os.getpid()}"))


def ended_since(directory: Path, stored_key: str, boottime: float) -> bool:
    """Whether the session of a key was ended since a moment of this boot."""
    try:
        return float(private_file.read(str(_ended_path(directory, stored_key)), most=_LARGEST)) >= boottime
    except (OSError, ValueError):
        return False


def _ended_path(directory: Path, stored_key: str) -> Path:
    return directory / f"{stored_key.replace(':', ',')}{ENDED}"  # a colon is a drive or a stream in a Windows name


def _path(directory: Path, session_id: str) -> Path:
    return directory / f"{session_id}.refusal"


def _read(path: Path) -> Refusal | None:
    try:
        found = json.loads(private_file.read(str(path), most=_LARGEST))
        code, message, hint, at = (found[name] for name in ("code", "message", "hint", "at"))
        expiries = found.get("expiries", 0)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    known = isinstance(code, str) and isinstance(message, str) and isinstance(hint, str | None)
    if not known or not isinstance(at, float) or not isinstance(expiries, int):
        return None
    return Refusal(code=code, message=message, hint=hint, at_boottime=at, expiries=expiries)
