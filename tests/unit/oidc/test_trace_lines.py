"""What `-vv` shows of the protocol: enough to follow a flow, no more than anybody may have."""

from __future__ import annotations

import hashlib

import pytest

from kubectl_stepup.oidc.response import Response
from kubectl_stepup.oidc.trace_lines import DIGESTED, HIDDEN, SHOWN, failure_line, request_line, response_line

CODE = "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS"
DIGEST = f"[{len(CODE)} characters, sha256 {hashlib.sha256(CODE.encode()).hexdigest()[:8]}]"
URL = "https://login.example.com/token"


def answered(document: dict[str, object] | None, *, problem: str | None = None) -> Response:
    return Response(url=URL, status=200, document=document, problem=problem)


def test_a_poll_can_be_matched_with_the_answer_that_gave_its_code() -> None:
    given = response_line(answered({"device_code": CODE, "user_code": "WDJB-MJHT", "expires_in": 900}), 0.127)
    sent = request_line("POST", URL, {"client_id": "kubectl-elevated", "device_code": CODE})

    assert given == (f"< HTTP 200 from {URL} after 0.13s: device_code={DIGEST} user_code=[9 characters] expires_in=900")
    assert sent == f"> POST {URL}: client_id=kubectl-elevated device_code={DIGEST}"


@pytest.mark.parametrize("name", sorted(DIGESTED | HIDDEN))
def test_what_is_a_secret_is_in_no_line(name: str) -> None:
    for line in (request_line("POST", URL, {name: CODE}), response_line(answered({name: CODE}), 0)):
        assert name in line
        assert CODE not in line
        assert CODE[:8] not in line


@pytest.mark.parametrize("value", [CODE, [CODE], {"a": CODE}, 5, None])
def test_what_is_not_known_is_counted_and_not_shown(value: object) -> None:
    assert response_line(answered({"error": "slow_down", "extension": value}), 1) == (
        f"< HTTP 200 from {URL} after 1.00s: error=slow_down and 1 more"
    )


def test_a_secret_of_another_type_stays_one() -> None:
    assert CODE not in response_line(answered({"id_token": [CODE], "user_code": {"is": CODE}}), 0)


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_foreign_text_is_safe_to_show(name: str) -> None:
    line = response_line(answered({name: "\x1b]52;c;Zm9v\x07\u202e\n> POST https://evil" + "x" * 9000}), 0)
    assert line.isprintable()
    assert len(line) < 400


def test_an_address_is_shown_in_punycode() -> None:
    assert request_line("GET", "https://login.ex\u0430mple.com/", None) == "> GET https://login.xn--exmple-4nf.com/"


def test_no_json_and_no_answer() -> None:
    assert response_line(answered(None, problem="answered with text/html instead of JSON"), 0) == (
        f"< HTTP 200 from {URL} after 0.00s: answered with text/html instead of JSON"
    )
    assert failure_line(URL, "login.example.com cannot be reached: connection refused", 5) == (
        f"< nothing from {URL} after 5.00s: login.example.com cannot be reached: connection refused"
    )
