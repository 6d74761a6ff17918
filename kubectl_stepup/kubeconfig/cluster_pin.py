"""Is this the cluster that was enrolled? Its server URL, CA, TLS name and proxy, compared by value.

Spec: kubeconfig v1 (`Cluster`), https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/.
"""

from __future__ import annotations

import binascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class ClusterIdentity(Protocol):
        """What pins a cluster: an enrolment of ours, or what a kubeconfig says today."""

        @property
        def server(self) -> str:
            """The URL of the API server."""

        @property
        def ca_sha256(self) -> str | None:
            """`ca_digest` of the CA certificates; None: the system's roots."""

        @property
        def tls_server_name(self) -> str | None:
            """The name checked in the server's certificate, where it is not the host of `server`."""

        @property
        def proxy_url(self) -> str | None:
            """The proxy on the way."""

        @property
        def insecure(self) -> bool:
            """Whether the server's certificate is not checked at all."""


_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
_DEFAULT_PORTS = {"https": 443, "http": 80}


def ca_digest(pem: bytes) -> str:
    """Return the sha256, in lower-case hex, over the sorted DER certificates of a PEM bundle, without repeats.

    Order, comments and line lengths of the bundle do not matter.

    Raises:
        ValueError: there is no certificate in it, or one is not base64.

    """
    from hashlib import sha256

    digest = sha256()
    for certificate in sorted(set(_certificates(pem))):
        digest.update(certificate)
    return digest.hexdigest()


def _certificates(pem: bytes) -> list[bytes]:
    certificates = []
    rest = pem
    while True:
        _, begin, rest = rest.partition(_BEGIN)
        if not begin:
            break
        body, end, rest = rest.partition(_END)
        if not end:
            raise ValueError("a certificate has no end")
        # NOTE: not binascii's strict mode: PEM has line ends, which it refuses, so they are taken out first.
        certificate = binascii.a2b_base64(b"".join(body.split()), strict_mode=True)
        if not certificate:
            raise ValueError("a certificate is empty")
        certificates.append(certificate)
    if not certificates:
        raise ValueError("there is no certificate in it")
    return certificates


def normal_server(server: str) -> str:
    """Return `server` with scheme and host in lower case, without its default port and trailing slashes.

    A text that is no URL with a host comes back as it is: it then equals itself alone.
    """
    from urllib.parse import urlsplit

    try:
        url = urlsplit(server)
        port = url.port
    except ValueError:
        return server
    if not url.scheme or not url.hostname or "@" in url.netloc:
        return server
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    if port is not None and port != _DEFAULT_PORTS.get(url.scheme):
        host = f"{host}:{port}"
    query = f"?{url.query}" if url.query else ""
    fragment = f"#{url.fragment}" if url.fragment else ""
    return f"{url.scheme}://{host}{url.path.rstrip('/')}{query}{fragment}"


def differences(enrolled: ClusterIdentity, found: ClusterIdentity) -> tuple[str, ...]:
    """Say in what `found` is another cluster than the `enrolled` one; nothing means it is the same.

    Each text names the kubeconfig field and both values. A proxy, a TLS name or an unchecked certificate that were
    enrolled must also still be there: without them the connection goes elsewhere.
    """
    rows = [
        ("server", normal_server(enrolled.server), normal_server(found.server), _shown),
        ("certificate authority", enrolled.ca_sha256 or None, found.ca_sha256 or None, _shown_ca),
        ("tls-server-name", enrolled.tls_server_name or None, found.tls_server_name or None, _shown),
        ("proxy-url", enrolled.proxy_url or None, found.proxy_url or None, _shown),
        ("insecure-skip-tls-verify", str(enrolled.insecure).lower(), str(found.insecure).lower(), _shown),
    ]
    return tuple(_difference(name, shown(old), shown(new)) for name, old, new, shown in rows if old != new)


def _difference(name: str, old: str, new: str) -> str:
    if old == new:
        return f"{name} {old} has another user or password"
    return f"{name} was {old}, is now {new}"


def _shown(value: str | None) -> str:
    """Leave the user and password out of a URL."""
    if value is None:
        return "none"
    from kubectl_stepup.sanitise import compared

    scheme, separator, rest = value.partition("://")
    authority, slash, path = rest.partition("/")
    return compared(f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}")


def _shown_ca(digest: str | None) -> str:
    return f"sha256 {digest}" if digest else "the system's"
