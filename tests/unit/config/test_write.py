"""Writing providers and clusters into config.yaml: comments stay, twice is once, and what is read is what was meant."""

from __future__ import annotations

import json

from kubectl_stepup.config.document import config_from
from kubectl_stepup.config.model import Cluster, Provider
from kubectl_stepup.config.write import with_cluster, with_provider, without_cluster, without_provider
from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin
from kubectl_stepup.oidc.presets import preset_with
from kubectl_stepup.oidc.requirement import Evidence
from kubectl_stepup.yaml_edit.yaml_file import parse, plain

OVERRIDES: dict[str, object] = {"flows": ["device"], "maxAge": True, "parameters": {"hint": "1"}}
PROVIDER = Provider(
    name="corp",
    issuer="https://login.example.com/realms/prod",
    client_id="kubectl",
    elevated_client_id="kubectl-elevated",
    preset=preset_with("keycloak", OVERRIDES),
    account_claim="email",
    evidence={"mfa": Evidence(acr=("mfa", "2")), "critical": Evidence(amr=("hwk",))},
    ca_file="/etc/corp-ca.pem",
)
CLUSTER = Cluster(
    name="prod-eu",
    context="prod",
    pin=ClusterPin(
        server="https://api.prod.example.com",
        ca_sha256="9f" * 32,
        tls_server_name="api",
        proxy_url="http://proxy.test:3128",
        insecure=True,
    ),
    provider="corp",
    account="1234",
    labels={"env": "prod"},
)
NEW = """\
# yaml-language-server: $schema=https://kubectl-stepup.github.io/schemas/config.schema.json
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Config
providers:
- name: corp
  issuer: https://login.example.com/realms/prod
  clientID: kubectl
  elevatedClientID: kubectl-elevated
  preset: keycloak
  accountClaim: email
  caFile: /etc/corp-ca.pem
  flows:
  - device
  maxAge: true
  parameters:
    hint: "1"
  evidence:
    mfa:
      acr:
      - mfa
      - "2"
    critical:
      amr:
      - hwk
clusters:
- name: prod-eu
  labels:
    env: prod
  context: prod
  server: https://api.prod.example.com
  caSHA256: "9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f"
  tlsServerName: api
  proxyURL: http://proxy.test:3128
  insecureSkipTLSVerify: true
  provider: corp
  account: "1234"
"""


def both(data: bytes | None) -> bytes:
    data = with_provider(data, "c", PROVIDER, overrides=OVERRIDES, parse=plain)
    return with_cluster(data, "c", CLUSTER, parse=plain)


def test_a_new_file_is_begun_with_its_schema() -> None:
    assert both(None).decode() == NEW
    assert both(b"").decode() == NEW


def test_what_is_read_is_what_was_meant() -> None:
    config = config_from(parse(both(None), "c"))
    assert config.providers == (PROVIDER,)
    assert config.clusters == (CLUSTER,)


def test_twice_is_once() -> None:
    once = both(None)
    assert both(once) == once


def test_what_is_by_default_is_not_written() -> None:
    provider = Provider(
        name="corp", issuer="https://a.test", client_id="aa", elevated_client_id="bb", preset=preset_with("generic", {})
    )
    cluster = Cluster(name="lab", context="lab", pin=ClusterPin(server="https://c.test"), provider="corp", account="me")
    data = with_cluster(with_provider(None, "c", provider, parse=plain), "c", cluster, parse=plain)
    assert data.decode().partition("kind: Config\n")[2] == (
        "providers:\n- name: corp\n  issuer: https://a.test\n  clientID: aa\n  elevatedClientID: bb\n"
        "  preset: generic\n"
        "clusters:\n- name: lab\n  context: lab\n  server: https://c.test\n  provider: corp\n  account: me\n"
    )


MINE = """\
# our team's
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Config   # of me
providers:
  # the broker
  - {name: corp, issuer: "https://old.example.com", clientID: a1, elevatedClientID: b1}   # old
  - name: other  # keep
    issuer: https://id.example.org
    clientID: a1
    elevatedClientID: b1
clusters:
  - {name: lab, context: lab, server: "https://lab.test", provider: other, account: me}

# the end
"""


def test_everything_else_stays_as_it_stands() -> None:
    after = both(MINE.encode()).decode()
    kept = [line for line in MINE.splitlines() if "old.example.com" not in line]
    assert [line for line in after.splitlines() if line in kept] == kept
    assert "old.example.com" not in after
    config = config_from(parse(after.encode(), "c"))
    assert [provider.name for provider in config.providers] == ["corp", "other"]
    assert [cluster.name for cluster in config.clusters] == ["lab", "prod-eu"]


def test_removing_gives_the_bytes_back() -> None:
    data = with_cluster(MINE.encode(), "c", CLUSTER, parse=plain)
    assert without_cluster(data, "c", "prod-eu", parse=plain).decode() == MINE
    assert without_cluster(data, "c", "nope", parse=plain) == data
    assert "other" not in without_provider(MINE.encode(), "c", "other", parse=plain).decode().partition("clusters")[0]


def test_a_file_in_json_stays_json() -> None:
    after = json.loads(with_cluster(b'{"clusters": []}', "c", CLUSTER, parse=plain))
    assert [cluster["name"] for cluster in after["clusters"]] == ["prod-eu"]
