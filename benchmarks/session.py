"""The session that a login would leave, and the config that it belongs to."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from kubectl_stepup.config.document import config_from
from kubectl_stepup.digest import sha256_hex
from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin, ca_digest
from kubectl_stepup.kubeconfig.exec_credential import expected_exec_info
from kubectl_stepup.secret import Secret
from kubectl_stepup.sessions import scope
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.stepup.files_in_force import files_in_force
from kubectl_stepup.yaml_edit import yaml_file

if TYPE_CHECKING:
    from benchmarks.place import Place

ACCOUNT = "alice"
CLUSTERS = ("bench", "bench-files", "bench-secret-service")
"""The API server is enrolled three times, so that each store has a session of its own: the kernel's is found first."""

LIFE_S = 3 * 3600
"""Longer than a run; afterwards the kernel drops what a killed run left."""

POLICY = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
levels:
  - {name: mfa, signedInWithin: 12h, askAgainAfter: 12h}
rules:
"""


def write_config(place: Place, *, home: str = ".", rules: int = 1, store: str = "keyring") -> None:
    """Enrol the API server in the config of a home below the place's, with a policy of so many rules."""
    directory = place.directory(f"{home}/.config/kubectl-stepup")
    config = json.dumps(config_document(place, store))
    for name, text in (("config.yaml", config), ("policy.yaml", policy(rules))):
        path = directory / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")


def policy(rules: int) -> str:
    """Return a policy whose rules are about deleting, each in clusters of its own, the last everywhere."""
    lines = [
        f"  - {{name: r{at}, do: [delete, stop], clusters: ['prod-{at}-*'], needs: mfa}}\n" for at in range(rules - 1)
    ]
    return POLICY + "".join(lines) + "  - {name: deletes, do: [delete], needs: mfa}\n"


def config_document(place: Place, store: str = "keyring") -> dict[str, object]:
    """Return the config of the enrolled clusters; `store` is where the ordinary path looks."""
    provider = {
        "name": "bench",
        "issuer": place.issuer.url,
        "clientID": "kubernetes",
        "elevatedClientID": "kubernetes-elevated",
        "preset": "keycloak",
        "evidence": {"mfa": {"acr": ["mfa"]}},
    }
    cluster = {
        "server": place.api.url,
        "caSHA256": ca_digest(place.api.ca_pem.encode("ascii")),
        "provider": "bench",
        "account": ACCOUNT,
    }
    return {
        "apiVersion": "kubectl-stepup.github.io/v1alpha1",
        "kind": "Config",
        "store": store,
        "providers": [provider],
        "clusters": [{"name": name, "context": name, **cluster} for name in CLUSTERS],
    }


def new_session(place: Place, cluster: str = CLUSTERS[0], *, account: str = ACCOUNT) -> ElevationSession:
    """Make the session for a cluster; with another account, one that only fills a store."""
    now = scope.moment()
    ca_pem = place.api.ca_pem.encode("ascii")
    document = json.dumps(config_document(place)).encode("utf-8")
    evidence = config_from(yaml_file.parse(document, "config.yaml")).provider("bench").evidence_of("mfa")
    pin = ClusterPin(server=place.api.url, ca_sha256=ca_digest(ca_pem))
    return ElevationSession(
        issuer=place.issuer.url,
        client="kubernetes-elevated",
        account=account,
        cluster=cluster,
        level="mfa",
        token=Secret(place.token),
        token_expires_at=now.wall + LIFE_S,
        auth_time=int(now.wall),
        approved=now,
        reuse_until=now.wall + LIFE_S,
        acr="mfa",
        amr=("pwd", "otp"),
        command="delete pod web-0",
        pin=pin,
        evidence=None if evidence is None else evidence.fingerprint,
        rests_on=files_in_force(place.environ, config=None, policy=None),
        exec_info=tuple(sha256_hex(value) for value in expected_exec_info(pin, ca_pem=ca_pem)),
    )


def others(place: Place, count: int) -> list[ElevationSession]:
    """Make unused sessions to fill a store."""
    return [new_session(place, account=f"{number}-{secrets.token_hex(4)}") for number in range(count)]


def exec_info(place: Place) -> dict[str, str]:
    """Return the plugin's environment, with what kubectl passes about this cluster."""
    value = expected_exec_info(new_session(place).pin, ca_pem=place.api.ca_pem.encode("ascii"))[0]
    return {"KUBERNETES_EXEC_INFO": value.decode("utf-8")}
