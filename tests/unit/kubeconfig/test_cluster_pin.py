"""The CA's digest, server URLs, and what makes it another cluster."""

from __future__ import annotations

import base64
import hashlib
import ssl
import textwrap

import pytest

from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin, ca_digest, normal_server
from tests.support.certificates import CA_A, CA_B

DER_A, DER_B = (ssl.PEM_cert_to_DER_cert(pem) for pem in (CA_A, CA_B))


PIN = ClusterPin(server="https://api.prod.example.com", ca_sha256="9f" * 32)


def test_the_digest_is_sha256_over_the_der_certificate() -> None:
    assert ca_digest(CA_A.encode()) == hashlib.sha256(DER_A).hexdigest()


def test_a_bundle_is_digested_in_sorted_order_without_repeats() -> None:
    expected = hashlib.sha256(b"".join(sorted([DER_A, DER_B]))).hexdigest()
    for bundle in (CA_A + CA_B, CA_B + CA_A, CA_B + CA_A + CA_B):
        assert ca_digest(bundle.encode()) == expected


def test_comments_line_ends_and_widths_do_not_matter() -> None:
    wide = "\n".join(textwrap.wrap(base64.b64encode(DER_A).decode(), 200))
    rewritten = f"subject: CN=test\r\n-----BEGIN CERTIFICATE-----\n{wide}\n-----END CERTIFICATE-----"
    assert ca_digest(rewritten.encode()) == ca_digest(CA_A.encode())
    assert ca_digest(CA_A.replace("\n", "\r\n").encode()) == ca_digest(CA_A.encode())


@pytest.mark.parametrize(
    ("pem", "message"),
    [
        (b"", "there is no certificate in it"),
        (b"garbage", "there is no certificate in it"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB", "a certificate has no end"),
        (b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", "a certificate is empty"),
        (b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----", "Only base64 data is allowed"),
    ],
)
def test_what_is_no_certificate_has_no_digest(pem: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ca_digest(pem)


@pytest.mark.parametrize(
    ("server", "normal"),
    [
        ("https://API.Example.com", "https://api.example.com"),
        ("HTTPS://api.example.com:443/", "https://api.example.com"),
        ("https://api.example.com:6443", "https://api.example.com:6443"),
        ("http://api.example.com:80", "http://api.example.com"),
        ("https://api.example.com:80", "https://api.example.com:80"),
        ("https://rancher.example.com/k8s/Clusters/c-1/", "https://rancher.example.com/k8s/Clusters/c-1"),
        ("https://[2001:DB8::1]:443", "https://[2001:db8::1]"),
        ("https://[2001:db8::1]:6443", "https://[2001:db8::1]:6443"),
        ("https://api.example.com?x=1", "https://api.example.com?x=1"),
        ("https://user@api.example.com", "https://user@api.example.com"),
        ("https://api.example.com:99999", "https://api.example.com:99999"),
        ("api.example.com:6443", "api.example.com:6443"),
        ("", ""),
    ],
)
def test_servers_have_one_normal_form(server: str, normal: str) -> None:
    assert normal_server(server) == normal
    assert normal_server(normal) == normal


def test_the_same_cluster_has_no_differences() -> None:
    assert PIN.differences(PIN.replaced(server="https://API.prod.example.com:443/")) == ()
    assert PIN.replaced(tls_server_name=None).differences(PIN.replaced(tls_server_name="")) == ()


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        (
            {"server": "https://evil.example.com"},
            "server was https://api.prod.example.com, is now https://evil.example.com",
        ),
        (
            {"server": "https://api.prod.example.com.evil.test"},
            "server was https://api.prod.example.com, is now https://api.prod.example.com.evil.test",
        ),
        (
            {"server": "http://api.prod.example.com"},
            "server was https://api.prod.example.com, is now http://api.prod.example.com",
        ),
        ({"ca_sha256": None}, f"certificate authority was sha256 {'9f' * 32}, is now the system's"),
        ({"tls_server_name": "evil"}, "tls-server-name was none, is now evil"),
        ({"proxy_url": "http://me:pw@proxy.test:3128"}, "proxy-url was none, is now http://proxy.test:3128"),
        ({"insecure": True}, "insecure-skip-tls-verify was false, is now true"),
    ],
)
def test_each_difference_is_told_with_both_values(changed: dict[str, object], text: str) -> None:
    assert PIN.differences(PIN.replaced(**changed)) == (text,)


def test_what_was_enrolled_must_still_be_there() -> None:
    enrolled = PIN.replaced(proxy_url="http://proxy.test", insecure=True, tls_server_name="api", ca_sha256=None)
    assert enrolled.differences(PIN) == (
        f"certificate authority was the system's, is now sha256 {'9f' * 32}",
        "tls-server-name was api, is now none",
        "proxy-url was http://proxy.test, is now none",
        "insecure-skip-tls-verify was true, is now false",
    )
