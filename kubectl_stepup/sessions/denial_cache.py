"""Remember for half a minute that a step-up was denied, or failed (small files in the runtime directory).

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
    LoginNeeded,
    ProviderError,
    ProviderResponse,
    ProviderUnreachable,
    StepUpExpired,
    StoreUnavailable,
)
from kubectl_stepup.sessions.scope import EVERY_SCOPE, key, session_id_of
from kubectl_stepup.strict_json import json_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from kubectl_stepup.sessions.stored_session import Moment

    Kept = TypeVar("Kept", LoginNeeded, ProviderError)

REMEMBERED_S = 30.0
UNATTENDED = 3
ENDED = ".ended"
"""How the names of the files that `end` writes end."""

_NOBODY_ASKED = {error.code for error in (ProviderError, ProviderUnreachable, ProviderResponse)}
_LARGEST = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
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
        """Whether the denial holds for a process, at `now_boottime`.

        It holds for `REMEMBERED_S`: for `credential` always, since client-go calls that again by itself; for another
        command only when it was started before the denial, and so was part of what was refused. After `UNATTENDED`
        expiries it holds for `credential` until it is forgotten.
        """
        age = now_boottime - self.at_boottime
        if age >= 0 and for_credential and self.expiries >= UNATTENDED:
            return True
        if not 0 <= age < REMEMBERED_S:  # before: from another boot
            return False
        return for_credential or process_started_boottime <= self.at_boottime


def remember(directory: Path, session_id: str, denial: Denial) -> None:
    """Keep a denial, counting expiries; the caller goes on without where it cannot be kept.

    The caller holds the lock of `session_id`.

    Raises:
        StoreUnavailable: the file cannot be written.
    """
    path = _path(directory, session_id)
    denial = replace(denial, expiries=_expiries(denial, _read(path)))
    data = json.dumps(
        {
            "code": denial.code,
            "message": denial.message,
            "hint": denial.hint,
            "at": denial.at_boottime,
            "expiries": denial.expiries,
        }
    )
    # One name is enough, as whoever remembers holds the lock of the session id.
    _write(path, data, temporary=path.with_name(f".{path.name}"))


def _write(path: Path, text: str, *, temporary: Path) -> None:
    try:
        private_file.remove(str(temporary))  # a killed process may have left it
        private_file.replace(str(path), text.encode("ascii"), temporary=str(temporary))
    except OSError as error:
        raise StoreUnavailable(f"a denial cannot be remembered in {path}: {error.strerror}") from error


def _expiries(denial: Denial, before: Denial | None) -> int:
    counted = 0 if before is None or before.at_boottime > denial.at_boottime else before.expiries  # from another boot
    if denial.code in _NOBODY_ASKED:
        return counted
    return counted + 1 if denial.code == StepUpExpired.code else 0


def binding(
    directory: Path,
    session_id: str,
    *,
    process_started_boottime: float,
    now_boottime: float,
    for_credential: bool,
) -> Denial | None:
    """Return the denial that holds for this process now, or None; an unreadable one is none."""
    denial = _read(_path(directory, session_id))
    if denial is None or not denial.binds(
        process_started_boottime=process_started_boottime, now_boottime=now_boottime, for_credential=for_credential
    ):
        return None
    return denial


def forget(directory: Path, session_id: str) -> None:
    """Drop a denial, for instance when the next step-up succeeded."""
    try:
        _path(directory, session_id).unlink(missing_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"a denial cannot be forgotten: {error.strerror}") from error


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


def _read(path: Path) -> Denial | None:
    try:
        found = json_object(private_file.read(str(path), most=_LARGEST), any_text=True)
        code, message, hint, at = (found[name] for name in ("code", "message", "hint", "at"))
        expiries = found.get("expiries", 0)
    except (OSError, ValueError, KeyError):
        return None
    known = isinstance(code, str) and isinstance(message, str) and isinstance(hint, str | None)
    if not known or not isinstance(at, float) or not isinstance(expiries, int):
        return None
    return Denial(code=code, message=message, hint=hint, at_boottime=at, expiries=expiries)


class DenialCache:
    """The denials that bind this process, as the errors they were.

    They are kept in `directory()`. Where that cannot be used nothing is remembered, and nothing fails.

    `process_started_boottime` is when this process started, by the clock of `moment().boottime`.
    """

    def __init__(
        self, directory: Callable[[], Path], process_started_boottime: float, moment: Callable[[], Moment]
    ) -> None:
        self._directory = directory
        self._started = process_started_boottime
        self._moment = moment

    def remember(self, session_id: str, denial: LoginNeeded | ProviderError) -> None:
        """Remember a denial for the processes that run already."""
        kept = Denial(code=denial.code, message=denial.message, hint=denial.hint, at_boottime=self._moment().boottime)
        try:
            remember(self._directory(), session_id, kept)
        except StoreUnavailable:
            return

    def binding(self, session_id: str, *, for_credential: bool) -> LoginNeeded | ProviderError | None:
        """Return the denial that binds this process as the error it was."""
        try:
            kept = binding(
                self._directory(),
                session_id,
                process_started_boottime=self._started,
                now_boottime=self._moment().boottime,
                for_credential=for_credential,
            )
        except StoreUnavailable:
            return None
        if kept is None:
            return None
        return _CLASSES.get(kept.code, LoginNeeded)(kept.message, hint=kept.hint)

    def forget(self, session_id: str) -> None:
        """Forget a denial, as an approval took its place."""
        try:
            forget(self._directory(), session_id)
        except StoreUnavailable:
            return

    def end(self, stored_key: str) -> None:
        """Record that a session was ended, so that a step-up that is under way does not bring it back."""
        try:
            end(self._directory(), stored_key, now_boottime=self._moment().boottime)
        except StoreUnavailable:
            return

    def ended(self, stored_key: str) -> bool:
        """Whether the session of a key was ended since this process started, alone or with those of every terminal."""
        session_id = session_id_of(stored_key)
        names = (stored_key, key(session_id or "", EVERY_SCOPE))
        try:
            return any(ended_since(self._directory(), name, self._started) for name in names)
        except StoreUnavailable:
            return False


def _family(root: type[Kept]) -> Iterator[type[Kept]]:
    yield root
    for child in root.__subclasses__():
        yield from _family(child)


_CLASSES: dict[str, type[LoginNeeded | ProviderError]] = {
    **{found.code: found for found in _family(LoginNeeded)},
    **{found.code: found for found in _family(ProviderError)},
}
