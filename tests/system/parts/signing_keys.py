"""Another signing key for a running provider, while it goes on serving."""

from __future__ import annotations

import requests

from tests.system.parts.provider import PASSWORD, RunningProvider

_HIGHER_THAN_ANY = "200"


def rotate(provider: RunningProvider) -> None:
    """Let a provider sign with a new key from now on."""
    with requests.Session() as session:
        session.trust_env, session.verify = False, str(provider.ca_file)
        _ROTATE[provider.name](session, provider.issuer)


def published(provider: RunningProvider) -> set[str]:
    """Return the ids of the signing keys that a provider publishes."""
    with requests.Session() as session:
        session.trust_env, session.verify = False, str(provider.ca_file)
        metadata = session.get(f"{provider.issuer}/.well-known/openid-configuration", timeout=20).json()
        keys = session.get(metadata["jwks_uri"], timeout=20).json()["keys"]
    return {key["kid"] for key in keys if key.get("use") == "sig"}


def _rotate_oidc_provider(session: requests.Session, issuer: str) -> None:
    session.post(f"{issuer}/rotate", timeout=20).raise_for_status()


def _rotate_keycloak(session: requests.Session, issuer: str) -> None:
    form = {"grant_type": "client_credentials", "client_id": "keymaster", "client_secret": PASSWORD}
    token = session.post(f"{issuer}/protocol/openid-connect/token", data=form, timeout=20).json()["access_token"]
    key = {
        "name": "another key",
        "providerId": "rsa-generated",
        "providerType": "org.keycloak.keys.KeyProvider",
        "config": {"priority": [_HIGHER_THAN_ANY], "algorithm": ["RS256"], "keySize": ["2048"]},
    }
    administration = issuer.replace("/realms/", "/admin/realms/")
    answer = session.post(
        f"{administration}/components", json=key, headers={"Authorization": f"Bearer {token}"}, timeout=60
    )
    answer.raise_for_status()


_ROTATE = {"oidc-provider": _rotate_oidc_provider, "keycloak": _rotate_keycloak}
