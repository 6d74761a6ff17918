from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.errors import ProviderResponse
from kubectl_stepup.oidc.grants.polling import PollAgain, PollSchedule, read_poll
from kubectl_stepup.oidc.response import Response
from kubectl_stepup.oidc.token_response import OAuthError, TokenResponse

TOKENS: dict[str, Any] = {"id_token": "a.b.c", "access_token": "at", "token_type": "Bearer", "scope": "openid x"}


def answer(status: int, document: dict[str, Any] | None, problem: str | None = None) -> Response:
    return Response(url="https://login.example.com/token", status=status, document=document, problem=problem)


@pytest.mark.parametrize(
    ("response", "meaning"),
    [
        (answer(400, {"error": "authorization_pending"}), PollAgain.PENDING),
        (answer(403, {"error": "authorization_pending"}), PollAgain.PENDING),
        (answer(200, {"error": "authorization_pending"}), PollAgain.PENDING),
        (answer(400, {"error": "slow_down"}), PollAgain.SLOW_DOWN),
        (answer(429, {"error": "slow_down"}), PollAgain.SLOW_DOWN),
        (answer(429, {"error": "too_many"}), PollAgain.TROUBLE),
        (answer(429, None, "answered with text/html"), PollAgain.TROUBLE),
        (answer(500, {"error": "server_error"}), PollAgain.TROUBLE),
        (answer(502, None, "answered with text/html"), PollAgain.TROUBLE),
        (answer(503, {}), PollAgain.TROUBLE),
        (answer(400, None, "answered with text/html"), PollAgain.TROUBLE),
        (answer(200, None, "answered with text/html"), PollAgain.TROUBLE),
        (answer(408, {}), PollAgain.TROUBLE),
        (answer(400, {"error": "access_denied"}), OAuthError(error="access_denied")),
        (answer(400, {"error": "expired_token", "error_description": 5}), OAuthError(error="expired_token")),
        (answer(401, {"error": "invalid_client"}), OAuthError(error="invalid_client")),
        (answer(200, {**TOKENS, "error": "odd"}), OAuthError(error="odd")),
    ],
)
def test_each_answer_has_one_meaning(response: Response, meaning: object) -> None:
    """DEV-07 (a 200 with an error), DEV-08, DEV-10."""
    assert read_poll(response) == meaning


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (answer(400, {}), "answered HTTP 400 without an error code"),
        (answer(400, TOKENS), "answered HTTP 400 without an error code"),
        (answer(201, TOKENS), "answered HTTP 201 without an error code"),
        (answer(400, {"error": True}), "the provider's error is not a string: True"),
        (answer(400, {"error": {}}), "the provider's error is not a string: {}"),
        (answer(400, {"error": ""}), "the provider's error is not a string"),
        (answer(200, {}), "the token response has no token_type, not Bearer"),
        (answer(200, {**TOKENS, "token_type": "mac"}), "the token response has token_type 'mac', not Bearer"),
        (answer(200, {**TOKENS, "token_type": 5}), "token_type 5, not Bearer"),
        (answer(200, {**TOKENS, "id_token": None}), "the token response has no id_token"),
        (answer(200, {**TOKENS, "id_token": ["x"]}), "id_token in the token response is not a token"),
        (answer(200, {**TOKENS, "id_token": "x" * 300_000}), "id_token in the token response is not a token"),
        (answer(200, {**TOKENS, "access_token": 1}), "access_token in the token response is not a token"),
        (answer(200, {**TOKENS, "scope": ["openid"]}), "scope in the token response is not a string"),
    ],
)
def test_an_answer_without_sense_ends_the_flow(response: Response, message: str) -> None:
    """DEV-05 (error: true, {}), DEV-06, DEV-13."""
    with pytest.raises(ProviderResponse) as caught:
        read_poll(response)
    assert message in caught.value.message


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER"])
def test_tokens_are_read_and_hidden(token_type: str) -> None:
    tokens = read_poll(answer(200, {**TOKENS, "token_type": token_type, "expires_in": "abc"}))
    assert isinstance(tokens, TokenResponse)
    assert (tokens.id_token.reveal(), tokens.scope, tokens.refresh_token) == ("a.b.c", ("openid", "x"), None)
    assert "a.b.c" not in repr(tokens)


def test_a_response_does_not_show_its_body() -> None:
    assert "a.b.c" not in repr(answer(200, TOKENS))


def waits(*answers: PollAgain, interval: float = 5.0) -> list[float]:
    schedule, seconds = PollSchedule(interval_s=interval), []
    for item in answers:
        schedule = schedule.after(item)
        seconds.append(schedule.wait_s)
    return seconds


def test_slow_down_adds_more_each_time_in_a_row_and_is_kept() -> None:
    slow, pending = PollAgain.SLOW_DOWN, PollAgain.PENDING
    assert waits(slow, slow, slow) == [10, 20, 35]
    assert waits(slow, pending, pending, slow, pending) == [10, 10, 10, 15, 15]
    assert waits(*[slow] * 20)[-1] == 120


def test_trouble_doubles_the_wait_until_an_answer_comes() -> None:
    trouble, pending = PollAgain.TROUBLE, PollAgain.PENDING
    assert waits(trouble, trouble, trouble, trouble, pending) == [10, 20, 30, 30, 5]
    assert waits(trouble, interval=60) == [60]
    assert waits(*[trouble] * 50)[-1] == 30


@pytest.mark.parametrize(("retry_after", "wait"), [(None, 10), (3.0, 10), (45.0, 45), (9999.0, 300), (-5.0, 10)])
def test_retry_after_is_obeyed(retry_after: float | None, wait: float) -> None:
    """DEV-08."""
    schedule = PollSchedule(interval_s=5).after(PollAgain.TROUBLE, retry_after)
    assert schedule.wait_s == wait
    assert schedule.after(PollAgain.PENDING).wait_s == 5


def test_an_errors_texts_are_made_safe() -> None:
    assert OAuthError(error="x\x1b", description="a\nb").shown() == "x\\u{1b}: a\\nb"
