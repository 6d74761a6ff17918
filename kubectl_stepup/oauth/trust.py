"""Whom TLS trusts when we talk to the provider.

Spec: RFC 9110 section 4.3.4 (https certificates); the variables are those of OpenSSL, requests and curl.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Mapping
from pathlib import Path

import certifi
import truststore

from kubectl_stepup.errors import ConfigError

CA_FILE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
CA_DIRECTORY_VARIABLE = "SSL_CERT_DIR"


def tls_context(ca_file: str | None, environ: Mapping[str, str], *, ca_data: str | None = None) -> ssl.SSLContext:
    """Make the TLS context: the config's CA alone, else the environment's alone, else what the system trusts.

    `ca_file` is a file or directory, `ca_data` PEM text; a config has one of them.

    Raises:
        ConfigError: a named CA cannot be used.

    """
    # Not ssl.create_default_context(): that writes session keys to $SSLKEYLOGFILE.
    named = [] if ca_data else _named(ca_file, environ)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if ca_data or named else _as_the_system_does()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_data:
        _load_data(context, ca_data)
    for name, path in named:
        _load(context, name, path)
    return context


def _as_the_system_does() -> ssl.SSLContext:
    """Trust the operating system's own store: Keychain, Windows' certificates, OpenSSL's files."""
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if sys.platform not in ("darwin", "win32"):
        # There a machine, and more so a container, may have no store at all.
        context.load_verify_locations(cafile=certifi.where())
    return context


def _named(ca_file: str | None, environ: Mapping[str, str]) -> list[tuple[str, str]]:
    if ca_file:
        return [("caFile", ca_file)]
    files = [(name, environ[name]) for name in CA_FILE_VARIABLES if environ.get(name)]
    directory = environ.get(CA_DIRECTORY_VARIABLE)
    return files[:1] + ([(CA_DIRECTORY_VARIABLE, directory)] if directory else [])


def _load_data(context: ssl.SSLContext, pem: str) -> None:
    try:
        context.load_verify_locations(cadata=pem)
    except (OSError, ValueError, TypeError) as exc:
        raise ConfigError("caData cannot be used: it holds no certificate in PEM form") from exc


def _load(context: ssl.SSLContext, name: str, path: str) -> None:
    try:
        if Path(path).is_dir():
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except (OSError, ValueError) as exc:
        reason = "it holds no certificate" if isinstance(exc, ssl.SSLError) else (getattr(exc, "strerror", None) or exc)
        raise ConfigError(f"{name} {path} cannot be used: {reason}") from exc
