"""Device authorization responses: sense or an error, and a prompt that shows no more than what is there."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from kubectl_stepup.errors import ProviderError
from kubectl_stepup.oidc.grants.device import MAX_EXPIRES_IN_S, MAX_INTERVAL_S, DeviceAuthorization
from kubectl_stepup.oidc.known_secrets import SHORTEST
from kubectl_stepup.oidc.response import Response
from kubectl_stepup.strict_json import JSONRefused, json_object
from kubectl_stepup.ui.prompt import DevicePrompt, device_prompt
from tests.fuzz.discovery import HOSTS, ISSUERS, URLS, leads_home
from tests.fuzz.shown import harmless, refusal
from tests.fuzz.unusual_json import damaged
from tests.grammar.choices import chance, pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_stepup.errors import StepUpError
    from tests.fuzz.watch import Watch
    from tests.grammar.choices import Bytes

DEVICE_CODE = "device-code-that-is-shown-to-nobody"
MEMBERS = (
    *("device_code", "user_code", "verification_uri", "verification_url", "verification_uri_complete", "expires_in"),
    *("interval", "message", "error", "error_description"),
)
WORDS = (*URLS, "WDJB-MJHT", "WDJBMJHT" * 40, "900", "5", "1e3", "", "slow_down", DEVICE_CODE, DEVICE_CODE[:20])
OTHER_URIS = ("", "{}/#/device", "{}/device?code=" + DEVICE_CODE, "{}/device/" + DEVICE_CODE[5:])
LONGEST_ADDRESS = 2100

_TWICE = re.compile(r"has the member (?:'[^']*'|\"[^\"]*\") twice")


def one(choices: Bytes, watch: Watch) -> str:
    """Read one answer, and show it."""
    issuer = pick(choices, ISSUERS)
    hosts = HOSTS if chance(choices, 2) else ()
    response = answer(choices, f"{issuer}/device", _body(choices, issuer))
    read = partial(DeviceAuthorization.from_response, response, issuer=issuer, hosts=hosts)
    authorization = watch.attempt(read, ProviderError)
    if isinstance(authorization, ProviderError):
        assert kept_quiet(authorization, [response], (DEVICE_CODE,), "device_code"), "the device code is shown"
        return refusal(authorization)
    assert 1 <= authorization.interval_s <= MAX_INTERVAL_S
    shown = (authorization.user_code, authorization.verification_uri, authorization.verification_uri_complete or "")
    secret = authorization.device_code.reveal()
    assert len(secret) < SHORTEST or not any(secret in text for text in shown), "the device code is shown"
    assert len(secret) < SHORTEST or secret not in repr(authorization)
    assert 0 < authorization.expires_in_s <= MAX_EXPIRES_IN_S
    for url in (authorization.verification_uri, authorization.verification_uri_complete):
        leads_home(url, issuer, hosts)
    _shown(authorization)
    complete = "a complete address" if authorization.verification_uri_complete else authorization.warning or ""
    return f"{authorization.interval_s:.0f} of {authorization.expires_in_s:.0f} s, {complete[:30]}"


def answer(choices: Bytes, url: str, body: bytes) -> Response:
    """Return an HTTP answer with that body, read as the transport does."""
    status = pick(choices, (200, 200, 200, 400, 401, 408, 429, 500, 503))
    date = pick(choices, (None, 0.0, 1_800_000_000.0, -62_135_596_800.0))
    try:
        return Response(url=url, status=status, document=json_object(body), date=date)
    except JSONRefused as exc:
        problem = f"answered with JSON that {exc}"
        harmless(problem)
        is_own = chance(choices, 2)
        return Response(url=url, status=status, document=None, problem=problem, is_own=is_own, date=date)


def kept_quiet(error: StepUpError, answers: Sequence[Response], secrets: Sequence[str], *names: str) -> bool:
    """Whether an error shows no secret; one that stands under another name than `names` is nobody's secret.

    Nor is the name of a member that stands twice: it can be one only where it was sent before.
    """
    public = repr(
        [{name: text for name, text in (each.document or {}).items() if name not in names} for each in answers]
    )
    said = _TWICE.sub("", f"{error.message} {error.hint} {error.details}")
    return not any(secret in said and secret not in public for secret in secrets)


def _shown(authorization: DeviceAuthorization) -> None:
    if authorization.warning is not None:
        harmless(authorization.warning)
    prompt = device_prompt(
        DevicePrompt(
            summary="delete pod web-0",
            rules=("prod-deletes",),
            level="mfa",
            cluster="prod-eu",
            server="https://api.prod.example.com",
            user="alice",
            command=("delete", "pod", "web-0"),
            verification_uri=authorization.verification_uri,
            verification_uri_complete=authorization.verification_uri_complete,
            user_code=authorization.user_code,
            reuse_s=600,
            warning=authorization.warning,
        )
    )
    lines = prompt.splitlines()
    assert len(lines) <= 14, "the prompt has lines that are not ours"
    for line in lines:
        assert line.isprintable()
        assert len(line) <= LONGEST_ADDRESS


def _body(choices: Bytes, issuer: str) -> bytes:
    members: dict[str, object] = {
        "device_code": DEVICE_CODE,
        "user_code": "WDJB-MJHT",
        "verification_uri": f"{issuer}/device",
        "verification_uri_complete": f"{issuer}/device?user_code=WDJB-MJHT",
        "expires_in": 900,
        "interval": 5,
    }
    for name in ("verification_uri", "verification_uri_complete"):
        if chance(choices, 6):
            members[name] = pick(choices, URLS)
        elif chance(choices, 6):
            members[name] = pick(choices, OTHER_URIS).format(issuer)
    return damaged(choices, members, MEMBERS, WORDS)
