"""What each answer to a poll means, and how long to wait before the next: the pure half of RFC 8628 section 3.5."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from kubectl_stepup.errors import ProviderResponse
from kubectl_stepup.oidc.response import Response
from kubectl_stepup.oidc.token_response import OAuthError, TokenResponse

SLOW_DOWN_STEP_S = 5.0
MAX_WAIT_S = 120.0
MAX_BACKOFF_S = 30.0
MAX_RETRY_AFTER_S = 300.0
OK, TOO_MANY_REQUESTS, SERVER_ERROR = 200, 429, 500
_RETRIED = frozenset({408, 425, TOO_MANY_REQUESTS})


class PollAgain(enum.Enum):
    """The three answers after which one asks again."""

    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    TROUBLE = "trouble"
    """No answer, or none of the token endpoint's own (a proxy's 502, a captive portal's page)."""


def read_poll(response: Response) -> PollAgain | TokenResponse | OAuthError:
    """Return what the token endpoint's answer means.

    A 200 with a JSON media type is final whatever is in it: asking again with a used device code makes a provider
    revoke everything it gave. Another media type, or an answer that was cut, can be a proxy's.

    Raises:
        ProviderResponse: the answer is the token endpoint's own and makes no sense.

    """
    passes = response.status >= SERVER_ERROR or response.status in _RETRIED
    if response.document is None:
        if response.is_own and not passes:
            raise ProviderResponse(
                f"{response.url} {response.problem} (HTTP {response.status}): this step-up cannot be finished",
                hint="see what it answers: kubectl stepup login -v -v",
            )
        return PollAgain.TROUBLE
    error = OAuthError.from_document(response.document)
    if error is not None:
        if error.error in {PollAgain.PENDING.value, PollAgain.SLOW_DOWN.value}:
            return PollAgain(error.error)
        return PollAgain.TROUBLE if passes else error
    if response.status == OK:
        return TokenResponse.from_document(response.document)
    if passes:
        return PollAgain.TROUBLE
    raise ProviderResponse(f"{response.url} answered HTTP {response.status} without an error code")


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSchedule:
    """When to poll next; immutable, each answer gives the next schedule."""

    interval_s: float
    slow_downs: int = 0
    troubles: int = 0
    retry_after_s: float = 0.0

    @property
    def wait_s(self) -> float:
        """Seconds to wait before the next poll."""
        backoff = min(self.interval_s * float(1 << self.troubles), max(MAX_BACKOFF_S, self.interval_s))
        return max(backoff, self.retry_after_s)

    def after(self, answer: PollAgain, retry_after_s: float | None = None) -> PollSchedule:
        """Return the schedule after `answer`.

        The n-th slow_down in a row adds 5·n seconds, for good: a provider that adds 5 seconds itself each time it is
        asked too early is never caught up with by adding 5 as well. Trouble doubles the wait until an answer comes.
        """
        wait = min(max(retry_after_s or 0.0, 0.0), MAX_RETRY_AFTER_S)
        match answer:
            case PollAgain.PENDING:
                return replace(self, slow_downs=0, troubles=0, retry_after_s=0.0)
            case PollAgain.SLOW_DOWN:
                count = self.slow_downs + 1
                longer = min(self.interval_s + SLOW_DOWN_STEP_S * count, MAX_WAIT_S)
                interval = max(longer, self.interval_s)
                return PollSchedule(interval_s=interval, slow_downs=count, retry_after_s=wait)
            case PollAgain.TROUBLE:
                return replace(self, troubles=min(self.troubles + 1, 10), retry_after_s=wait)
