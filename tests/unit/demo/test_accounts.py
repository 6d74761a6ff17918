"""Passwords, one-time codes, and how strong and old a sign-in is."""

from __future__ import annotations

import pytest

from kubectl_stepup.demo.accounts import Account, Accounts, Credentials, SignIn, new_account

NOW = 1_800_000_000.0


@pytest.fixture
def alice() -> tuple[Account, Credentials]:
    return new_account("alice", email="alice@example.com", groups=("dev",))


def test_the_right_password_fits_and_no_other(alice: tuple[Account, Credentials]) -> None:
    account, credentials = alice
    accounts = Accounts([account])
    assert accounts.password_fits("alice", credentials.password_secret.reveal(), NOW)
    assert not accounts.password_fits("alice", "", NOW)
    assert not accounts.password_fits("bob", credentials.password_secret.reveal(), NOW)


@pytest.mark.parametrize(("steps", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_fits_in_its_step_and_the_neighbours(alice: tuple[Account, Credentials], steps: int, fits: bool) -> None:
    account, credentials = alice
    code = credentials.one_time_code(NOW + 30 * steps).reveal()
    assert Accounts([account]).otp_fits(account, code, NOW) is fits


def test_a_code_serves_once_and_older_ones_no_more(alice: tuple[Account, Credentials]) -> None:
    account, credentials = alice
    accounts = Accounts([account])
    code, before = (credentials.one_time_code(at).reveal() for at in (NOW, NOW - 30))
    assert accounts.otp_fits(account, code, NOW)
    assert not accounts.otp_fits(account, code, NOW)
    assert not accounts.otp_fits(account, before, NOW)
    assert accounts.otp_fits(account, credentials.one_time_code(NOW + 30).reveal(), NOW)


@pytest.mark.parametrize("code", ["", "12345", "１２３４５６", "000000 "])
def test_malformed_codes_do_not_fit(alice: tuple[Account, Credentials], code: str) -> None:
    account, _ = alice
    assert not Accounts([account]).otp_fits(account, code, NOW)


def test_eight_wrong_answers_close_the_account_for_five_minutes(alice: tuple[Account, Credentials]) -> None:
    account, _ = alice
    accounts = Accounts([account])
    for _ in range(8):
        assert accounts.is_open("alice", NOW)
        accounts.password_fits("alice", "wrong", NOW)
    assert not accounts.is_open("alice", NOW)
    assert accounts.is_open("bob", NOW)
    assert accounts.is_open("alice", NOW + 300)


def test_a_sign_in_is_as_old_as_its_oldest_factor(alice: tuple[Account, Credentials]) -> None:
    account, _ = alice
    password = SignIn(account=account, password_at=NOW)
    both = SignIn(account=account, password_at=NOW, otp_at=NOW + 100)
    assert (password.acr, password.amr, password.auth_time) == ("pwd", ("pwd",), int(NOW))
    assert (both.acr, both.amr, both.auth_time) == ("mfa", ("pwd", "otp", "mfa"), int(NOW))


def test_two_people_get_different_secrets(alice: tuple[Account, Credentials]) -> None:
    _, other = new_account("alice", email="alice@example.com", groups=())
    assert alice[1].password_secret != other.password_secret
    assert alice[1].otp_secret != other.otp_secret
    assert alice[1].password_secret.reveal() not in repr(alice)
