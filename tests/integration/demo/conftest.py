"""Fixtures of the demo's integration tests."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from kubectl_stepup.demo.accounts import new_account
from kubectl_stepup.demo.certificates import Authority, new_authority
from kubectl_stepup.demo.cluster import DemoCluster
from kubectl_stepup.demo.https_client import HTTPSClient
from kubectl_stepup.demo.identity_provider import IdentityProvider
from kubectl_stepup.demo.person import Person
from kubectl_stepup.demo.tokens import Signer
from kubectl_stepup.demo.world import trust
from tests.support.demo_lab.lab import Clock, Lab


@pytest.fixture(scope="session")
def authority() -> Authority:
    """One CA for all tests of this process."""
    return new_authority(time.time())


@pytest.fixture(scope="session")
def signer() -> Signer:
    """One key for all tests of this process: to make one takes longer than most tests."""
    return Signer()


@pytest.fixture
def lab(authority: Authority, signer: Signer) -> Iterator[Lab]:
    """A new provider and a new cluster."""
    clock = Clock()
    account, credentials = new_account("alice", email="alice@example.com", groups=("dev",))
    other, _ = new_account("bob", email="bob@example.com", groups=("ops",))
    context = authority.server_context(clock())
    with (
        IdentityProvider(context, [account, other], clock=clock, interval_s=5, signer=signer) as provider,
        DemoCluster(context, [trust(provider.issuer, authority.pem)], clock=clock) as cluster,
    ):
        yield Lab(
            clock=clock,
            authority=authority,
            provider=provider,
            cluster=cluster,
            account=account,
            credentials=credentials,
            other=other,
            person=Person(credentials, authority.pem, clock),
            client=HTTPSClient(authority.pem),
        )
        assert (provider.faults, cluster.faults) == ((), ())
