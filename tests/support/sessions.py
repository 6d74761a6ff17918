"""An elevation session for tests."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from kubectl_stepup.digest import sha256_hex
from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin, ca_digest
from kubectl_stepup.kubeconfig.exec_credential import expected_exec_info
from kubectl_stepup.secret import Secret
from kubectl_stepup.sessions import scope
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.sessions.stored_session import Moment
from tests.support.values import repinned

CA = b"-----BEGIN CERTIFICATE-----\nZW5yb2xsZWQ=\n-----END CERTIFICATE-----\n"

APPROVED = Moment(wall=1_800_000_000.25, boottime=5_000.5, boot_id="0b6f1b1c-2f5d-4f25-9b39-0d6f5d8f3d10")

SESSION = ElevationSession(
    issuer="https://login.example.com/realms/prod",
    client="kubectl-elevated",
    account="alice",
    cluster="prod-eu",
    level="mfa",
    token=Secret("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"),
    token_expires_at=1_800_000_900.0,
    auth_time=1_799_999_990,
    approved=APPROVED,
    reuse_until=1_800_000_600.0,
    acr="mfa",
    amr=("pwd", "otp"),
    command="delete pod web-0 -n prod",
    pin=ClusterPin(server="https://api.prod.example.com", ca_sha256="9f" * 32),
)


def session(**changes: Any) -> ElevationSession:
    """Return the session with changes."""
    return repinned(SESSION, **changes)


def later(wall_s: float, boottime_s: float | None = None, boot_id: str = APPROVED.boot_id) -> Moment:
    """Return the moment so many seconds after the approval, by each clock."""
    moved = wall_s if boottime_s is None else boottime_s
    return Moment(wall=APPROVED.wall + wall_s, boottime=APPROVED.boottime + moved, boot_id=boot_id)


def approved_now(**changes: Any) -> ElevationSession:
    """Return a session of its own, approved now, on a cluster whose KUBERNETES_EXEC_INFO is foretold for `CA`."""
    now = scope.moment()
    own = {
        "issuer": f"https://{os.urandom(8).hex()}.example.com",
        "approved": now,
        "reuse_until": now.wall + 600,
        "token_expires_at": now.wall + 900,
        "ca_sha256": ca_digest(CA),
    }
    approved = session(**{**own, **changes})
    return replace(
        approved, exec_info=tuple(sha256_hex(value) for value in expected_exec_info(approved.pin, ca_pem=CA))
    )
