"""A thousand device flows over bad networks, past broken servers and jumping clocks: each ends, in time, in one of
four ways, and none of them asks more often than it may.

The bytes are real (TLS on loopback); the time is simulated, and an answer that takes too long costs what it would.
"""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from kubectl_stepup.errors import ProviderResponse, ProviderUnreachable, StepUpDenied, StepUpExpired
from kubectl_stepup.oidc.grants.device import DeviceAuthorization, DeviceRequest
from kubectl_stepup.oidc.presets import PRESETS
from kubectl_stepup.oidc.provider import OIDCProvider
from kubectl_stepup.oidc.response import Response
from kubectl_stepup.oidc.transport import Transport
from kubectl_stepup.secret import Secret
from kubectl_stepup.stepup.device_flow import device_request, obtain
from tests.attacks.test_device_flow import REQUIREMENT
from tests.support.provider import Answer, Provider, Raw
from tests.support.provider.clock import FakeClock
from tests.support.provider.fixtures import StartProvider, start_provider

__all__ = ["start_provider"]

FLOWS, AT_ONCE = 1000, 100
TRICKLE_S = 0.25
"""How long we really wait for an answer that never ends; the simulated clock is charged what it was given."""

BOMB = gzip.compress(b"\0" * (1 << 20)) * 64
SLOW_DOWN = Raw.of({"error": "slow_down"}, 400)
TROUBLES: tuple[tuple[int, Raw], ...] = (
    (10, Raw(reset=True)),
    (10, Raw.html(502)),
    (6, Raw.of({"error": "server_error"}, 500)),
    (6, Raw(status=503, headers={"Retry-After": "20"})),
    (1, Raw(status=429, body=b"{}", headers={"Retry-After": "100000"})),
    (1, Raw(status=429, body=b"{}", headers={"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"})),
    (8, SLOW_DOWN),
    (6, Raw.of({"error": "authorization_pending"}, 400)),
    (6, Raw.html(200)),
    (4, Raw(body=b"[" * 100_000)),
    (4, Raw(body=b"\xff\xfe\x00", content_type="application/json; charset=utf-16")),
    (2, Raw.oversize()),
    (2, Raw(body=BOMB, headers={"Content-Encoding": "gzip"})),
    (2, Raw(body=b'{"error": "authorization_pen', missing=40)),
    (1, Raw(trickle=True)),
    (1, Raw(trickle_headers=True)),
)
UNREADABLE = ("JSON that is nested too deeply", "JSON that is not UTF-8", "answered with more than 1024 KiB")
"""A JSON answer of the token endpoint itself that cannot be read: asking again would use the code again."""


class Machine(FakeClock):
    """A machine whose clock is set, and which is put to sleep, in the middle of things."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random
        self.woken_at = self.steady

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        chance = self._random.random()
        if chance < 0.004:
            self.wall += self._random.choice((3600.0, -3600.0, -1_700_000_000.0, 1e9))
        elif chance < 0.006:
            away = self._random.choice((40.0, 700.0, 50_000.0))
            self.wall += away
            self.steady += away
            self.woken_at = self.steady


@dataclass
class Timed:
    """The provider over the transport, with the time that an answer takes."""

    real: OIDCProvider
    clock: Machine
    faults: list[Raw]
    polled_at: list[float] = field(default_factory=list)

    @property
    def host(self) -> str:
        return self.real.host

    def authorize_device(self, request: DeviceRequest) -> DeviceAuthorization:
        return self.real.authorize_device(request)

    def poll(self, request: DeviceRequest, device_code: Secret, *, deadline_s: float) -> Response:
        self.polled_at.append(self.clock.steady)
        endless = bool(self.faults) and (self.faults[0].trickle or self.faults[0].trickle_headers)
        try:
            return self.real.poll(request, device_code, deadline_s=TRICKLE_S if endless else 60)
        except ProviderUnreachable as late:
            if "within" in late.message:
                self.clock.steady += deadline_s
                self.clock.wall += deadline_s
            raise

    def revoke(self, revoked: Secret, *, kind: str, client_id: str) -> bool:
        return self.real.revoke(revoked, kind=kind, client_id=client_id)


def troubles(random: Random) -> list[Raw]:
    weights, kinds = zip(*TROUBLES, strict=True)
    return random.choices(kinds, weights, k=random.choice((0, 0, 1, 2, 4, 10, 30)))


def answer(random: Random) -> dict[str, Any]:
    ending: dict[str, Any] = random.choice(
        (
            {"approve_after_polls": random.randrange(12)},
            {"approve_after_polls": random.randrange(3)},
            {"approve_after_polls": None},
            {"denied": True},
            {"expired": True},
            {"approve_after_polls": 2, "tokens": {"refresh_token": "unwanted"}},
        )
    )
    return {
        **ending,
        "interval": random.choice((1, 2, 5, 5, 5, 30, "5", None, -1)),
        "expires_in": random.choice((60, 300, 900, 900, 1800)),
        "slow_downs": random.choice((0, 0, 1, 4)),
        "faults": {"token": troubles(random)},
    }


@dataclass
class Ended:
    """How a flow ended, and when it should have at the latest (seconds of the simulated clock)."""

    how: str
    at: float
    latest: float
    gaps: list[float]
    asked_every: float


def flow(provider: Provider, random: Random, get: Callable[[Machine], OIDCProvider]) -> Ended:
    said = answer(random)
    for name, value in vars(Answer(**said)).items():
        setattr(provider.answer, name, value)
    clock = Machine(random)
    provider.clock = provider.grants.clock = clock
    client = Timed(get(clock), clock, said["faults"]["token"])
    request = device_request(
        PRESETS["oidc-provider"], REQUIREMENT, client_id="kubectl-elevated", random=secrets.token_urlsafe
    )
    begun = clock.steady
    try:
        obtain(client, request, clock=clock, show=lambda shown: None, tick=lambda left: None)  # type: ignore[arg-type]
        how = "token"
    except StepUpDenied:
        how = "denied"
    except StepUpExpired:
        how = "expired"
    except ProviderResponse as final:
        how = "unreadable" if any(problem in final.message for problem in UNREADABLE) else final.message
    given = said["interval"]
    polled = client.polled_at
    return Ended(
        how=how,
        at=clock.steady,
        latest=max(begun + said["expires_in"], clock.woken_at) + 10,
        gaps=[later - earlier for earlier, later in zip([begun, *polled], polled, strict=False)],
        asked_every=float(given) if isinstance(given, int) and given > 0 else 5.0,
    )


@pytest.fixture
def clients(start_provider: StartProvider) -> Iterator[tuple[Provider, Callable[[Machine], OIDCProvider]]]:
    provider = start_provider()
    with closing(Transport(environ={}, ca_file=str(provider.ca_file), deadline_s=5)) as transport:
        yield provider, lambda clock: OIDCProvider(issuer=provider.issuer, transport=transport, clock=clock)


@pytest.mark.parametrize("first", range(0, FLOWS, AT_ONCE))
def test_every_flow_ends_in_time_and_asks_no_more_often_than_it_may(
    first: int, clients: tuple[Provider, Callable[[Machine], OIDCProvider]]
) -> None:
    provider, get = clients
    endings: dict[str, int] = {}
    for seed in range(first, first + AT_ONCE):
        ended = flow(provider, Random(seed), get)
        endings[ended.how] = endings.get(ended.how, 0) + 1
        assert ended.at <= ended.latest, (seed, ended)
        assert ended.how in {"token", "denied", "expired", "unreadable"}, seed
        # Each slow_down is for good: the server itself checks that (`failures`), for the polls that reach it.
        assert all(gap >= ended.asked_every - 0.01 for gap in ended.gaps), (seed, ended)
        assert provider.failures == [], seed
    assert set(endings) == {"token", "denied", "expired", "unreadable"}
    assert min(endings.values()) >= 5, endings
