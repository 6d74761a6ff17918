"""A provider, or what stands in its place, says our own secrets back to us: none is shown, traced or remembered."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from kubectl_stepup.errors import StepUpError
from kubectl_stepup.oidc.known_secrets import SECRET_MEMBERS
from kubectl_stepup.oidc.provider import OIDCProvider
from kubectl_stepup.oidc.transport import Transport
from kubectl_stepup.stepup.authenticate import authenticate
from tests.flows import World, asked, provider_with
from tests.support.provider import Answer, Provider, Raw
from tests.support.provider.clock import FakeClock
from tests.support.provider.fixtures import StartProvider, start_provider

__all__ = ["start_provider"]

PRESET = {"pkce_in_device": True, "nonce_in_device": True}


class StepUp:
    """A step-up as the program does it, over TLS; `said` is all that a person, a record or a file would get of it."""

    def __init__(self, start: StartProvider, **answer: Any) -> None:
        self.clock = FakeClock()
        self.provider: Provider = start(
            answer=Answer(acr="mfa", honours_nonce=True, enforces_interval=False, **answer), clock=self.clock
        )
        self.trace: list[str] = []
        self.world = World()
        self.said: list[str] = []

    def run(self) -> None:
        client = OIDCProvider(
            issuer=self.provider.issuer,
            transport=Transport(environ={}, ca_file=str(self.provider.ca_file), trace=self.trace.append),
            clock=self.clock,
        )
        self.world.provider = lambda provider: client
        self.world.clock = self.clock
        self.world.random = secrets.token_urlsafe
        request = asked("delete", "pod", "x", provider=provider_with(issuer=self.provider.issuer, preset=PRESET))
        try:
            self.said.append(repr(authenticate(request, self.world)))
        except StepUpError as exc:
            self.said += [str(exc), exc.message, exc.hint or "", repr(exc.details)]
        terminal = self.world.terminal
        self.said += [*terminal.said, *terminal.details, *self.trace]

    def secrets(self) -> set[str]:
        sent = [value for one in self.provider.requests for name, value in one.form.items() if name in SECRET_MEMBERS]
        return {*sent, *self.provider.grants.issued, *(device.device_code for device in self.provider.devices)}

    def assert_nothing_shown(self) -> None:
        text = "\n".join(self.said)
        for secret in self.secrets():
            for form in _forms(secret):
                assert form not in text


def _forms(secret: str) -> tuple[str, ...]:
    data = secret.encode()
    return (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], base64.b64encode(data).decode()[:-3], data.hex())


WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a URL": lambda text: quote(text, safe=""),
    "each byte": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "the first half": lambda text: text[: len(text) // 2],
    "in capitals": str.upper,
}


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("member", ["device_code", "code_verifier"])
def test_in_an_error_of_the_token_endpoint(start_provider: StartProvider, member: str, written: str) -> None:
    def fault(form: dict[str, str]) -> Raw:
        text = WRITTEN[written](form[member])
        return Raw.of({"error": "invalid_client", "error_description": f"<{text}> is unknown"}, 401)

    step_up = StepUp(start_provider, faults={"token": [fault]})
    step_up.run()
    assert "invalid_client: <" in step_up.said[0]
    assert "[redacted]" in step_up.said[0]
    step_up.assert_nothing_shown()
    if written != "in capitals":
        assert WRITTEN[written](step_up.provider.forms("token")[0][member])[:16] not in "\n".join(step_up.said)


def test_in_an_error_of_the_device_endpoint(start_provider: StartProvider) -> None:
    step_up = StepUp(
        start_provider,
        faults={"device": [lambda form: Raw.of({"error": "x", "error_description": f"nonce {form['nonce']}"}, 400)]},
    )
    step_up.run()
    assert "(x: nonce [redacted])" in step_up.said[0]
    step_up.assert_nothing_shown()


@pytest.mark.parametrize(
    "fault",
    [
        lambda form: Raw.redirect(f"https://evil.example/?{urlencode(form)}"),
        lambda form: Raw(body=b"x", content_type=f"text/x-{form['device_code']}", status=200),
        lambda form: Raw(body=b"{}", headers={"Content-Encoding": form["device_code"]}),
        lambda form: Raw(body=b'{"%b": 1, "%b": 2}' % ((form["device_code"].encode(),) * 2)),
        lambda form: Raw.of({"token_type": form["device_code"]}),
        lambda form: Raw.of({"error": {"a": form["code_verifier"]}}, 400),
        lambda form: Raw.of({"error": form["code_verifier"]}, 400),
        lambda form: Raw.of({"error": "expired_token", "error_description": form["device_code"]}, 400),
        lambda form: Raw.of({"token_type": "Bearer", "id_token": form["device_code"]}),
    ],
)  # fmt: skip
def test_anywhere_in_the_last_answer(start_provider: StartProvider, fault: Callable[[dict[str, str]], Raw]) -> None:
    step_up = StepUp(start_provider, expires_in=8, faults={"token": [fault]}, approve_after_polls=None)
    step_up.run()
    step_up.assert_nothing_shown()


@pytest.mark.parametrize("claim", ["acr", "amr", "sub", "email", "auth_time", "iss", "azp"])
def test_in_a_claim_of_the_token(start_provider: StartProvider, claim: str) -> None:
    step_up = StepUp(start_provider)
    grants = step_up.provider.grants
    honest = grants.id_token

    def with_a_secret(device: Any, access_token: str) -> str:
        secret = device.device_code
        grants.answer.claims = {claim: [secret] if claim == "amr" else secret}
        return honest(device, access_token)

    grants.id_token = with_a_secret  # type: ignore[method-assign]
    step_up.run()
    step_up.assert_nothing_shown()


def test_the_trace_of_a_step_up_that_goes_right(start_provider: StartProvider) -> None:
    step_up = StepUp(start_provider)
    step_up.run()
    assert any(line.startswith("Approved") for line in step_up.said), step_up.said
    assert len(step_up.trace) == 10
    step_up.assert_nothing_shown()


@pytest.mark.parametrize("member", ["user_code", "verification_uri", "verification_uri_complete"])
def test_a_device_code_where_a_person_would_read_it(start_provider: StartProvider, member: str) -> None:
    def fault(form: dict[str, str]) -> Raw:
        issuer = step_up.provider.issuer
        document = {
            "device_code": "0123456789abcdef-0123456789abcdef",
            "user_code": "WDJB-MJHT",
            "verification_uri": f"{issuer}/device",
            "expires_in": 8,
        }
        shown = document["device_code"]
        document[member] = shown if member == "user_code" else f"{issuer}/device?code={shown}"
        return Raw.of(document)

    step_up = StepUp(start_provider, faults={"device": [fault]})
    step_up.run()
    step_up.provider.failures.clear()
    assert "0123456789abcdef" not in "\n".join(step_up.said)
    if member != "verification_uri_complete":
        assert step_up.said[0] == "the device authorization response shows its device_code, which is a secret"
