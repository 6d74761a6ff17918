"""What `doctor --online` and `setup` see of a provider at which no step-up can succeed: a real one, over TLS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_stepup.oidc.id_token import usable_algorithms
from kubectl_stepup.oidc.provider import OIDCProvider
from kubectl_stepup.oidc.transport import Transport
from kubectl_stepup.stepup.provider_check import Problem, provider_problems
from tests.support.provider import Answer, Raw
from tests.support.provider.clock import FakeClock
from tests.support.provider.fixtures import StartProvider, start_provider
from tests.support.values import POLICY, PROVIDER

if TYPE_CHECKING:
    from tests.support.provider import Provider

__all__ = ["start_provider"]

NO_KEYS = "publishes no key that can be used with RS256"


def problems(to: Provider, clock: FakeClock, **changes: Any) -> list[Problem]:
    client = OIDCProvider(issuer=to.issuer, transport=Transport(environ={}, ca_file=str(to.ca_file)), clock=clock)
    enrolled = replace(PROVIDER, issuer=to.issuer, **changes)
    return list(provider_problems(enrolled, client, usable_algorithms, POLICY.levels))


def started(start: StartProvider, **answer: Any) -> tuple[Provider, FakeClock]:
    clock = FakeClock()
    return start(answer=Answer(**answer), clock=clock), clock


@pytest.mark.parametrize("alg", ["RS256", "ES256", "PS384"])
def test_nothing_is_said_of_a_provider_in_order(start_provider: StartProvider, alg: str) -> None:
    assert problems(*started(start_provider, alg=alg, decoys=True)) == []


@pytest.mark.parametrize(("ahead", "side"), [(3600, "behind"), (-3600, "ahead of")])
def test_a_clock_that_is_off(start_provider: StartProvider, ahead: float, side: str) -> None:
    provider, clock = started(start_provider)
    provider.date_ahead_s = ahead
    (found,) = problems(provider, clock)
    assert found.sentence == (
        f"this machine's clock is 1h {side} {provider.host}: the age of a sign-in cannot be checked"
    )
    assert found.is_certain
    assert "timedatectl" in found.fix


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (Raw.html(), "answered with text/html instead of JSON (HTTP 200)"),
        (Raw.of({"keys": []}), NO_KEYS),
        (Raw.of({"keys": ["x", 5, None]}), NO_KEYS),
        (Raw.of({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}), NO_KEYS),
        (Raw.of({}), "the provider's JWKS has no list of keys"),
        (Raw.of({}, 404), "answered HTTP 404"),
        (Raw(reset=True), "the connection was closed without an answer"),
    ],
)
def test_keys_that_are_none(start_provider: StartProvider, raw: Raw, sentence: str) -> None:
    provider, clock = started(start_provider, faults={"jwks": [raw]})
    (found,) = problems(provider, clock)
    assert sentence in found.sentence
    assert found.fix
    assert found.is_certain


def test_an_address_in_a_command_to_type_is_quoted(
    start_provider: StartProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, clock = started(start_provider)
    said = OIDCProvider.metadata
    address = f"{provider.issuer}/$(id);x"
    monkeypatch.setattr(OIDCProvider, "metadata", lambda client: replace(said(client), jwks_uri=address))
    (found,) = problems(provider, clock)
    assert found.fix == f"look at what is there: curl '{provider.issuer}/$(id);x'"


@pytest.mark.parametrize(
    ("offered", "shown"), [(["none"], "'none'"), (["HS256", "none"], "'HS256', 'none'"), ([], "nothing")]
)
def test_signatures_that_are_never_accepted(start_provider: StartProvider, offered: list[str], shown: str) -> None:
    provider, clock = started(start_provider, metadata={"id_token_signing_alg_values_supported": offered})
    (found,) = problems(provider, clock)
    assert found.sentence == f"{provider.host} signs ID tokens with {shown}, accepted are RS256"


def test_an_algorithm_that_only_the_config_names(start_provider: StartProvider) -> None:
    provider, clock = started(start_provider)
    preset = replace(PROVIDER.preset, signing_algorithms=("ES256",))
    (found,) = problems(provider, clock, preset=preset)
    assert found.sentence == f"{provider.host} signs ID tokens with 'RS256', accepted are ES256"


def test_acr_values_that_are_not_named_are_a_note_for_each_level(start_provider: StartProvider) -> None:
    provider, clock = started(start_provider, metadata={"acr_values_supported": ["pwd"]})
    found = problems(provider, clock)
    assert [one.is_certain for one in found] == [False] * len(POLICY.levels)
    assert "does not name acr mfa or gold among those it can prove" in found[0].sentence
