"""Reads through a proxy subresource for an elevated command: whom they trust, and where their output goes."""

from __future__ import annotations

import os
import ssl
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kubectl_stepup import __version__
from kubectl_stepup.errors import ClusterChanged, CommandRefused, CredentialWithheld
from kubectl_stepup.kubeconfig.cluster_pin import ca_digest
from kubectl_stepup.kubeconfig.exec_info import ca_of
from kubectl_stepup.kubectl.proxy_read import ProxyRead, Server
from kubectl_stepup.oidc.proxy import proxy_for
from kubectl_stepup.oidc.tls_trust import tls_context
from kubectl_stepup.sanitise import safe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_stepup.config.model import Cluster
    from kubectl_stepup.kubeconfig.context import ResolvedContext
    from kubectl_stepup.kubectl.time_limit import TimeLimit
    from kubectl_stepup.sessions.session import ElevationSession

_TRUST_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Those that Go reads too."""

_PROBLEM_LIMIT = 4096


def proxy_reader(cluster: Cluster, resolved: ResolvedContext, environ: Mapping[str, str]) -> ProxyReader:
    """Return what reads from an enrolled cluster, made and checked before anybody is asked.

    Raises:
        ClusterChanged: the CA is no longer what was enrolled.
        CommandRefused: the server cannot be reached in a way that keeps the token.
    """
    return ProxyReader(cluster=cluster, server=_server(cluster, resolved, environ))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyReader:
    """Reads from one enrolled cluster; the answer goes to standard output, what went wrong to standard error."""

    cluster: Cluster
    server: Server

    def read(self, path: str, session: ElevationSession, *, limit: TimeLimit | None = None) -> int:
        """Read `path` with the session's token and return the exit code, as kubectl's would be.

        Raises:
            CredentialWithheld: the session was approved for another server than is enrolled now.
        """
        changed = session.pin.differences(self.cluster.pin)
        if changed:
            raise CredentialWithheld(f"the session is for another cluster: {'; '.join(changed)}")
        read = ProxyRead(
            self.server, path, token=session.token, user_agent=f"kubectl-stepup/{__version__}", write=_write
        )
        sys.stdout.flush()
        outcome = read.run(limit)
        if outcome.problem is not None:
            sys.stderr.write(f"{safe(outcome.problem, _PROBLEM_LIMIT)}\n")
        return outcome.exit_code


def _server(cluster: Cluster, resolved: ResolvedContext, environ: Mapping[str, str]) -> Server:
    url = urlsplit(resolved.server)
    if url.scheme != "https" or not url.hostname:
        raise CommandRefused(f"{resolved.server} is not https: the elevated token is sent over TLS alone")
    proxy = resolved.pin.proxy_url or proxy_for(url.hostname, url.port or 443, environ)
    if proxy is not None and urlsplit(proxy).scheme not in ("http", "https"):
        raise CommandRefused(
            f"a {urlsplit(proxy).scheme!r} proxy cannot be used for an elevated read through a proxy subresource",
            hint="kubectl stepup exec -- port-forward TYPE/NAME PORT",
        )
    return Server(
        url=resolved.server,
        trust=_trust(cluster, resolved, environ),
        tls_server_name=resolved.pin.tls_server_name,
        proxy_url=proxy,
    )


def _trust(cluster: Cluster, resolved: ResolvedContext, environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return the TLS context that trusts what was enrolled, and nobody else."""
    if cluster.pin.insecure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        pem = ca_of(resolved)
        found = None if pem is None else ca_digest(pem)
    except (OSError, ValueError) as exc:
        raise ClusterChanged(f"the CA of cluster {cluster.name} cannot be read: {exc}") from exc
    if found != cluster.pin.ca_sha256:  # the file may have changed since it was compared
        raise ClusterChanged(f"the CA of cluster {cluster.name} is not what was enrolled")
    if pem is None:
        return tls_context(None, {name: environ[name] for name in _TRUST_VARIABLES if name in environ})
    context = tls_context(None, {}, ca_data=pem.decode("ascii", "replace"))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # as Go, which trusts an intermediate that it is given
    return context


def _write(piece: bytes) -> None:
    left = memoryview(piece)
    while left:
        left = left[os.write(1, left) :]
