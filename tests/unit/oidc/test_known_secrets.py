from __future__ import annotations

import base64
import hashlib
import json
import tracemalloc
from urllib.parse import quote

import pytest

from kubectl_stepup.errors import ProviderError
from kubectl_stepup.oidc.known_secrets import LONGEST_END, MOST_PARTS, KnownSecrets

CODE = 'Zm9v+YmFy/0c9b~12"ab34cdEF=='


def knowing(**members: object) -> KnownSecrets:
    secrets = KnownSecrets()
    secrets.learn(members or {"device_code": CODE})
    return secrets


@pytest.mark.parametrize(
    "written",
    [
        CODE,
        quote(CODE, safe=""),
        quote(CODE, safe="").lower(),
        "".join(f"%{byte:02X}" for byte in CODE.encode()),
        json.dumps(CODE)[1:-1],
        json.dumps(json.dumps(CODE))[3:-3].replace("\\\\", "\\"),
        CODE.encode().hex(),
        CODE.encode().hex().upper(),
        CODE.upper(),
        CODE[:12],
        CODE[-12:],
        CODE[5:17],
        *(base64.b64encode(b"x" * before + CODE.encode()).decode()[-30:] for before in range(3)),
        base64.urlsafe_b64encode(CODE.encode()).decode(),
    ],
)
def test_a_secret_is_found_however_it_is_written(written: str) -> None:
    shown = knowing().hidden(f"the code <{written}> is unknown")
    assert "[redacted]" in shown
    assert shown.startswith("the code <")
    assert shown.endswith("> is unknown")
    longest = max(len(part) for part in shown.replace("the code <", "").replace("> is unknown", "").split("[redacted]"))
    assert longest < 8


def test_what_is_no_secret_stays_as_it_is() -> None:
    text = "device code 0c9 is unknown; see https://login.example.com/device?user_code=WDJB-MJHT"
    assert knowing().hidden(text) == text
    assert knowing(user_code="WDJB-MJHT", scope="openid kube-admin").hidden(text) == text
    assert knowing(device_code="unknown").hidden(text) == text  # as short as a word


def test_several_secrets_in_one_text_leave_what_stands_between() -> None:
    secrets = knowing(device_code="aaaabbbbcccc", refresh_token="ddddeeeeffff")
    assert secrets.hidden("<aaaabbbbcccc|ddddeeeeffff> aaaabbbb") == "<[redacted]|[redacted]> [redacted]"


def test_an_error_is_cleaned_in_all_its_parts() -> None:
    error = ProviderError(f"bad {CODE}", hint=f"use {CODE}", details={"list": [CODE, 5], "trouble": f"x {CODE}"})
    knowing().hide_in(error)
    assert (str(error), error.message, error.hint) == ("bad [redacted]", "bad [redacted]", "use [redacted]")
    assert error.details == {"list": ["[redacted]", 5], "trouble": "x [redacted]"}


def test_it_does_not_show_itself() -> None:
    assert CODE not in repr(knowing())


@pytest.mark.timeout(20)
def test_a_token_as_long_as_an_answer_costs_no_memory() -> None:
    token = hashlib.shake_256(b"token").hexdigest(1 << 19)
    tracemalloc.start()
    try:
        secrets = knowing(device_code=CODE, id_token=token, access_token=token[::-1], refresh_token=token.upper())
        shown = secrets.hidden(f"<{token[:30]}> <{token[-30:]}> <{token[-8:-60:-1]}> <{CODE}>")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert shown == "<[redacted]> <[redacted]> <[redacted]> <[redacted]>"
    assert peak < 200 << 20


def test_answers_without_end_are_learned_from_for_a_while() -> None:
    secrets = knowing(device_code=CODE)
    for number in range(40):
        secrets.learn({"id_token": hashlib.shake_256(bytes([number])).hexdigest(LONGEST_END)})
        secrets.hidden("what is asked for often")
    assert len(secrets._parts) < 2 * MOST_PARTS
    assert secrets.hidden(f"code {CODE}") == "code [redacted]"
