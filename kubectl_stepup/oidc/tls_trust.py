"""Whom TLS trusts when we talk to the provider.

Spec: RFC 9110 section 4.3.4 (https certificates); the variables are those of OpenSSL, requests and curl.
"""

from __future__ import annotations

import contextlib
import re
import ssl
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import certifi
import truststore

from kubectl_stepup.errors import ConfigError

CA_FILE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
CA_DIRECTORY_VARIABLE = "SSL_CERT_DIR"
_CERTIFICATE = re.compile(r"-----BEGIN (?:X509 )?CERTIFICATE-----.*?-----END (?:X509 )?CERTIFICATE-----", re.DOTALL)
_WITH_PURPOSES = "-----BEGIN TRUSTED CERTIFICATE-----"
"""OpenSSL's own form, which says for what a CA is trusted; only OpenSSL reads it."""


def tls_context(
    ca_file: str | None,
    environ: Mapping[str, str],
    *,
    ca_data: str | None = None,
    notice: Callable[[str], None] = lambda text: None,
) -> ssl.SSLContext:
    """Make the TLS context: the config's CA alone, else the environment's alone, else what the system trusts.

    `ca_file` is a file or directory, `ca_data` PEM text; a config has one of them. A certificate that cannot be read
    beside others that can is left out, as Go leaves it out for kubectl, and `notice` is told so.

    Raises:
        ConfigError: a named CA cannot be used.

    """
    # Not ssl.create_default_context(): that writes session keys to $SSLKEYLOGFILE.
    named = [] if ca_data else _named(ca_file, environ)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if ca_data or named else _as_the_system_does()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_data:
        _load_text(context, "caData", ca_data, notice)
    for name, path in named:
        _load(context, name, path, notice)
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


def _load(context: ssl.SSLContext, name: str, path: str, notice: Callable[[str], None]) -> None:
    try:
        if Path(path).is_dir():
            context.load_verify_locations(capath=path)
            return
        text = Path(path).read_text(encoding="ascii", errors="replace")
        if _WITH_PURPOSES in text:
            with contextlib.suppress(ssl.SSLError):
                context.load_verify_locations(cafile=path)
                return
    except OSError as exc:
        raise ConfigError(f"{name} {path} cannot be used: {exc.strerror or exc}") from exc
    _load_text(context, f"{name} {path}", text, notice)


def _load_text(context: ssl.SSLContext, name: str, text: str, notice: Callable[[str], None]) -> None:
    certificates = _CERTIFICATE.findall(text)
    if certificates and _is_loaded(context, "\n".join(certificates)):
        return
    broken = [at for at, certificate in enumerate(certificates, 1) if not _is_loaded(context, certificate)]
    if len(broken) == len(certificates):
        raise ConfigError(f"{name} cannot be used: it holds no certificate")
    for at in broken:
        notice(f"{name}: certificate {at} of {len(certificates)} cannot be read and is left out")


def _is_loaded(context: ssl.SSLContext, certificates: str) -> bool:
    try:
        context.load_verify_locations(cadata=certificates)
    except (ssl.SSLError, ValueError, TypeError):  # the last two: not ASCII
        return False
    return True
