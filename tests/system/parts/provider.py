"""What a test may ask of a running OpenID Provider, whoever wrote it."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.certificates import Authority, write_leaf

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
"""The seed of everybody's one-time codes, in base 32."""

PASSWORD = "correct horse"
ELEVATED_LIFE_S = 300
"""How long an elevated ID token lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningProvider:
    """A provider with the clients `kubectl` and `kubectl-elevated`, and the people alice (dev) and bob (ops)."""

    name: str
    issuer: str
    ca_file: Path
    preset: str
    mfa: str
    """The `acr` of a sign-in with both factors."""

    password_only: str
    username_claim: str
    """The claim by which the API server calls people alice and bob."""

    scope: str
    accounts: Mapping[str, str] = field(default_factory=dict)
    """The value of `sub` for each name."""


def tls_files(directory: Path, name: str) -> tuple[Path, Path, Path]:
    """Write a throw-away CA, and a certificate for localhost with its key; give the three files."""
    authority = Authority()
    ca = authority.write(directory / f"{name}-ca.pem")
    return ca, *write_leaf(authority.leaf("localhost", "127.0.0.1"), directory, name)


def serves(issuer: str, ca_file: Path) -> bool:
    """Whether an issuer gives its discovery document."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(ca_file))),
    )
    try:
        with opener.open(f"{issuer}/.well-known/openid-configuration", timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False
