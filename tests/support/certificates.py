"""Certificates for tests: throw-away authorities, what servers present, and two that are always the same."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import trustme


class Authority:
    """A certificate authority that lives as long as the test."""

    def __init__(self, organization: str | None = None) -> None:
        self._made = trustme.CA(organization_name=organization)
        self.pem = self._made.cert_pem.bytes().decode()

    def leaf(self, *names: str, **fields: Any) -> trustme.LeafCert:
        """Return a certificate for these names and addresses, with its key; `fields` are those of trustme."""
        return self._made.issue_cert(*names, **fields)

    def server_context(self, *names: str) -> ssl.SSLContext:
        """Return the context of a server with these names and addresses."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.leaf(*names).configure_cert(context)
        return context

    def write(self, path: Path) -> Path:
        """Write the authority's certificate; return the path."""
        path.write_text(self.pem)
        return path

    def write_key(self, path: Path) -> None:
        """Write the authority's private key."""
        self._made.private_key_pem.write_to_path(path)


def write_leaf(leaf: trustme.LeafCert, directory: Path, name: str) -> tuple[Path, Path]:
    """Write a certificate with its chain and its key, which only its owner reads; return the two files."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    certificate.write_bytes(b"".join(part.bytes() for part in leaf.cert_chain_pems))
    key.touch(mode=0o600)
    key.write_bytes(leaf.private_key_pem.bytes())
    return certificate, key


@contextlib.contextmanager
def presenting(certificate: trustme.LeafCert) -> Iterator[str]:
    """Serve one handshake with a certificate that a client must not accept; yield `https://127.0.0.1:PORT`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                context.wrap_socket(connection, server_side=True).recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)


# Valid for a century; nothing was ever signed with these two.
CA_A = """\
-----BEGIN CERTIFICATE-----
MIIBfjCCASWgAwIBAgIUKRkWfknZdSNsgycKPv+V5idnEA0wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJdGVzdC1jYS1hMCAXDTI2MTEyMTEyNTM0NloYDzIxMjYxMDI4
MTI1MzQ2WjAUMRIwEAYDVQQDDAl0ZXN0LWNhLWEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASZ5MnZDv1zUvUTAwy3vqEKdRRkFS8FKsh8gXzgOzimEkQsaZitVcLi
laPyzoM82d7UvA+gAQsUEiTfLowsnwRJo1MwUTAdBgNVHQ4EFgQU1Ez01X1XFoDu
QYlur3j8uuN46vUwHwYDVR0jBBgwFoAU1Ez01X1XFoDuQYlur3j8uuN46vUwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAbafNGZgmgBadJscGyYz1y
s5wYf/KZ78MW/jvzuArrIwIgPEizdLsG13cM4vYFpLYkFaiYWw7po/8l9/HCXi2Y
SKY=
-----END CERTIFICATE-----
"""

CA_B = """\
-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIUHvtaGcJJoqCY86pCYSuGCxaXWJ0wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJdGVzdC1jYS1iMCAXDTI2MTEyMTEyNTM0NloYDzIxMjYxMDI4
MTI1MzQ2WjAUMRIwEAYDVQQDDAl0ZXN0LWNhLWIwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQImo5L8QGwMiVkl7UEv2wtlRd2HTRoqzvwPqMMJ2+PFs0HJM6cpgDZ
09JGsQ1EBNqyqNGxjNoK5zmpI7fy784bo1MwUTAdBgNVHQ4EFgQUmTLkFqSoqgUe
FR3U8EftUSebK+EwHwYDVR0jBBgwFoAUmTLkFqSoqgUeFR3U8EftUSebK+EwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAiHk++v5ypcLq+GOqMVsb
cBUmi372PbFuvdl+heTEVBQCIFvbkrHWzndPUIGRNT/8VEtENmHLqj+FilGVj5Qw
2XnF
-----END CERTIFICATE-----
"""
