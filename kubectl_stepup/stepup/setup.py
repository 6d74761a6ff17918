"""`setup`: enrol a context, as a plan of file changes that is shown before it is carried out."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubectl_stepup.config.document import url_fault
from kubectl_stepup.config.model import Cluster
from kubectl_stepup.config.write import with_cluster, with_provider, without_cluster, without_provider
from kubectl_stepup.errors import ConfigError, KubeconfigError, TokenRejected, UsageError
from kubectl_stepup.kubeconfig.exec_credential import smaller_ca_hint
from kubectl_stepup.oidc.claims import Expectation
from kubectl_stepup.stepup.provider_check import provider_problems
from kubectl_stepup.stepup.setup_provider import choose_provider
from kubectl_stepup.stepup.setup_static import removal_edit, static_edit
from kubectl_stepup.yaml_edit.splice import unified_diff

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kubectl_stepup.config.model import Config, Provider
    from kubectl_stepup.kubeconfig.context import ResolvedContext
    from kubectl_stepup.oidc.claims import IDTokenClaims
    from kubectl_stepup.oidc.provider import OIDCProvider
    from kubectl_stepup.oidc.requirement import Evidence
    from kubectl_stepup.policy.model import Policy
    from kubectl_stepup.secret import Secret
    from kubectl_stepup.stepup.provider_check import UsableAlgorithms
    from kubectl_stepup.yaml_edit.splice import Parse


GROUPS = "groups"
"""The usual name of the scope that brings a claim of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What the command line asks to enrol. What is None is taken from the existing enrolment, or a default."""

    name: str | None = None
    provider: str | None = None
    issuer: str | None = None
    client_id: str | None = None
    elevated_client_id: str | None = None
    preset: str | None = None
    account: str | None = None
    account_claim: str | None = None
    ca_file: str | None = None
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    overrides: Mapping[str, object] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    elevated_context: str | None = None
    level: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One file before and after; `before` None: it does not exist yet. `edit` makes the one from the other anew."""

    path: str
    before: bytes | None
    after: bytes
    edit: Callable[[bytes | None], bytes]

    @property
    def diff(self) -> str:
        """The unified difference, empty where there is none."""
        return unified_diff(self.before or b"", self.after, self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolPorts:
    """What enrolling needs of the outside.

    `read` gives a file's bytes, and `load` the whole config, as all commands read it, with these bytes as the user's
    file. `client(provider)` talks to an identity provider; `everyday_token` gives the token that the context's everyday
    user presents, None where it has none; `usable_algorithms` says for which `alg` values a JWKS has a key.
    `kubeconfig_files` are those that take part, in order, and `can_change` says whether one can be written.
    `store_arguments` tell `credential` of a static entry where the session is; `too_large` says why client-go could
    not start one, None: it can.
    """

    config: Config
    config_path: str
    policy: Policy
    read: Callable[[str], bytes | None]
    parse: Parse
    load: Callable[[bytes], Config]
    client: Callable[[Provider], OIDCProvider]
    verify: Callable[..., IDTokenClaims]
    usable_algorithms: UsableAlgorithms
    everyday_token: Callable[[ResolvedContext], Secret | None]
    kubeconfig_files: Sequence[str]
    can_change: Callable[[str], bool]
    credential_command: tuple[str, ...]
    store_arguments: tuple[str, ...]
    too_large: Callable[[ResolvedContext], str | None]
    now: Callable[[], float]
    notice: Callable[[str], None]


def plan_enrolment(wanted: Enrolment, resolved: ResolvedContext, ports: EnrolPorts) -> tuple[Cluster, list[FileChange]]:
    """Return the cluster as it will be enrolled and the changes of files for it.

    Talks to the provider: a wrong issuer or a client without the device flow is found now, not at the first step-up.

    Raises:
        UsageError: something is missing on the command line.
        ProviderError: the provider cannot be reached or is not what the flags say.
        TokenRejected: the everyday token does not prove the account.
    """
    _require_enrollable(resolved)
    reason = ports.too_large(resolved)
    if reason is not None:
        ports.notice(f"note: {reason}. To change that: {smaller_ca_hint(resolved.cluster)}")
    chosen = choose_provider(wanted, ports)
    provider = chosen.provider
    _check_provider(provider, ports)
    old = ports.config.cluster_for_context(resolved.context)
    cluster = _cluster(wanted, resolved, old, provider, ports)
    path, parse = ports.config_path, ports.parse
    edits: list[Callable[[bytes | None], bytes]] = []
    if chosen.is_changed:
        edits.append(lambda data: with_provider(data, path, provider, overrides=chosen.overrides, parse=parse))
    if old is not None and old.name != cluster.name:
        former = old.name
        edits.append(lambda data: without_cluster(data or b"", path, former, parse=parse))
    edits.append(lambda data: with_cluster(data, path, cluster, parse=parse))
    changes = [_change(path, lambda data: _loading(_applied(edits, data), path, ports, cluster, provider), ports)]
    if wanted.elevated_context is not None:
        edit = static_edit(wanted.elevated_context, wanted.level, cluster, provider, resolved, ports)
        changes.append(_change(*edit, ports))
    return cluster, changes


def plan_removal(wanted: Enrolment, resolved: ResolvedContext, cluster: Cluster, ports: EnrolPorts) -> list[FileChange]:
    """Return the changes that take out a static context, where one is named, else the cluster's enrolment.

    A provider goes with its last cluster.

    Raises:
        UsageError: the static context is not there.
    """
    if wanted.elevated_context is not None:
        file, edit = removal_edit(wanted.elevated_context, resolved, ports)
        change = _change(file, edit, ports)
        if not change.diff:
            raise UsageError(f"{file} has no context {wanted.elevated_context}", hint="kubectl config get-contexts")
        return [change]
    path, parse = ports.config_path, ports.parse
    edits: list[Callable[[bytes | None], bytes]] = [
        lambda data: without_cluster(data or b"", path, cluster.name, parse=parse)
    ]
    if not any(c.provider == cluster.provider for c in ports.config.clusters if c.name != cluster.name):
        edits.append(lambda data: without_provider(data or b"", path, cluster.provider, parse=parse))
    return [_change(path, lambda data: _loading(_applied(edits, data), path, ports), ports)]


def _applied(edits: list[Callable[[bytes | None], bytes]], data: bytes | None) -> bytes:
    for edit in edits:
        data = edit(data)
    return data or b""


def _loading(data: bytes, path: str, ports: EnrolPorts, *written: Cluster | Provider) -> bytes:
    """Return a config's bytes where it loads, and has what was written.

    Raises:
        ConfigError: no command could load it, or one would read something else.
    """
    try:
        config = ports.load(data)
    except ConfigError as exc:
        raise ConfigError(f"nothing was written, as the config would not load: {exc.message}", hint=exc.hint) from exc
    for one in written:
        if one not in (*config.clusters, *config.providers):
            raise ConfigError(f"nothing was written, as {path} would not say {one.name!r} as it is to be enrolled")
    return data


def _change(path: str, edit: Callable[[bytes | None], bytes], ports: EnrolPorts) -> FileChange:
    before = ports.read(path)
    return FileChange(path=path, before=before, after=edit(before), edit=edit)


def _check_provider(provider: Provider, ports: EnrolPorts) -> None:
    if provider.preset.unsupported is not None:
        raise ConfigError(f"preset {provider.preset_name} cannot prove a step-up: {provider.preset.unsupported}")
    client = ports.client(provider)
    for problem in provider_problems(provider, client, ports.usable_algorithms, ports.policy.levels):
        ports.notice(
            f"warning: {problem.sentence}. Every step-up will fail until that is changed: {problem.fix}"
            if problem.is_certain
            else f"note: {problem.sentence}"
        )
    metadata = client.metadata()
    if GROUPS in metadata.scopes and GROUPS not in provider.scopes:
        # Else the elevated identity has fewer groups than the everyday one, and nobody can see why it is refused.
        ports.notice(
            f"note: {provider.name} gives groups by a scope that is not asked for. Where the API server maps groups: "
            f"--set scopes={','.join((*provider.scopes, GROUPS))}"
        )
    for level in ports.policy.levels:
        evidence = provider.evidence_of(level.name)
        if evidence is None:
            ports.notice(
                f"note: nothing proves level {level.name} at {provider.name} yet; commands that need it are refused. "
                f"Add --evidence {level.name}:acr=VALUE"
            )


def _require_enrollable(resolved: ResolvedContext) -> None:
    """Refuse a server that no token may be sent to, or that the config cannot hold.

    Raises:
        KubeconfigError: it is not https with a host, or its address holds a user, a query or a fragment.
    """
    fault = url_fault(resolved.server)
    if fault is not None:
        # Not the address itself, which may hold a password.
        raise KubeconfigError(
            f"{resolved.cluster_file}: the server of context {resolved.context} {fault}",
            hint=f"kubectl config set-cluster {shlex.quote(resolved.cluster)} --server=https://HOST:PORT",
        )


def _cluster(
    wanted: Enrolment, resolved: ResolvedContext, old: Cluster | None, provider: Provider, ports: EnrolPorts
) -> Cluster:
    account = wanted.account or _proven_account(resolved, provider, ports) or (old.account if old else None)
    if account is None:
        raise UsageError(
            "the account is not known: the context's everyday user presents no ID token of the provider",
            hint=f"kubectl stepup setup --account VALUE   (the {provider.account_claim} claim of your tokens)",
        )
    name = wanted.name or (old.name if old else resolved.context)
    taken = ports.config.cluster(name)
    if taken is not None and taken.context != resolved.context:
        raise UsageError(
            f"cluster {name} is enrolled already, for context {taken.context}", hint="kubectl stepup setup --name NAME"
        )
    return Cluster(
        name=name,
        labels=dict(wanted.labels) or (old.labels if old else {}),
        context=resolved.context,
        pin=resolved.pin,
        provider=provider.name,
        account=account,
    )


def _proven_account(resolved: ResolvedContext, provider: Provider, ports: EnrolPorts) -> str | None:
    """Learn the account from the everyday login's own ID token: signed, for the everyday client, not expired."""
    token = ports.everyday_token(resolved)
    if token is None:
        return None
    client = ports.client(provider)
    expected = Expectation(
        issuer=provider.issuer,
        client_id=provider.client_id,
        algorithms=client.algorithms(provider.preset.signing_algorithms),
        account_claim=provider.account_claim,
        extra_audiences=provider.preset.extra_audiences,
    )
    try:
        return ports.verify(token, expected, jwks=client.jwks, now=ports.now()).account
    except TokenRejected as exc:
        raise TokenRejected(
            f"the everyday token of context {resolved.context} does not prove the account: {exc.message}",
            hint="sign in with your everyday login first (kubectl get pods), or name the account with --account",
        ) from exc
