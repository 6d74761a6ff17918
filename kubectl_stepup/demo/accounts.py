"""People who may sign in: passwords, one-time codes, and how strong and how old a sign-in is.

Spec: RFC 6238 (TOTP), RFC 8176 (amr values), OpenID Connect Core 1.0 section 2 (acr, auth_time).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass

import pyotp

from kubectl_stepup.demo.throttle import Throttle
from kubectl_stepup.secret import Secret

PWD = "pwd"  # noqa: S105 - an authentication context class
MFA = "mfa"
OTP_STEP_S = 30
_PASSWORD_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # noqa: S105 - the letters, not a password


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person; the password is kept as a scrypt digest."""

    name: str
    email: str
    groups: tuple[str, ...]
    salt: bytes
    digest: bytes
    otp_secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The password and the one-time code seed of a person; the provider never stores them."""

    name: str
    password_secret: Secret
    otp_secret: Secret

    def one_time_code(self, now: float) -> Secret:
        """Return the code that an authenticator app shows at `now`."""
        return Secret(pyotp.TOTP(self.otp_secret.reveal()).at(int(now)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Who signed in, with what and when (seconds since the epoch)."""

    account: Account
    password_at: float
    otp_at: float | None = None

    @property
    def acr(self) -> str:
        """Return the authentication context class: `pwd` or `mfa`."""
        return PWD if self.otp_at is None else MFA

    @property
    def amr(self) -> tuple[str, ...]:
        """Return the methods used."""
        return ("pwd",) if self.otp_at is None else ("pwd", "otp", "mfa")

    @property
    def auth_time(self) -> int:
        """Return the time of the oldest factor: a fresh code does not refresh an old password."""
        return int(self.password_at if self.otp_at is None else min(self.password_at, self.otp_at))


def new_account(name: str, *, email: str, groups: Iterable[str]) -> tuple[Account, Credentials]:
    """Return a new person with a random password and a random TOTP seed."""
    password = "-".join("".join(secrets.choice(_PASSWORD_LETTERS) for _ in range(5)) for _ in range(3))
    seed = Secret(pyotp.random_base32())
    salt = secrets.token_bytes(16)
    account = Account(
        name=name, email=email, groups=tuple(groups), salt=salt, digest=_digest(password, salt), otp_secret=seed
    )
    return account, Credentials(name=name, password_secret=Secret(password), otp_secret=seed)


class Accounts:
    """Check passwords and one-time codes; too many wrong ones lock the account for five minutes."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._accounts = {account.name: account for account in accounts}
        self._throttle = Throttle(limit=8, per_s=300)
        self._last_step: dict[str, int] = {}
        self._lock = threading.Lock()

    def find(self, name: str) -> Account | None:
        """Return the account of that name."""
        return self._accounts.get(name)

    def is_open(self, name: str, now: float) -> bool:
        """Whether the account takes another try."""
        return self._throttle.open(name, now)

    def password_fits(self, name: str, password: str, now: float) -> bool:
        """Check a password; an unknown name takes as long as a known one."""
        account = self._accounts.get(name)
        expected = account.digest if account else bytes(32)
        fits = hmac.compare_digest(_digest(password, account.salt if account else bytes(16)), expected)
        if not fits:
            self._throttle.miss(name, now)
        return fits and account is not None

    def otp_fits(self, account: Account, code: str, now: float) -> bool:
        """Check a one-time code of this 30 s step or its neighbours; each step serves once.

        Spec: RFC 6238 section 5.2 (a code is not accepted twice).
        """
        totp = pyotp.TOTP(account.otp_secret.reveal())
        current = int(now) // OTP_STEP_S
        with self._lock:
            last = self._last_step.get(account.name, -1)
            for step in range(max(last + 1, current - 1), current + 2):
                if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()):
                    self._last_step[account.name] = step
                    return True
        self._throttle.miss(account.name, now)
        return False


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=1 << 12, r=8, p=1, dklen=32)
