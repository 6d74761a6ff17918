"""The device authorization requests and their states. Spec: RFC 8628."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kubectl_stepup.demo.accounts import MFA, PWD, SignIn
from kubectl_stepup.secret import Secret

MAX_OTP_MISSES = 5
_JITTER_S = 0.2
_KEEP_S = 600


@dataclass(slots=True, kw_only=True)
class StoredDeviceRequest:
    """One device authorization request and its state; Authlib prescribes the names of the `get_` methods."""

    client_id: str
    scope: str
    device_code: Secret
    user_code: str
    created_at: float
    expires_at: float
    interval_s: float
    code_challenge: str
    acr: str = PWD
    max_age_s: int | None = None
    nonce: str | None = None
    command: str = ""
    cluster: str = ""
    reason: str = ""
    clock: Callable[[], float] = field(repr=False)
    approved: SignIn | None = None
    denied: bool = False
    last_poll_at: float | None = None
    otp_misses: int = 0

    def get_client_id(self) -> str:
        """Return the client of the request."""
        return self.client_id

    def get_scope(self) -> str:
        """Return the scope granted."""
        return self.scope

    def get_user_code(self) -> str:
        """Return the code that the person compares."""
        return self.user_code

    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self.clock() >= self.expires_at

    @property
    def is_open(self) -> bool:
        """Whether it still waits for an answer."""
        return self.approved is None and not self.denied and not self.is_expired()

    def password_needed(self, sign_in: SignIn, now: float) -> bool:
        """Whether the password is older than the requested `max_age`."""
        return not self._recent(sign_in.password_at, now)

    def otp_needed(self, sign_in: SignIn, now: float) -> bool:
        """Whether a one-time code is required and none was given recently enough."""
        if self.acr != MFA:
            return False
        return sign_in.otp_at is None or not self._recent(sign_in.otp_at, now)

    def _recent(self, at: float, now: float) -> bool:
        # A factor given for this very request counts even where max_age is 0 and the page was open for a minute.
        return at >= self.created_at or self.max_age_s is None or now - at <= self.max_age_s


class DeviceRequests:
    """All device requests of one provider, by device code and by user code."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._requests: dict[str, StoredDeviceRequest] = {}
        self._lock = threading.RLock()
        self.opened = 0
        """The number of requests so far."""

    def open(self, request: StoredDeviceRequest) -> None:
        """Store a new request."""
        with self._lock:
            now = self._clock()
            self._requests = {k: r for k, r in self._requests.items() if now < r.expires_at + _KEEP_S}
            self._requests[request.device_code.reveal()] = request
            self.opened += 1

    def by_device_code(self, device_code: str) -> StoredDeviceRequest | None:
        """Find by the code the client polls with."""
        return self._requests.get(device_code)

    def by_user_code(self, user_code: str) -> StoredDeviceRequest | None:
        """Find by the code on the screen; case, spaces and the dash do not matter."""
        wanted = plain_code(user_code)
        with self._lock:
            matches = [r for r in self._requests.values() if plain_code(r.user_code) == wanted]
        return matches[-1] if wanted and matches else None

    def all(self) -> tuple[StoredDeviceRequest, ...]:
        """Return every request remembered, oldest first."""
        with self._lock:
            return tuple(self._requests.values())

    def approve(self, request: StoredDeviceRequest, sign_in: SignIn) -> bool:
        """Grant an open request to who signed in."""
        with self._lock:
            if not request.is_open:
                return False
            request.approved = sign_in
            return True

    def deny(self, request: StoredDeviceRequest) -> bool:
        """Refuse an open request for good."""
        with self._lock:
            if not request.is_open:
                return False
            request.denied = True
            return True

    def otp_missed(self, request: StoredDeviceRequest) -> None:
        """Count a wrong one-time code; after five the request is refused."""
        with self._lock:
            request.otp_misses += 1
            if request.otp_misses >= MAX_OTP_MISSES:
                request.denied = True

    def polled_too_soon(self, request: StoredDeviceRequest) -> bool:
        """Note a poll; True, and a longer interval from now on, where it came too soon (RFC 8628 section 3.5)."""
        with self._lock:
            now, last = self._clock(), request.last_poll_at
            request.last_poll_at = now
            if last is None or now - last + _JITTER_S >= request.interval_s:
                return False
            request.interval_s += 5
            return True

    def consume(self, request: StoredDeviceRequest) -> bool:
        """Take an approved request out, once."""
        with self._lock:
            return self._requests.pop(request.device_code.reveal(), None) is not None


def plain_code(user_code: str) -> str:
    """Return a user code as it is compared."""
    return "".join(letter for letter in user_code.upper() if letter.isalnum())


def single(form: Mapping[str, list[str]]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the parameters with a value, and the names that came more than once (RFC 6749 section 3.1)."""
    repeated = tuple(name for name, values in form.items() if len(values) > 1)
    return {name: values[0] for name, values in form.items() if values and values[0]}, repeated
