"""The exec credential protocol: foretelling, parsing, pinning and answering."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from kubectl_stepup.errors import CredentialWithheld
from kubectl_stepup.kubeconfig import exec_credential
from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin, ca_digest
from kubectl_stepup.kubeconfig.exec_credential import ExecInfo
from kubectl_stepup.secret import Secret


def pem(der: bytes) -> bytes:
    """Wrap bytes as a certificate; only their equality matters here."""
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"


CA = pem(b"the enrolled certificate")
OTHER_CA = pem(b"the certificate of somebody else")
SERVER = "https://api.prod.example.com"
PIN = ClusterPin(server=SERVER, ca_sha256=ca_digest(CA), tls_server_name=None, proxy_url=None, insecure=False)


def pin(**changes: Any) -> ClusterPin:
    return PIN.replaced(**changes)


def text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def exec_info(cluster: dict[str, object] | None, **changes: object) -> str:
    spec: dict[str, object] = {"interactive": False}
    if cluster is not None:
        spec["cluster"] = cluster
    return json.dumps(
        {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "spec": spec, **changes}
    )


CLUSTER: dict[str, object] = {"server": SERVER, "certificate-authority-data": text(CA), "config": None}


# What kubectl 1.32, 1.36 and 1.37 wrote, all alike, for kubeconfigs with these cluster entries.
WRITTEN = [
    (
        pin(ca_sha256=None),
        {"ca_pem": None},
        '{"server":"https://api.prod.example.com","config":null}',
    ),
    (
        pin(server=f"{SERVER}/a?b=<x>&y#z", ca_sha256=None, insecure=True),
        {"ca_pem": None},
        '{"server":"https://api.prod.example.com/a","insecure-skip-tls-verify":true,"config":null}',
    ),
    (
        pin(tls_server_name="foo.example", proxy_url="http://127.0.0.1:8"),
        {"ca_pem": b"PEM", "disable_compression": True, "config": {"b": 1, "a": ["<é\u2028"]}},
        '{"server":"https://api.prod.example.com","tls-server-name":"foo.example",'
        '"certificate-authority-data":"UEVN","proxy-url":"http://127.0.0.1:8","disable-compression":true,'
        '"config":{"a":["\\u003cé\\u2028"],"b":1}}',
    ),
]


@pytest.mark.parametrize(("cluster", "options", "expected"), WRITTEN)
def test_what_kubectl_writes_is_foretold_byte_by_byte(
    cluster: ClusterPin, options: dict[str, Any], expected: str
) -> None:
    written = [
        f'{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/{version}",'
        f'"spec":{{"cluster":{expected},"interactive":{interactive}}}}}\n'.encode()
        for version in ("v1", "v1beta1")
        for interactive in ("false", "true")
    ]
    assert list(exec_credential.expected_exec_info(cluster, **options)) == written


def test_what_is_foretold_is_released_when_parsed() -> None:
    for value in exec_credential.expected_exec_info(PIN, ca_pem=CA):
        assert exec_credential.withheld_reason(PIN, exec_credential.parse(value.decode())) is None


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_parse(version: str) -> None:
    found = exec_credential.parse(exec_info(CLUSTER, apiVersion=f"client.authentication.k8s.io/{version}"))
    assert (found.version, found.interactive, found.cluster) == (version, False, CLUSTER)


def test_parse_without_cluster_info() -> None:
    assert exec_credential.parse(exec_info(None)).cluster is None


MALFORMED = "KUBERNETES_EXEC_INFO is not an ExecCredential"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "",
            "KUBERNETES_EXEC_INFO is not set: this command is called by kubectl, or by a client library that sets it, "
            "not by hand",
        ),
        ("{", MALFORMED),
        ("[]", MALFORMED),
        ("null", MALFORMED),
        ("{}", MALFORMED),
        ("[" * 100_000, MALFORMED),
        (" " * ((1 << 20) + 1), MALFORMED),
        (exec_info(CLUSTER, kind="Secret"), MALFORMED),
        (exec_info(CLUSTER, spec=None), MALFORMED),
        (exec_info(CLUSTER, spec={"interactive": "yes"}), MALFORMED),
        (exec_info(CLUSTER, spec={"cluster": [CLUSTER]}), MALFORMED),
        (exec_info(CLUSTER).replace('"server"', '"server": "https://evil", "server"'), MALFORMED),
        (
            exec_info(CLUSTER, apiVersion="client.authentication.k8s.io/v1alpha1"),
            "the exec entry asks for client.authentication.k8s.io/v1alpha1, this plugin speaks "
            "client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1",
        ),
        (
            exec_info(CLUSTER, apiVersion="v1"),
            "the exec entry asks for v1, this plugin speaks "
            "client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1",
        ),
    ],
)
def test_parse_refuses(value: str, message: str) -> None:
    with pytest.raises(CredentialWithheld) as caught:
        exec_credential.parse(value)
    assert caught.value.message == message


def test_the_enrolled_server_gets_it() -> None:
    assert exec_credential.withheld_reason(PIN, exec_credential.parse(exec_info(CLUSTER))) is None


def test_order_and_comments_of_the_bundle_do_not_matter() -> None:
    enrolled = pin(ca_sha256=ca_digest(CA + OTHER_CA))
    given = {**CLUSTER, "certificate-authority-data": text(b"# theirs\n" + OTHER_CA + b"\n# ours\n" + CA)}
    assert exec_credential.withheld_reason(enrolled, exec_credential.parse(exec_info(given))) is None


DECOY = {"server": SERVER, "certificate-authority-data": text(CA), "spec": {"cluster": CLUSTER}}
WRONG_CA = "the certificate authority is not the enrolled one"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"server": "https://evil.example.com"}, f"the server is https://evil.example.com, enrolled is {SERVER}"),
        (
            {"server": "https://evil.example.com", "config": DECOY},
            f"the server is https://evil.example.com, enrolled is {SERVER}",
        ),
        ({"server": f"{SERVER}.evil.com"}, f"the server is {SERVER}.evil.com, enrolled is {SERVER}"),
        ({"server": f"{SERVER}:6443"}, f"the server is {SERVER}:6443, enrolled is {SERVER}"),
        ({"server": f"{SERVER}/other"}, f"the server is {SERVER}/other, enrolled is {SERVER}"),
        (
            {"server": "https://api.prod.example.com@evil.com"},
            f"the server is https://evil.com, enrolled is {SERVER}",
        ),
        ({"server": "https://a\x1b[2J"}, f"the server is https://a\\x1b[2J, enrolled is {SERVER}"),
        (
            {"server": "http://api.prod.example.com"},
            "the server http://api.prod.example.com is not reached by https",
        ),
        ({"server": None}, "the server <none> is not reached by https"),
        ({"server": [SERVER]}, "the server <none> is not reached by https"),
        ({"insecure-skip-tls-verify": True}, "`insecure-skip-tls-verify` is not as enrolled"),
        ({"insecure-skip-tls-verify": "yes"}, "`insecure-skip-tls-verify` is not as enrolled"),
        ({"tls-server-name": "evil"}, "`tls-server-name` is not as enrolled"),
        ({"proxy-url": "http://evil"}, "`proxy-url` is not as enrolled"),
        ({"proxy-url": ["http://evil"]}, "`proxy-url` is not as enrolled"),
        ({"certificate-authority-data": text(OTHER_CA)}, WRONG_CA),
        ({"certificate-authority-data": text(CA + OTHER_CA)}, WRONG_CA),
        ({"certificate-authority-data": None}, "no certificate authority was given, one is enrolled"),
        ({"certificate-authority-data": ""}, "no certificate authority was given, one is enrolled"),
        (
            {"certificate-authority-data": None, "certificate-authority": "/ca.pem"},
            "the client gave the name of a CA file and not its content (`certificate-authority-data`)",
        ),
        ({"certificate-authority-data": "!"}, "the certificate authority cannot be read"),
        ({"certificate-authority-data": "ä"}, "the certificate authority cannot be read"),
        ({"certificate-authority-data": text(b"nothing")}, "the certificate authority cannot be read"),
        ({"certificate-authority-data": 1}, "the certificate authority cannot be read"),
    ],
)
def test_any_other_way_gets_nothing(changes: dict[str, object], reason: str) -> None:
    info = exec_credential.parse(exec_info({**CLUSTER, **changes}))
    assert exec_credential.withheld_reason(PIN, info) == reason


@pytest.mark.parametrize("server", [f"{SERVER}/", f"{SERVER}:443", "https://API.prod.example.com"])
def test_the_same_server_in_other_letters_is_the_enrolled_one(server: str) -> None:
    info = exec_credential.parse(exec_info({**CLUSTER, "server": server}))
    assert exec_credential.withheld_reason(PIN, info) is None


@pytest.mark.parametrize(
    ("enrolled", "given", "reason"),
    [
        ({"tls_server_name": "name"}, {"tls-server-name": "name"}, None),
        ({"tls_server_name": "name"}, {}, "`tls-server-name` is not as enrolled"),
        ({"proxy_url": "http://p"}, {"proxy-url": "http://p"}, None),
        ({"proxy_url": "http://p"}, {}, "`proxy-url` is not as enrolled"),
        ({"insecure": True}, {"insecure-skip-tls-verify": True}, None),
        ({"insecure": True}, {}, "`insecure-skip-tls-verify` is not as enrolled"),
        ({"ca_sha256": None}, {}, "a certificate authority was given, the system's are enrolled"),
        (
            {"ca_sha256": None},
            {"certificate-authority-data": None, "certificate-authority": "/ca.pem"},
            "a certificate authority was given, the system's are enrolled",
        ),
        ({"server": f"{SERVER}?x=1"}, {}, None),
    ],
)
def test_what_was_enrolled_must_still_be_there(
    enrolled: dict[str, object], given: dict[str, object], reason: str | None
) -> None:
    """KCFG-12."""
    info = exec_credential.parse(exec_info({**CLUSTER, **given}))
    assert exec_credential.withheld_reason(pin(**enrolled), info) == reason


def test_without_cluster_info_there_is_no_token() -> None:
    info = ExecInfo(version="v1", interactive=True, cluster=None)
    assert exec_credential.withheld_reason(PIN, info) == (
        "the client did not say which server the token is for (`spec.cluster` of KUBERNETES_EXEC_INFO)"
    )


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_render(version: str) -> None:
    rendered = exec_credential.render(Secret("a.b.c"), 1_800_000_600.9, version)
    assert rendered == (
        f'{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/{version}","spec":{{}},'
        '"status":{"expirationTimestamp":"2027-01-15T08:10:00Z","token":"a.b.c"}}\n'
    )


@pytest.mark.parametrize("version", ["", "v1alpha1", "v2", "client.authentication.k8s.io/v1"])
def test_no_answer_in_another_version(version: str) -> None:
    with pytest.raises(CredentialWithheld, match=r"^the exec entry asks for "):
        exec_credential.render(Secret("a.b.c"), 1_800_000_600, version)


def test_a_stored_pin_is_read_back() -> None:
    stored = json.dumps({name: getattr(PIN, name) for name in ClusterPin.__slots__})
    found = ClusterPin.from_json(stored)
    assert all(getattr(found, name) == getattr(PIN, name) for name in ClusterPin.__slots__)


@pytest.mark.parametrize("stored", ["{}", "[]", "null", '{"server": "x"}', "{"])
def test_another_text_is_no_pin(stored: str) -> None:
    with pytest.raises((TypeError, ValueError)):
        ClusterPin.from_json(stored)
