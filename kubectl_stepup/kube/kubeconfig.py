"""Read kubeconfig files (the filesystem) and merge them as client-go does.

Per named entry the first file that has it wins, whole; `current-context` is the first that is not empty; relative
paths belong to the file they stand in. Nothing is written here.

Spec: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ (merging), kubeconfig v1.
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
from kubectl_stepup.errors import ConfigError, KubeconfigError
from kubectl_stepup.kube.cluster_identity import ca_digest
from kubectl_stepup.kube.context import NOTHING, ResolvedContext

Parse = Callable[[bytes, str], object]
"""Turns the bytes of a file (named for messages) into plain values; raises ConfigError."""

MAX_BYTES = 4 << 20

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where a pod finds its service account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One named entry and the file that it stands in."""

    value: Mapping[str, Any] = field(repr=False)
    """As written; a user may hold secrets, so it is not shown."""

    file: str

    def text(self, name: str, field: str) -> str | None:
        """Give a field that must be a text; None where it is absent or empty. `name` names the entry."""
        value = self.value.get(field)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise KubeconfigError(f"{self.file}: {name}.{field}: must be a text, not {value!r}")
        return value

    def path(self, name: str, field: str) -> str | None:
        """Give a path, made relative to the entry's own file."""
        value = self.text(name, field)
        return None if value is None else os.path.join(os.path.dirname(self.file), value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeconfig:
    """What the kubeconfig files say together. `files` is the whole list, those that do not exist included."""

    files: tuple[str, ...]
    current_context: str | None
    contexts: Mapping[str, Entry]
    clusters: Mapping[str, Entry]
    users: Mapping[str, Entry]
    pod_namespace: str | None = None
    """What counts, in a pod, for a context that names no namespace."""

    def resolve(self, context: str | None) -> ResolvedContext:
        """Follow `context` (the current one where None or empty) to its cluster and user; reads the CA file.

        Raises:
            KubeconfigError: there is no such context, or something that it needs is missing or has a wrong type.

        """
        name = context or self.current_context
        if not name:
            raise KubeconfigError(
                f"no current-context is set in {self._where()}", hint="kubectl config use-context CONTEXT"
            )
        entry = self.contexts.get(name)
        if entry is None:
            raise KubeconfigError(f"context {name!r} is not in {self._where()}", hint="kubectl config get-contexts")
        at = f"contexts[{name}].context"
        cluster_name = entry.text(at, "cluster") or ""
        cluster = self.clusters.get(cluster_name)
        if cluster is None:
            raise KubeconfigError(f"{entry.file}: {at}.cluster: cluster {cluster_name!r} is not in {self._where()}")
        user_name = entry.text(at, "user") or ""
        user = self.users.get(user_name)
        cluster_at = f"clusters[{cluster_name}].cluster"
        server = cluster.text(cluster_at, "server")
        if server is None:
            raise KubeconfigError(f"{cluster.file}: {cluster_at}.server: is missing")
        return ResolvedContext(
            context=name,
            cluster=cluster_name,
            user=user_name,
            namespace=entry.text(at, "namespace") or self.pod_namespace,
            server=server,
            ca_sha256=_ca_sha256(cluster, cluster_at),
            tls_server_name=cluster.text(cluster_at, "tls-server-name"),
            proxy_url=cluster.text(cluster_at, "proxy-url"),
            insecure=_boolean(cluster, cluster_at, "insecure-skip-tls-verify"),
            file=entry.file,
            cluster_file=cluster.file,
            user_file=None if user is None else user.file,
            context_raw=entry.value,
            cluster_raw=cluster.value,
            user_raw=NOTHING if user is None else user.value,
        )

    def _where(self) -> str:
        return ", ".join(self.files) or "any kubeconfig"


def load(environ: Mapping[str, str], flag: str | None, *, parse: Parse) -> Kubeconfig:
    """Read the files that kubectl would: `flag` (`--kubeconfig`) alone, else `$KUBECONFIG`, else the default.

    Files of the list that do not exist are skipped; the one named by `flag` must exist.

    Raises:
        KubeconfigError: a file cannot be read or understood; the message names it.

    """
    files = files_of(environ, flag)
    contexts: dict[str, Entry] = {}
    clusters: dict[str, Entry] = {}
    users: dict[str, Entry] = {}
    current: str | None = None
    for file in files:
        document = _document(file, parse, must_exist=bool(flag))
        current = current or _current_context(document, file)
        _merge(contexts, document, file, "context")
        _merge(clusters, document, file, "cluster")
        _merge(users, document, file, "user")
    return Kubeconfig(
        files=files,
        current_context=current,
        contexts=contexts,
        clusters=clusters,
        users=users,
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
    """Name the files that kubectl would read: `flag` (`--kubeconfig`) alone, else those of the environment."""
    return (flag,) if flag else kubeconfig_files(environ)


def kubeconfig_files(environ: Mapping[str, str], *, platform: str = sys.platform) -> tuple[str, ...]:
    """Name the files of `$KUBECONFIG`, each once, else the default one; none where there is no home."""
    listed = environ.get(environment.KUBECONFIG, "")
    if listed:
        separator = ";" if platform == "win32" else ":"
        return tuple(dict.fromkeys(file for file in listed.split(separator) if file))
    home = environ.get(environment.HOME) or (environ.get("USERPROFILE") if platform == "win32" else None)
    # NOTE: without a home client-go looks for .kube/config in the working directory, which anybody may have filled.
    return (os.path.join(home, ".kube", "config"),) if home else ()


def _document(file: str, parse: Parse, *, must_exist: bool) -> Mapping[str, Any]:
    data = _read(file, must_exist=must_exist)
    if not data:
        return NOTHING
    try:
        document = parse(data, file)
    except KubeconfigError:
        raise
    except ConfigError as exc:
        raise KubeconfigError(exc.message, hint=exc.hint, details=exc.details) from exc
    if document is None:
        return NOTHING
    if not isinstance(document, dict):
        raise KubeconfigError(f"{file}: a kubeconfig must be a mapping")
    return document


def _read(file: str, *, must_exist: bool) -> bytes | None:
    if file == os.devnull:  # the customary way to say: no kubeconfig at all
        return None
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
        raise KubeconfigError(f"{file}: {reason.lower()}") from exc
    if len(data) > MAX_BYTES:
        raise KubeconfigError(f"{file}: larger than {MAX_BYTES} bytes")
    return data


def _regular(descriptor: int, file: str) -> BinaryIO:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise KubeconfigError(f"{file}: not a regular file, so kubectl could not read it a second time")
    return open(descriptor, "rb")


def _current_context(document: Mapping[str, Any], file: str) -> str | None:
    return Entry(value=document, file=file).text("kubeconfig", "current-context")


def _merge(merged: dict[str, Entry], document: Mapping[str, Any], file: str, field: str) -> None:
    """Add one file's entries of a kind (`field`, whose list is its plural) where no earlier file has the name."""
    kind = f"{field}s"
    entries = document.get(kind)
    if entries is None:
        return
    if not isinstance(entries, list):
        raise KubeconfigError(f"{file}: {kind}: must be a list")
    seen: set[str] = set()
    for index, item in enumerate(entries):
        at = f"{kind}[{index}]"
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise KubeconfigError(f"{file}: {at}.name: must be a text")
        value = item.get(field)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise KubeconfigError(f"{file}: {at}.{field}: must be a mapping")
        name = item["name"]
        if name in seen:
            raise KubeconfigError(f"{file}: {at}.name: {name!r} is there twice")
        seen.add(name)
        merged.setdefault(name, Entry(value=value, file=file))


def _boolean(entry: Entry, name: str, field: str) -> bool:
    value = entry.value.get(field)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise KubeconfigError(f"{entry.file}: {name}.{field}: must be true or false, not {value!r}")
    return value


def _ca_sha256(cluster: Entry, name: str) -> str | None:
    """Digest the CA; the data field wins over the file, as in client-go."""
    data = cluster.text(name, "certificate-authority-data")
    try:
        if data is not None:
            field = "certificate-authority-data"
            return ca_digest(binascii.a2b_base64("".join(data.split()).encode("ascii"), strict_mode=True))
        field = "certificate-authority"
        path = cluster.path(name, field)
        return None if path is None else ca_digest(_read(path, must_exist=True) or b"")
    except ValueError as exc:
        raise KubeconfigError(f"{cluster.file}: {name}.{field}: {exc}") from exc
