"""`policy compile`: the policy of this machine's files and an enrolled cluster become files for its API server."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kubectl_stepup import trusted_file
from kubectl_stepup.enforce import advice, bundle
from kubectl_stepup.enforce.bundle import Document
from kubectl_stepup.enforce.issuer_trust import ClaimNames, Trust, TrustedLevel, window_of
from kubectl_stepup.enforce.plan import TargetCluster, points
from kubectl_stepup.errors import ConfigError, PolicyError
from kubectl_stepup.policy.expansion import ADMISSION
from kubectl_stepup.yaml_edit import edited_file, yaml_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_stepup.config.model import Provider
    from kubectl_stepup.enforce.bundle import Bundle, CompileRequest
    from kubectl_stepup.policy.model import Policy
    from kubectl_stepup.stepup.app import App


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileOptions:
    """For which cluster to compile what, and what the policy does not say; see the help of `policy compile`."""

    cluster: str
    targets: tuple[str, ...] = bundle.TARGETS
    break_glass: str | None = None
    elevated_proxy: bool = True
    token_life_s: int | None = None
    existing: str | None = None
    version: str = "v1"
    claims: ClaimNames = field(default_factory=ClaimNames)
    bindings: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What was compiled, and the files that it became."""

    request: CompileRequest
    bundle: Bundle

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the server will not do."""
        return tuple(advice.warnings(self.request))

    def order(self, directory: str) -> tuple[str, ...]:
        """Return the steps to put it in force and to take it back."""
        merged = self.request.existing is not None
        return advice.order(self.bundle, directory=directory, cluster=self.request.cluster.name, merged=merged)

    def texts(self) -> dict[str, str]:
        """Return the files' contents by their names: their headers as comments, each object below its own comment."""
        first = bundle.header(self.bundle, self.request.cluster)
        found = {}
        for file in self.bundle.files:
            parts = [f"# {line}\n" for line in (first, *file.about)]
            for one in file.documents:
                comments = "".join(f"# {line}\n" for line in one.comment.splitlines())
                parts.append(f"---\n{comments}{yaml_file.text_of(one.content)}")
            found[file.name] = "".join(parts)
        return found

    def write(self, directory: str, app: App) -> list[str]:
        """Write the files into a directory, each whole or not at all, and return their paths.

        Raises:
            ConfigError: one cannot be written.
        """
        paths = []
        for name, text in self.texts().items():
            path = os.path.join(directory, name)
            data = text.encode()
            edited_file.change(path, lambda _before, data=data: data, clock=app.clock, error=ConfigError)  # type: ignore[misc]
            paths.append(path)
        return paths


def compile_policy(options: CompileOptions, app: App) -> Compiled:
    """Compile the policy of this machine's files for an enrolled cluster.

    Raises:
        NotEnrolled: the cluster is not.
        PolicyError: the policy or the existing AuthenticationConfiguration does not load.
        RbacInvalid: the file of bindings cannot be read, or binds nobody.
    """
    (cluster,) = app.clusters(options.cluster)
    policy, provider = app.own_policy, app.config.provider(cluster.provider)
    target = TargetCluster(name=cluster.name, labels=dict(cluster.labels))
    evidence = {level.name: provider.evidence_of(level.name) for level in policy.levels}
    roles, old_grants = replaced_bindings(options.bindings, policy, target) if options.bindings else ((), ())
    request = bundle.CompileRequest(
        policy=policy,
        cluster=target,
        trust=trust_of(provider, policy, options),
        acr_values={name: found.acr for name, found in evidence.items() if found is not None and found.acr},
        version=options.version,
        existing=None if options.existing is None else _existing(options.existing),
        break_glass=options.break_glass,
        elevated_proxy=options.elevated_proxy,
        token_life_s=options.token_life_s,
        targets=options.targets,
        roles=roles,
        old_grants=old_grants,
    )
    return Compiled(request=request, bundle=bundle.compile_bundle(request, text_of=yaml_file.text_of))


def _existing(path: str) -> Mapping[str, Any]:
    found = yaml_file.plain(yaml_file.read_bytes(path, max_bytes=yaml_file.MAX_PLAIN_BYTES), path)
    if not isinstance(found, dict):
        raise PolicyError(f"{path}: an AuthenticationConfiguration is wanted")
    return found


def trust_of(provider: Provider, policy: Policy, options: CompileOptions) -> Trust:
    """Return what the server has to know of a provider.

    Raises:
        ConfigError: its CA file cannot be read, or others can change it.
    """
    from kubectl_stepup.oidc.evidence import LONGEST_COUNTED_LIFE_S

    life = options.token_life_s if options.token_life_s is not None else int(LONGEST_COUNTED_LIFE_S)
    proven = ((level, provider.evidence_of(level.name)) for level in policy.levels)
    levels = tuple(
        TrustedLevel(name=level.name, evidence=evidence, window_s=window_of(level, life))
        for level, evidence in proven
        if evidence is not None
    )
    return Trust(
        issuer=provider.issuer,
        everyday=provider.client_id,
        elevated=provider.elevated_client_id,
        levels=levels,
        auth_time=provider.preset.auth_time,
        claims=replace(options.claims, username=options.claims.username or provider.account_claim),
        ca_pem=ca_of(provider),
        reserved=() if options.break_glass is None else (options.break_glass,),
    )


def replaced_bindings(
    file: str, policy: Policy, cluster: TargetCluster
) -> tuple[tuple[Document, ...], tuple[Document, ...]]:
    """Return the roles and bindings that replace those of a file, and what is left of the bindings there.

    What admission will refuse anyway stays as it is: a right is only taken away where RBAC alone can.

    Raises:
        RbacInvalid: the file cannot be read, or binds nobody.
    """
    from kubectl_stepup.policy.model import Target
    from kubectl_stepup.rbac.findings import audit
    from kubectl_stepup.rbac.fix import fixes
    from kubectl_stepup.rbac.load import from_files

    found, _ = from_files([file])
    gated = {
        point.rule.name for point in points(policy, cluster) if point.by == ADMISSION and point.rule.mode == "enforce"
    }
    objects = replace(found, gated=frozenset(gated))
    target = Target(cluster=cluster.name, labels=cluster.labels)
    pieces = fixes(audit(objects, policy, target), objects, policy, target)
    there = {(one.kind, one.namespace, one.name) for one in objects.bindings}
    documents = [
        Document(comment="\n".join(piece.comments), content=piece.manifest)
        for piece in pieces
        if piece.manifest is not None
    ]
    old = tuple(one for one in documents if _key(one.content) in there)
    return tuple(one for one in documents if one not in old), old


def _key(content: Mapping[str, Any]) -> tuple[str, str, str]:
    metadata = content["metadata"]
    return content["kind"], metadata.get("namespace", ""), metadata["name"]


def ca_of(provider: Provider) -> str | None:
    """Return the certificates, in PEM, that the server trusts the provider by; None: the system's.

    Raises:
        ConfigError: the file cannot be read, or others can change it.
    """
    if provider.ca_file is None:
        return provider.ca_data
    data = trusted_file.read(provider.ca_file, most=yaml_file.MAX_BYTES, must_exist=True)
    return None if data is None else data.decode("ascii", "replace")
