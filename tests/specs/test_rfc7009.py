"""Spec: RFC 7009 section 2.1, the revocation request; section 2.2, its answers."""

from __future__ import annotations

import pytest

from kubectl_stepup.oidc.provider import OIDCProvider
from kubectl_stepup.oidc.transport import Transport
from kubectl_stepup.secret import Secret
from tests.support.provider import Provider, Raw
from tests.support.provider.clock import FakeClock
from tests.support.provider.fixtures import provider, start_provider

__all__ = ["provider", "start_provider"]


def revoke(to: Provider) -> bool:
    transport = Transport(environ={}, ca_file=str(to.ca_file))
    client = OIDCProvider(issuer=to.issuer, transport=transport, clock=FakeClock())
    return client.revoke(Secret("45ghiukldjahdnhzdauz"), kind="refresh_token", client_id="kubectl-elevated")


def test_the_example_with_the_name_of_a_public_client(provider: Provider) -> None:
    """The example's client has a secret and sends it in a header; ours has none and names itself in the form."""
    assert revoke(provider)
    (request,) = [item for item in provider.requests if item.endpoint == "revocation"]
    assert list(request.form.items())[:2] == [("token", "45ghiukldjahdnhzdauz"), ("token_type_hint", "refresh_token")]
    assert request.form["client_id"] == "kubectl-elevated"
    assert (request.method, request.headers["content-type"]) == ("POST", "application/x-www-form-urlencoded")
    assert "authorization" not in request.headers


@pytest.mark.parametrize(("raw", "revoked"), [(Raw(status=200), True), (Raw(status=503), False)])
def test_the_body_of_the_answer_is_ignored_and_a_503_revokes_nothing(
    provider: Provider, raw: Raw, revoked: bool
) -> None:
    provider.answer.faults = {"revocation": [raw]}
    assert revoke(provider) is revoked
