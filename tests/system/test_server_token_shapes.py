"""Tokens of every shape on a real server: the level exactly when it should be, and nobody is locked out for one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.provider.keys import rsa_key
from tests.support.provider.tokens import signed
from tests.system.guarded.cluster import EVERYDAY, Guarded
from tests.system.guarded.policies import LADDER
from tests.system.guarded.shapes import Shape, Signed, shapes
from tests.system.parts.kube_api import KubeAPI

pytestmark = pytest.mark.system

SHAPES = list(shapes())
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=[shape.name for shape in SHAPES])
REACHED = {"mfa": ["mfa"], "critical": ["mfa", "critical"]}
"""A stronger level proves the weaker ones."""


@pytest.fixture(scope="module")
def guarded(guarded_by: Callable[[str], Guarded]) -> Guarded:
    return guarded_by(LADDER)


def holder(guarded: Guarded, shape: Shape, level: str, **more: Any) -> KubeAPI:
    """Return the API as the holder of a token of that shape sees it; unlike elsewhere, None is null."""
    now = int(time.time())
    made = Signed(now=now, level=level)
    claims = {**guarded.claims(acr=made.acr), **shape.claims(made), **more}
    members = {name: value for name, value in claims.items() if name not in shape.absent}
    return guarded.api.as_bearer(signed(members, rsa_key("main"), kid="main"))


@every_shape
@pytest.mark.parametrize("level", list(REACHED))
def test_the_level_is_given_exactly_when_it_should_be(guarded: Guarded, shape: Shape, level: str) -> None:
    """SRV-02."""
    found = holder(guarded, shape, level).whoami()["groups"]

    reached = REACHED[level] if shape.keeps else []
    given = [
        group for name in reached for group in (f"stepup:{name}", *(f"stepup:{name}:{own}" for own in shape.groups))
    ]
    assert sorted(found) == sorted([*shape.groups, *given, "system:authenticated"])


@every_shape
def test_an_everyday_sign_in_is_never_locked_out_nor_elevated(guarded: Guarded, shape: Shape) -> None:
    # The sign-in itself had a second factor; what it was for decides.
    found = holder(guarded, shape, "critical", aud=EVERYDAY).whoami()

    assert sorted(found["groups"]) == sorted([*shape.groups, "system:authenticated"])
    assert found["extra"]["kubectl-stepup.github.io/issuer"] == [guarded.issuer]


@pytest.mark.parametrize(
    "claims", [{"exp": "soon"}, {"exp": None}, {"iat": "now"}, {"iat": None}, {"nbf": "never"}], ids=repr
)
def test_times_that_kubernetes_itself_reads_must_be_times(guarded: Guarded, claims: dict[str, Any]) -> None:
    shape = Shape(name="", claims=lambda _: claims)
    assert holder(guarded, shape, "mfa", aud=EVERYDAY).request("GET", "/version").status_code == 401


def test_there_are_enough_of_them() -> None:
    assert len({shape.name for shape in SHAPES}) == len(SHAPES) >= 60
