"""Which proxy, if any, the environment names for a host, read as kubectl reads it.

Spec: none; golang.org/x/net/http/httpproxy, which kubectl uses, and for `ALL_PROXY` curl(1), section ENVIRONMENT.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from kubectl_stepup.errors import ProviderUnreachable
from kubectl_stepup.sanitise import safe

_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_EXCEPTIONS = ("no_proxy", "NO_PROXY")
_SCHEMES = ("http", "https", "socks5", "socks5h")


def proxy_for(host: str, port: int, environ: Mapping[str, str]) -> str | None:
    """Return the proxy's URL for https to `host`, or None to connect directly.

    A SOCKS5 proxy resolves the name, whether its scheme is `socks5` or `socks5h`: kubectl makes no difference.

    Raises:
        ProviderUnreachable: the proxy is of a kind that is not supported.

    """
    variable = _first(environ, _VARIABLES)
    exceptions = environ.get(_first(environ, _EXCEPTIONS) or "", "")
    if variable is None or _is_this_machine(host) or _is_excepted(host.lower(), port, exceptions):
        return None
    proxy = environ[variable].strip()
    scheme, separator, rest = proxy.partition("://")
    if not separator:
        return f"http://{proxy}"
    scheme = scheme.lower()
    if scheme not in _SCHEMES:
        raise ProviderUnreachable(
            f"{host} cannot be reached: {variable} names a proxy of scheme {safe(ascii(scheme), 40)} "
            f"(supported: {', '.join(_SCHEMES)})",
            hint=f"export {variable}={'socks5h' if scheme.startswith('socks') else 'http'}://HOST:PORT",
        )
    return f"{'socks5h' if scheme == 'socks5' else scheme}://{rest}"


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if environ.get(name, "").strip()), None)


def _is_this_machine(host: str) -> bool:
    """Whether `host` is a loopback one, which is behind no proxy."""
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def _is_excepted(host: str, port: int, no_proxy: str) -> bool:
    return any(_matches(entry.strip().lower(), host, port) for entry in no_proxy.split(",") if entry.strip())


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    address = _address(host)
    if address is not None and "/" in entry:
        try:
            return address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name, colon, entry_port = entry.rpartition(":")
    if colon and entry_port.isascii() and entry_port.isdigit() and _address(entry) is None:
        if entry_port.lstrip("0") != str(port):
            return False
        entry = name
    if address is not None:
        return _address(entry) == address
    entry = entry.removeprefix("*")
    # With a dot in front, the names below it alone.
    return host.endswith(entry) if entry.startswith(".") else host == entry or host.endswith(f".{entry}")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
