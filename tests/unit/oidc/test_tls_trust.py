"""Files of CAs with something broken in them: what can be used is used, and what is left out is said."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from kubectl_stepup.errors import ConfigError
from kubectl_stepup.oidc.tls_trust import tls_context

BROKEN = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
NO_BASE64 = "-----BEGIN CERTIFICATE-----\n(((\u00e9\n-----END CERTIFICATE-----\n"


def pem() -> str:
    return trustme.CA().cert_pem.bytes().decode()


def loaded(text: str, tmp_path: Path, *, by: str) -> tuple[int, list[str]]:
    """Return how many CAs a context trusts, and what was said."""
    path, said = tmp_path / "ca.pem", list[str]()
    path.write_text(text, encoding="utf-8")
    if by == "caData":
        context = tls_context(None, {}, ca_data=text, notice=said.append)
    elif by == "caFile":
        context = tls_context(str(path), {}, notice=said.append)
    else:
        context = tls_context(None, {by: str(path)}, notice=said.append)
    assert isinstance(context, ssl.SSLContext)
    return len(context.get_ca_certs()), [line.replace(str(path), "FILE") for line in said]


@pytest.mark.parametrize("by", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "caFile", "caData"])
@pytest.mark.parametrize("broken", [BROKEN, NO_BASE64])
def test_a_certificate_that_cannot_be_read_costs_itself_alone(tmp_path: Path, broken: str, by: str) -> None:
    """As Go does for kubectl (crypto/x509, AppendCertsFromPEM); OpenSSL would take none of what stands behind it."""
    count, said = loaded(f"# a comment\n{pem()}\n{broken}{pem()}", tmp_path, by=by)
    name = by if by == "caData" else f"{by} FILE"
    assert (count, said) == (2, [f"{name}: certificate 2 of 3 cannot be read and is left out"])


def test_nothing_is_said_of_a_file_in_order(tmp_path: Path) -> None:
    text = f"Größe\n{pem()}-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n{pem()}"
    assert loaded(text, tmp_path, by="SSL_CERT_FILE") == (2, [])


@pytest.mark.parametrize("text", ["", "x", BROKEN, BROKEN * 2, NO_BASE64, "-----BEGIN CERTIFICATE-----\n"])
def test_a_file_without_any_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="cannot be used: it holds no certificate"):
        loaded(text, tmp_path, by="SSL_CERT_FILE")
