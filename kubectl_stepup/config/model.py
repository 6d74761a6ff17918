"""What was enrolled: identity providers, clusters, and a few settings."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from kubectl_stepup.errors import ConfigError, NotEnrolled
from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin, normal_server
from kubectl_stepup.oidc.preset import Preset
from kubectl_stepup.oidc.requirement import Evidence

STORES = ("auto", "keyring", "kernel", "memory", "file")
UNENROLLED = ("run", "refuse")
RECORD = ("tried", "required")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An OpenID Provider and how a step-up is done there. `preset` has the provider's overrides applied."""

    name: str
    issuer: str
    client_id: str
    """Of the everyday login."""

    elevated_client_id: str
    """Of the step-up; equal to `client_id` only where somebody wrote it so."""

    preset: Preset
    account_claim: str = "sub"
    """The claim that says whose token it is (Entra ID: `oid`, as its `sub` differs from client to client)."""

    evidence: Mapping[str, Evidence] = field(default_factory=lambda: MappingProxyType({}))
    """Level name to what proves it here, as configured; see `evidence_of`."""

    ca_file: str | None = None
    """PEM bundle of the provider's CA; None: the system's."""

    ca_data: str | None = None
    """The same as PEM text in the config itself; at most one of the two is there."""

    @property
    def preset_name(self) -> str:
        """The preset's name."""
        return self.preset.name

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes to ask for."""
        return self.preset.scopes

    def evidence_of(self, level: str) -> Evidence | None:
        """Return what proves `level` here: configured, else the preset's; None where nothing does."""
        configured = self.evidence.get(level)
        return configured if configured is not None else self.preset.default_evidence(level, self.elevated_client_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A kubeconfig context that was enrolled, and the pin that it must still have."""

    name: str
    context: str
    pin: ClusterPin
    provider: str
    account: str
    """The value of the provider's `account_claim` for the person."""

    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def server(self) -> str:
        """The URL of the API server."""
        return self.pin.server


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything enrolled. `written` names the settings that stand in a file, not by default."""

    providers: tuple[Provider, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    store: str = "auto"
    unenrolled: str = "run"
    record: str = "tried"
    """`required`: nothing is elevated while the audit log cannot be written."""

    written: frozenset[str] = frozenset()

    def provider(self, name: str) -> Provider:
        """Return the provider called `name`.

        Raises:
            ConfigError: there is none.

        """
        for provider in self.providers:
            if provider.name == name:
                return provider
        known = ", ".join(provider.name for provider in self.providers) or "none"
        raise ConfigError(f"provider {name!r} is not in the config (known: {known})", hint="kubectl stepup setup")

    def cluster(self, name: str) -> Cluster | None:
        """Return the cluster called `name`."""
        return next((cluster for cluster in self.clusters if cluster.name == name), None)

    def cluster_for_context(self, context: str) -> Cluster | None:
        """Return the cluster that was enrolled as `context`."""
        return next((cluster for cluster in self.clusters if cluster.context == context), None)

    def cluster_for(self, context: str, server: str) -> Cluster | None:
        """Return the enrolment of a context: by its name, else by its server, as another context may lead there too.

        It is up to the caller to compare the whole pin before trusting it.
        """
        named = self.cluster_for_context(context)
        if named is not None:
            return named
        return next(iter(self.clusters_at(server)), None)

    def clusters_at(self, server: str) -> tuple[Cluster, ...]:
        """Return the clusters that were enrolled with a server."""
        wanted = normal_server(server)
        return tuple(cluster for cluster in self.clusters if normal_server(cluster.server) == wanted)


def not_enrolled(context: str | None, more: str = "", *, hint: str | None = None) -> NotEnrolled:
    """Return the error that a context (None: there is none) is not enrolled; the hint is how to enrol it.

    `more` goes on with the sentence.
    """
    enrol = f"kubectl stepup setup --context {shlex.quote(context or 'NAME')} --issuer URL --client-id ID"
    return NotEnrolled(f"context {context or '<none>'} is not enrolled{more}", hint=hint or enrol)
