"""Which proxy, if any, the environment names for a host.

Done here because `requests` reads the environment only together with `~/.netrc`, whose entries replace an explicit
Authorization header.

Spec: none; the convention of curl(1), section ENVIRONMENT, with CIDR entries of NO_PROXY as Kubernetes clients read
them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping


def proxy_for(host: str, port: int, environ: Mapping[str, str]) -> str | None:
    """Give the proxy's URL for https to `host`, or None to connect directly."""
    proxy = _first(environ, "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    if not proxy or _is_excepted(host.lower(), port, _first(environ, "no_proxy", "NO_PROXY")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _first(environ: Mapping[str, str], *names: str) -> str:
    return next((environ[name].strip() for name in names if environ.get(name, "").strip()), "")


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
    entry = entry.removeprefix("*").removeprefix(".")
    return host == entry or host.endswith(f".{entry}")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
