"""Whom TLS trusts when we talk to the provider.

Spec: RFC 9110 section 4.3.4 (https certificates); the variables are those of OpenSSL, requests and curl.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

import certifi

from kubectl_stepup.errors import ConfigError

CA_FILE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
CA_DIRECTORY_VARIABLE = "SSL_CERT_DIR"


def tls_context(ca_file: str | None, environ: Mapping[str, str]) -> ssl.SSLContext:
    """Make the TLS context: `ca_file` alone, else the environment's CAs alone, else the system's and certifi's.

    Raises:
        ConfigError: a named CA file or directory cannot be used.

    """
    # Not ssl.create_default_context(): that writes session keys to $SSLKEYLOGFILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    named = _named(ca_file, environ)
    if named:
        for name, path in named:
            _load(context, name, path)
    else:
        context.load_default_certs()
        context.load_verify_locations(cafile=certifi.where())
    return context


def _named(ca_file: str | None, environ: Mapping[str, str]) -> list[tuple[str, str]]:
    if ca_file:
        return [("caFile", ca_file)]
    files = [(name, environ[name]) for name in CA_FILE_VARIABLES if environ.get(name)]
    directory = environ.get(CA_DIRECTORY_VARIABLE)
    return files[:1] + ([(CA_DIRECTORY_VARIABLE, directory)] if directory else [])


def _load(context: ssl.SSLContext, name: str, path: str) -> None:
    try:
        if Path(path).is_dir():
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except (OSError, ValueError) as exc:
        reason = "it holds no certificate" if isinstance(exc, ssl.SSLError) else (getattr(exc, "strerror", None) or exc)
        raise ConfigError(f"{name} {path} cannot be used: {reason}") from exc
