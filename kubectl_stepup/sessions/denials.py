"""The memory of denials for one process, as the flows use it: errors in, errors out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.errors import LoginNeeded, ProviderError, StoreUnavailable
from kubectl_stepup.sessions import denial_cache
from kubectl_stepup.sessions.scope import EVERY_SCOPE, key, session_id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TypeVar

    from kubectl_stepup.sessions.record import Moment

    Kept = TypeVar("Kept", LoginNeeded, ProviderError)


class Denials:
    """Remembers in `directory()`; where that cannot be used there is no memory, and nothing fails.

    `process_started_boottime` is when this process started, by the clock of `moment().boottime`.
    """

    def __init__(
        self, directory: Callable[[], Path], process_started_boottime: float, moment: Callable[[], Moment]
    ) -> None:
        self._directory = directory
        self._started = process_started_boottime
        self._moment = moment

    def remember(self, session_id: str, refusal: LoginNeeded | ProviderError) -> None:
        """Remember a refusal for what was already running."""
        kept = denial_cache.Refusal(
            code=refusal.code, message=refusal.message, hint=refusal.hint, at_boottime=self._moment().boottime
        )
        try:
            denial_cache.remember(self._directory(), session_id, kept)
        except StoreUnavailable:
            return

    def binding(self, session_id: str, *, for_credential: bool) -> LoginNeeded | ProviderError | None:
        """Return the refusal that binds this process as the error it was."""
        try:
            kept = denial_cache.binding(
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
        """Forget a refusal: an approval took its place."""
        try:
            denial_cache.forget(self._directory(), session_id)
        except StoreUnavailable:
            return

    def end(self, stored_key: str) -> None:
        """Keep the step-ups that are under way from bringing a session back that was just ended."""
        try:
            denial_cache.end(self._directory(), stored_key, now_boottime=self._moment().boottime)
        except StoreUnavailable:
            return

    def ended(self, stored_key: str) -> bool:
        """Whether the session of a key was ended since this process started, alone or with those of every terminal."""
        session_id = session_id_of(stored_key)
        names = (stored_key, key(session_id or "", EVERY_SCOPE))
        try:
            return any(denial_cache.ended_since(self._directory(), name, self._started) for name in names)
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
