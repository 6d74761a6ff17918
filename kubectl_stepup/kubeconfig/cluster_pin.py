"""The cluster pin: server URL, CA digest, TLS server name, proxy and insecure flag, as one value to compare.

Spec: kubeconfig v1 (`Cluster`), https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/.
"""

from __future__ import annotations

import binascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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


class ClusterPin:
    """What makes a cluster the one that was enrolled: everything that decides where a token travels.

    `ca_sha256` is the `ca_digest` of the CA certificates (None: the system's roots), `tls_server_name` the name checked
    in the server's certificate where it is not the host of `server`, `proxy_url` the proxy on the way, and `insecure`
    whether the server's certificate is not checked at all.

    Two pins are equal where they have no `differences`: one server may be written in several ways.
    """

    # NOTE: no dataclass: the fast path builds a pin, and importing `dataclasses` takes longer than the rest of it.
    __slots__ = ("ca_sha256", "insecure", "proxy_url", "server", "tls_server_name")

    def __init__(
        self,
        *,
        server: str,
        ca_sha256: str | None = None,
        tls_server_name: str | None = None,
        proxy_url: str | None = None,
        insecure: bool = False,
    ) -> None:
        self.server = server
        self.ca_sha256 = ca_sha256
        self.tls_server_name = tls_server_name
        self.proxy_url = proxy_url
        self.insecure = insecure

    def __eq__(self, other: object) -> bool:
        return self._compared() == other._compared() if isinstance(other, ClusterPin) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._compared())

    def __repr__(self) -> str:
        return f"ClusterPin({self.server!r})"

    def replaced(self, **changes: Any) -> ClusterPin:
        """Return the pin with some fields changed."""
        return ClusterPin(**{**self._fields(), **changes})

    def differences(self, found: ClusterPin) -> tuple[str, ...]:
        """Return in what `found` is another cluster than this one, which was enrolled; nothing where it is the same.

        Each text names the kubeconfig field and both values. A proxy, a TLS name or an unchecked certificate that were
        enrolled must also still be there: without them the connection goes elsewhere.
        """
        rows = zip(_KUBECONFIG_FIELDS, self._compared(), found._compared(), strict=True)
        return tuple(_difference(field, old, new) for field, old, new in rows if old != new)

    def to_json(self) -> str:
        """Return the stored form: one line of canonical JSON."""
        import json

        return json.dumps(self._fields(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    @classmethod
    def from_json(cls, text: str) -> ClusterPin:
        """Read a pin that `to_json` wrote.

        Raises:
            ValueError, TypeError: it is not one.
        """
        import json

        fields = json.loads(text)
        if not isinstance(fields, dict) or set(fields) != set(cls.__slots__):
            raise TypeError("not a cluster pin")
        optional = (fields["ca_sha256"], fields["tls_server_name"], fields["proxy_url"])
        typed = all(value is None or isinstance(value, str) for value in optional)
        if not typed or not isinstance(fields["server"], str) or not isinstance(fields["insecure"], bool):
            raise TypeError("a field of a cluster pin has another type")
        return cls(**fields)

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def _compared(self) -> tuple[str | None, ...]:
        """Return the values to compare, in the order of `_KUBECONFIG_FIELDS`."""
        return (
            normal_server(self.server),
            self.ca_sha256 or None,
            self.tls_server_name or None,
            self.proxy_url or None,
            "true" if self.insecure else "false",
        )


_CA = "certificate authority"
_KUBECONFIG_FIELDS = ("server", _CA, "tls-server-name", "proxy-url", "insecure-skip-tls-verify")


def _difference(field: str, old: str | None, new: str | None) -> str:
    shown = _shown_ca if field == _CA else _shown
    if shown(old) == shown(new):
        return f"{field} {shown(old)} has another user or password"
    return f"{field} was {shown(old)}, is now {shown(new)}"


def _shown(value: str | None) -> str:
    """Return a value to show; of a URL without user and password."""
    if value is None:
        return "none"
    from kubectl_stepup.sanitise import compared

    scheme, separator, rest = value.partition("://")
    authority, slash, path = rest.partition("/")
    return compared(f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}")


def _shown_ca(digest: str | None) -> str:
    return f"sha256 {digest}" if digest else "the system's"
