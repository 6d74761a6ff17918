"""Open device requests: polling, expiry, and which factors are still needed."""

from __future__ import annotations

import pytest

from kubectl_stepup.demo.accounts import SignIn, new_account
from kubectl_stepup.demo.device_requests import DeviceRequests, StoredDeviceRequest, single
from kubectl_stepup.secret import Secret

NOW = 1_800_000_000.0
ALICE, _ = new_account("alice", email="alice@example.com", groups=())


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def request(clock: Clock, *, acr: str = "mfa", max_age_s: int | None = 900) -> StoredDeviceRequest:
    return StoredDeviceRequest(
        client_id="kubectl-elevated",
        scope="openid",
        device_code=Secret("device"),
        user_code="WDJB-MJHT",
        created_at=NOW,
        expires_at=NOW + 900,
        interval_s=5,
        code_challenge="c" * 43,
        acr=acr,
        max_age_s=max_age_s,
        clock=clock,
    )


@pytest.mark.parametrize("typed", ["WDJB-MJHT", "wdjbmjht", " wdjb mjht "])
def test_the_user_code_is_found_however_it_is_typed(typed: str) -> None:
    requests = DeviceRequests(clock := Clock())
    requests.open(waiting := request(clock))
    assert requests.by_user_code(typed) is waiting
    assert requests.by_user_code("") is None


def test_polling_too_soon_makes_the_interval_longer_each_time() -> None:
    requests = DeviceRequests(clock := Clock())
    requests.open(waiting := request(clock))
    assert not requests.polled_too_soon(waiting)
    clock.now += 1
    assert requests.polled_too_soon(waiting)
    clock.now += 5
    assert requests.polled_too_soon(waiting)
    assert waiting.interval_s == 15
    clock.now += 15
    assert not requests.polled_too_soon(waiting)


def test_an_answer_is_final() -> None:
    requests = DeviceRequests(clock := Clock())
    requests.open(denied := request(clock))
    assert requests.deny(denied)
    assert not requests.approve(denied, SignIn(account=ALICE, password_at=NOW))
    requests.open(expired := request(clock))
    clock.now += 900
    assert not requests.approve(expired, SignIn(account=ALICE, password_at=NOW))


def test_five_wrong_codes_refuse_the_request() -> None:
    requests = DeviceRequests(clock := Clock())
    requests.open(waiting := request(clock))
    for _ in range(5):
        assert waiting.is_open
        requests.otp_missed(waiting)
    assert waiting.denied


def test_a_device_code_is_spent_once() -> None:
    requests = DeviceRequests(clock := Clock())
    requests.open(waiting := request(clock))
    assert requests.consume(waiting)
    assert not requests.consume(waiting)
    assert requests.by_device_code("device") is None


@pytest.mark.parametrize(
    ("acr", "max_age", "password_age", "otp_age", "needed"),
    [
        ("pwd", None, 5000, None, (False, False)),
        ("mfa", None, 5000, None, (False, True)),
        ("mfa", None, 5000, 5000, (False, False)),
        ("mfa", 900, 899, 899, (False, False)),
        ("mfa", 900, 901, 10, (True, False)),
        ("mfa", 900, 10, 901, (False, True)),
        ("mfa", 0, 1, 1, (True, True)),
        ("mfa", 0, -1, -1, (False, False)),  # given for this very request
    ],
)
def test_which_factors_are_needed(
    acr: str, max_age: int | None, password_age: float, otp_age: float | None, needed: tuple[bool, bool]
) -> None:
    waiting = request(Clock(), acr=acr, max_age_s=max_age)
    otp_at = None if otp_age is None else NOW - otp_age
    sign_in = SignIn(account=ALICE, password_at=NOW - password_age, otp_at=otp_at)
    assert (waiting.password_needed(sign_in, NOW), waiting.otp_needed(sign_in, NOW)) == needed


def test_parameters_with_a_value_and_the_repeated_ones() -> None:
    assert single({"a": ["1"], "b": ["1", "2"], "c": [""]}) == ({"a": "1", "b": "1"}, ("b",))
