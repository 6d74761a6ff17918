"""Which URLs of a provider may be used: https, on the issuer's host or an enrolled one, and without unusual parts.

Spec: OpenID Connect Discovery 1.0 section 3; RFC 3986 section 3.2 (userinfo, host, port); RFC 8628 section 5.4.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from kubectl_stepup.errors import ConfigError, ProviderResponse
from kubectl_stepup.sanitise import safe

MAX_LENGTH = 2048
MAX_HOST_LENGTH = 253 + len(":65535")
"""Of a host with its port; no name is longer (RFC 1035 section 2.3.4)."""

MAX_LABEL_LENGTH = 63
HTTPS_PORT = 443
_FOR_PERSONS = "verification_"


class _Refused(ValueError):
    pass


def checked_issuer(issuer: str) -> str:
    """Return `issuer` back where it can be one: https, a host, no query, fragment or userinfo.

    Raises:
        ConfigError: it cannot; Kubernetes accepts no other either.

    """
    try:
        parts = _split(issuer)
        if parts.query:
            raise _Refused("has a query")
        if "#" in issuer:
            raise _Refused("has a fragment")
    except _Refused as exc:
        raise ConfigError(f"issuer {issuer[:MAX_LENGTH]!r} {exc}") from exc
    return issuer


def checked_endpoint(name: str, url: object, *, issuer: str, hosts: Iterable[str]) -> str:
    """Return the provider's `url` called `name` back where it is on the issuer's host or one of `hosts`.

    A host may be written with a port; without one it means port 443.

    Raises:
        ProviderResponse: not a string, not https, or on a host that is not enrolled.

    """
    if not isinstance(url, str):
        raise ProviderResponse(f"{name} of {issuer} is not a string")
    try:
        parts = _split(url)
        if "#" in url and not name.startswith(_FOR_PERSONS):
            raise _Refused("has a fragment")  # RFC 6749 section 3.1; a page may have one
    except _Refused as exc:
        raise ProviderResponse(f"{name} {safe(ascii(url), 200)} of {issuer} {exc}") from exc
    allowed = {host_and_port(issuer), *(_with_port(host) for host in hosts)}
    if _with_port(parts.netloc) not in allowed:
        raise ProviderResponse(
            f"{name} of {issuer} is on {parts.netloc!a}, which is not enrolled",
            hint=f"if that host is the provider's, enrol it with the preset: {_setting(name)}: [{parts.netloc}]",
        )
    return url


def host_and_port(url: str) -> str:
    """Return `host:port` of an https URL, the port always written."""
    return _with_port(urlsplit(url).netloc)


def host(url: str) -> str:
    """Return what people call the provider: the host, with its port where it is not 443."""
    name, _, port = host_and_port(url).rpartition(":")
    return name if port == str(HTTPS_PORT) else f"{name}:{port}"


def _setting(name: str) -> str:
    return "verificationHosts" if name.startswith(_FOR_PERSONS) else "endpointHosts"


def _split(url: str) -> SplitResult:
    if len(url) > MAX_LENGTH:
        raise _Refused("is too long")
    # urlsplit drops tabs and newlines without a word, and a homograph looks like the real host: ASCII only.
    if not url.isascii() or any(ord(character) <= 32 or ord(character) == 127 for character in url):
        raise _Refused("has characters that are not allowed in a URL")
    if "\\" in url:
        raise _Refused("has a backslash")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise _Refused("is not a URL") from exc
    if parts.scheme != "https":
        raise _Refused("is not https")
    if "@" in parts.netloc:
        raise _Refused("has a user name in it")
    if not parts.hostname or port == 0:
        raise _Refused("has no host")
    if len(parts.netloc) > MAX_HOST_LENGTH:
        raise _Refused("has a host that is too long")
    if not _is_name(parts.hostname):
        raise _Refused("has a host that is no name")
    return parts


def _is_name(host: str) -> bool:
    """Whether a host is an address in brackets or has labels that a resolver takes (RFC 1035 section 2.3.4)."""
    return ":" in host or all(0 < len(label) <= MAX_LABEL_LENGTH for label in host.removesuffix(".").split("."))


def _with_port(netloc: str) -> str:
    lowered = netloc.lower()
    has_port = ":" in lowered and not lowered.endswith("]")
    name, port = lowered.rsplit(":", 1) if has_port else (lowered, "")
    return f"{name}:{port or HTTPS_PORT}"
