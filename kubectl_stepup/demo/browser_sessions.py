"""Browser sessions: a cookie, a token against forged forms, and who signed in."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie

from kubectl_stepup.demo.accounts import SignIn
from kubectl_stepup.demo.https_server import HTTPRequest

COOKIE = "__Host-session"
LIFE_S = 8 * 3600
_MOST = 1000


@dataclass(slots=True, kw_only=True)
class BrowserSession:
    """One browser; `sign_in` is None until a password was right."""

    created_at: float
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    sign_in: SignIn | None = None

    def set_cookie(self) -> tuple[tuple[str, str], ...]:
        """Return the header that binds the browser to this session."""
        value = f"{COOKIE}={self.cookie}; Path=/; Secure; HttpOnly; SameSite=Lax"
        return (("Set-Cookie", value),)

    def form_is_ours(self, csrf: str) -> bool:
        """Whether a form came from a page of this session."""
        return hmac.compare_digest(self.csrf.encode(), csrf.encode())


class BrowserSessions:
    """Every browser session, by its cookie."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sessions: dict[str, BrowserSession] = {}
        self._lock = threading.Lock()

    def of(self, request: HTTPRequest) -> BrowserSession | None:
        """Return the live session of the browser that sent a request."""
        try:
            morsel = SimpleCookie(request.headers.get("Cookie", "")).get(COOKIE)
        except CookieError:
            return None
        session = self._sessions.get(morsel.value) if morsel else None
        return session if session and self._clock() - session.created_at < LIFE_S else None

    def begin(self) -> BrowserSession:
        """Start an anonymous session."""
        session = BrowserSession(created_at=self._clock())
        with self._lock:
            while len(self._sessions) >= _MOST:
                del self._sessions[next(iter(self._sessions))]
            self._sessions[session.cookie] = session
        return session

    def signed_in(self, old: BrowserSession, sign_in: SignIn) -> BrowserSession:
        """Start a new session after a sign-in and end the old one: a cookie planted before is useless."""
        session = self.begin()
        session.sign_in = sign_in
        with self._lock:
            self._sessions.pop(old.cookie, None)
        return session
