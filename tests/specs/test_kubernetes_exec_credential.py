"""Spec: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#input-and-output-formats, its examples.

The input is what KUBERNETES_EXEC_INFO holds with `provideClusterInfo: true`, the output what is printed.
"""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from kubectl_stepup.errors import CredentialWithheld
from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin
from kubectl_stepup.kubeconfig.exec_credential import parse, render, withheld_reason
from kubectl_stepup.secret import Secret

VERSIONS = ("v1", "v1beta1")
INPUT = """
{
  "apiVersion": "client.authentication.k8s.io/VERSION",
  "kind": "ExecCredential",
  "spec": {
    "cluster": {
      "server": "https://172.17.4.100:6443",
      "certificate-authority-data": "LS0t...",
      "config": {
        "arbitrary": "config",
        "this": "can be provided via the KUBERNETES_EXEC_INFO environment variable upon setting provideClusterInfo",
        "you": ["can", "put", "anything", "here"]
      }
    },
    "interactive": true
  }
}
"""
OUTPUT = """
{
  "apiVersion": "client.authentication.k8s.io/VERSION",
  "kind": "ExecCredential",
  "status": {
    "token": "my-bearer-token",
    "expirationTimestamp": "2018-03-05T17:30:20-08:00"
  }
}
"""


def example(text: str, version: str) -> str:
    return text.replace("VERSION", version)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_input_is_read(version: str) -> None:
    info = parse(example(INPUT, version))
    assert (info.version, info.interactive) == (version, True)
    assert info.cluster is not None
    assert info.cluster["server"] == "https://172.17.4.100:6443"
    assert info.cluster["config"] == json.loads(example(INPUT, version))["spec"]["cluster"]["config"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_examples_abbreviated_ca_gets_no_token(version: str) -> None:
    pin = ClusterPin(
        server="https://172.17.4.100:6443", ca_sha256="9f" * 32, tls_server_name=None, proxy_url=None, insecure=False
    )
    assert withheld_reason(pin, parse(example(INPUT, version))) == "the certificate authority cannot be read"


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_printed_is_the_output_with_the_time_in_utc(version: str) -> None:
    wanted = json.loads(example(OUTPUT, version))
    expires_at = datetime.fromisoformat(wanted["status"].pop("expirationTimestamp")).timestamp()
    printed = json.loads(render(Secret("my-bearer-token"), expires_at, version))
    assert printed["status"].pop("expirationTimestamp") == "2018-03-06T01:30:20Z"
    assert printed.pop("spec") == {}
    assert printed == wanted


@pytest.mark.parametrize("version", ["v1alpha1", "v2", ""])
def test_a_version_that_nobody_answers_is_named(version: str) -> None:
    """`v1alpha1` was removed from client-go; the plugin must answer in the version that it was asked in."""
    with pytest.raises(CredentialWithheld) as caught:
        parse(example(INPUT, version))
    assert caught.value.message == (
        f"the exec entry asks for client.authentication.k8s.io/{version}, this plugin speaks "
        "client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1"
    )
