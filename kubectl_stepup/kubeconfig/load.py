"""Read kubeconfig files (the filesystem) and merge them as client-go does.

Per named entry the first file that has it wins, whole; `current-context` is the first that is not empty; relative
paths belong to the file they stand in. A file that cannot be read, or that kubectl refuses (config_v1), fails them all.
Nothing is written here.

Spec: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ (merging), kubeconfig v1,
`k8s.io/client-go/tools/clientcmd` (loader.go, client_config.go).
"""

from __future__ import annotations

import binascii
import os
import stat
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from kubectl_stepup import environment
from kubectl_stepup.errors import KubeconfigError
from kubectl_stepup.kubeconfig import config_v1, kuberc
from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin, ca_digest
from kubectl_stepup.kubeconfig.context import NOTHING, ResolvedContext
from kubectl_stepup.yaml_edit import foreign_yaml

Parse = Callable[[bytes, str], Mapping[str, Any]]
"""Turns the bytes of a file (named for messages) into a kubeconfig with the right types; raises KubeconfigError."""

MAX_BYTES = foreign_yaml.MAX_BYTES

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where a pod finds its service account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeconfigEntry:
    """One named entry and the file that it stands in."""

    value: Mapping[str, Any] = field(repr=False)
    """As written; a user may hold secrets, so it is not shown."""

    file: str

    def text(self, field: str) -> str | None:
        """Return a field that is a text; None where it is absent or empty."""
        return self.value.get(field) or None

    def path(self, field: str) -> str | None:
        """Return a path, made relative to the entry's own file."""
        value = self.text(field)
        if value is None or os.path.isabs(value):
            return value
        # NOTE: `..` is taken off the name, as Go does it, not followed where a directory is a link.
        return os.path.normpath(os.path.join(os.path.abspath(os.path.dirname(self.file)), value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeconfig:
    """What the kubeconfig files say together.

    `files` is the whole list, those that do not exist included. `kuberc` is the file of kubectl's settings, where it
    may lead commands elsewhere all the same; `namespace_defaults` are the flags of namespaces that it may set.
    """

    files: tuple[str, ...]
    current_context: str | None
    contexts: Mapping[str, KubeconfigEntry]
    clusters: Mapping[str, KubeconfigEntry]
    users: Mapping[str, KubeconfigEntry]
    kuberc: str | None = None
    namespace_defaults: frozenset[str] = frozenset()
    pod_namespace: str | None = None
    """What counts, in a pod, for a context that names no namespace."""

    def resolve(self, context: str | None) -> ResolvedContext:
        """Follow `context` (the current one where None or empty) to its cluster and user; reads the CA file.

        Raises:
            KubeconfigError: there is no such context, or something that it needs is missing.

        """
        name = context or self.current_context or ""
        entry = self.contexts.get(name)  # without any name kubectl takes the entry without one
        if entry is None and not name:
            raise KubeconfigError(
                f"no current-context is set in {self._where()}", hint="kubectl config use-context CONTEXT"
            )
        if entry is None:
            raise KubeconfigError(f"context {name!r} is not in {self._where()}", hint="kubectl config get-contexts")
        at = f"{entry.file}: contexts[{name}].context.cluster"
        cluster_name = entry.text("cluster") or ""
        cluster = self.clusters.get(cluster_name)
        if cluster is None:
            raise KubeconfigError(
                f"{at}: cluster {cluster_name!r} is not in {self._where()}", hint="kubectl config get-clusters"
            )
        user_name = entry.text("user") or ""
        user = self.users.get(user_name)
        return ResolvedContext(
            context=name,
            cluster=cluster_name,
            user=user_name,
            namespace=entry.text("namespace") or self.pod_namespace,
            pin=_pin(cluster, cluster_name),
            file=entry.file,
            cluster_file=cluster.file,
            user_file=None if user is None else user.file,
            context_raw=entry.value,
            cluster_raw=cluster.value,
            user_raw=NOTHING if user is None else user.value,
        )

    def server_of(self, cluster: str) -> str | None:
        """Return the server of a cluster entry (`--cluster`); None where there is no such entry, or it has none."""
        entry = self.clusters.get(cluster)
        return None if entry is None else entry.text("server")

    def _where(self) -> str:
        said = (file if os.path.exists(file) else f"{file} (no such file)" for file in self.files)
        return ", ".join(said) or "any kubeconfig"


def load(environ: Mapping[str, str], flag: str | None, *, parse: Parse = config_v1.parse) -> Kubeconfig:
    """Read the files that kubectl would: `flag` (`--kubeconfig`) alone, else `$KUBECONFIG`, else the default.

    Files of the list that do not exist are skipped; the one named by `flag` must exist.

    Raises:
        KubeconfigError: a file cannot be read or understood; the message names it.

    """
    files = files_of(environ, flag)
    contexts: dict[str, KubeconfigEntry] = {}
    clusters: dict[str, KubeconfigEntry] = {}
    users: dict[str, KubeconfigEntry] = {}
    current: str | None = None
    for file in files:
        data = _read(_moved(file, environ), must_exist=bool(flag))
        document = parse(data, file) if data else NOTHING
        current = current or document.get("current-context") or None
        _merge(contexts, document, file, "context")
        _merge(clusters, document, file, "cluster")
        _merge(users, document, file, "user")
    return Kubeconfig(
        files=files,
        current_context=current,
        contexts=contexts,
        clusters=clusters,
        users=users,
        kuberc=kuberc.leading_elsewhere(environ),
        namespace_defaults=kuberc.namespace_defaults(environ),
        pod_namespace=pod_namespace(environ),
    )


def pod_namespace(environ: Mapping[str, str], service_account: str = SERVICE_ACCOUNT) -> str | None:
    """Return the namespace that kubectl takes in a pod where a context names none; None: not in a pod.

    Spec: client-go `clientcmd.DeferredLoadingClientConfig.Namespace` and `inClusterClientConfig`.
    """
    if not environ.get(environment.KUBERNETES_SERVICE_HOST) or not environ.get(environment.KUBERNETES_SERVICE_PORT):
        return None
    if not os.path.exists(f"{service_account}/token") or os.path.isdir(f"{service_account}/token"):
        return None
    if named := environ.get(environment.POD_NAMESPACE):
        return named
    try:
        with open(f"{service_account}/namespace", encoding="utf-8", errors="surrogateescape") as stream:
            return stream.read(1024).strip() or None
    except OSError:
        return None


def files_of(environ: Mapping[str, str], flag: str | None) -> tuple[str, ...]:
    """Return the files that kubectl would read: `flag` (`--kubeconfig`) alone, else those of the environment."""
    return (flag,) if flag else kubeconfig_files(environ)


def kubeconfig_files(environ: Mapping[str, str], *, platform: str = sys.platform) -> tuple[str, ...]:
    """Return the files of `$KUBECONFIG`, each once, else the default one; none where there is no home."""
    listed = environ.get(environment.KUBECONFIG, "")
    if listed:
        separator = ";" if platform == "win32" else ":"
        return tuple(dict.fromkeys(file for file in listed.split(separator) if file))
    home = environ.get(environment.HOME) or (environ.get("USERPROFILE") if platform == "win32" else None)
    # NOTE: without a home client-go looks for .kube/config in the working directory, which anybody may have filled.
    return (os.path.join(home, ".kube", "config"),) if home else ()


def _moved(file: str, environ: Mapping[str, str]) -> str:
    """Return where a file is that kubectl would first move to the default place: it does that by itself.

    Spec: `MigrationRules` of client-go: `~/.kube/.kubeconfig` becomes `~/.kube/config` where there is none.
    """
    home = environ.get(environment.HOME)
    if not home or sys.platform == "win32" or os.path.exists(file):
        return file
    default, old = (os.path.abspath(os.path.join(home, ".kube", name)) for name in ("config", ".kubeconfig"))
    return old if os.path.abspath(file) == default and os.path.exists(old) else file


def _read(file: str, *, must_exist: bool) -> bytes | None:
    try:
        # NOTE: O_NONBLOCK, or a FIFO that nobody writes would hold us for ever; a FIFO could only be read once anyway.
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with _regular(descriptor, file) as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError as exc:
        if must_exist:
            raise KubeconfigError(f"{file}: no such file") from exc
        return None
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise KubeconfigError(f"{file}: {reason.lower()}", hint="kubectl config view") from exc
    if len(data) > MAX_BYTES:
        raise KubeconfigError(f"{file}: larger than {MAX_BYTES} bytes")
    return data


def _regular(descriptor: int, file: str) -> BinaryIO:
    """Return a descriptor as a stream; of what cannot be read twice only the null device, which is always empty."""
    found = os.fstat(descriptor)
    is_null = stat.S_ISCHR(found.st_mode) and found.st_rdev == os.stat(os.devnull).st_rdev
    if not stat.S_ISREG(found.st_mode) and not is_null:
        os.close(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise KubeconfigError(f"{file}: is a directory", hint="kubectl config view")
        raise KubeconfigError(
            f"{file}: not a regular file, so kubectl could not read it a second time",
            hint=f"(umask 077; cat {_quoted(file)} >FILE); kubectl stepup exec --kubeconfig FILE -- ...",
        )
    return open(descriptor, "rb")


def _quoted(file: str) -> str:
    # NOTE: imported here, as it costs a millisecond on the way of every command.
    import shlex

    return "<(...)" if file.startswith(("/dev/fd/", "/proc/self/fd/")) else shlex.quote(file)


def _merge(merged: dict[str, KubeconfigEntry], document: Mapping[str, Any], file: str, field: str) -> None:
    """Add one file's entries of a kind (`field`, whose list is its plural) where no earlier file has the name."""
    for item in document.get(f"{field}s", ()):
        merged.setdefault(item.get("name", ""), KubeconfigEntry(value=item.get(field, NOTHING), file=file))


def _pin(cluster: KubeconfigEntry, name: str) -> ClusterPin:
    return ClusterPin(
        server=_server(cluster, name),
        ca_sha256=_ca_sha256(cluster, name),
        tls_server_name=cluster.text("tls-server-name"),
        proxy_url=cluster.text("proxy-url"),
        insecure=cluster.value.get("insecure-skip-tls-verify", False),
    )


def _server(cluster: KubeconfigEntry, name: str) -> str:
    server = cluster.text("server")
    if server is None:
        raise KubeconfigError(
            f"{cluster.file}: clusters[{name}].cluster.server: is missing",
            hint=f"kubectl config set-cluster {name or 'NAME'} --server URL",
        )
    return server


def _ca_sha256(cluster: KubeconfigEntry, name: str) -> str | None:
    """Digest the CA; the data field wins over the file, as in client-go."""
    data, path = cluster.text("certificate-authority-data"), cluster.path("certificate-authority")
    try:
        if data is not None:
            return ca_digest(binascii.a2b_base64(data))
        return None if path is None else ca_digest(_read(path, must_exist=True) or b"")
    except ValueError as exc:
        field = "certificate-authority" if data is None else "certificate-authority-data"
        raise KubeconfigError(f"{cluster.file}: clusters[{name}].cluster.{field}: {exc}") from exc
