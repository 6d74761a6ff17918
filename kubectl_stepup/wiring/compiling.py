"""`policy compile`: from the policy in force and an enrolled cluster to files for the server."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubectl_stepup import trusted_file
from kubectl_stepup.enforce import advice, bundle
from kubectl_stepup.enforce.bundle import Document
from kubectl_stepup.enforce.issuer_trust import ClaimNames, Trust, TrustedLevel, window_of
from kubectl_stepup.enforce.plan import Place, points
from kubectl_stepup.errors import ConfigError, PolicyError, UsageError
from kubectl_stepup.policy.expansion import ADMISSION
from kubectl_stepup.yaml_edit import edited_file, yaml_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_stepup.config.model import Provider
    from kubectl_stepup.enforce.bundle import Bundle, File, Request
    from kubectl_stepup.policy.model import Policy
    from kubectl_stepup.stepup.app import App


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileOptions:
    """What `policy compile` was asked for; see its help."""

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
    """A request and what it became."""

    request: Request
    bundle: Bundle

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the server will not do."""
        return tuple(advice.warnings(self.request))

    def order(self, directory: str) -> tuple[str, ...]:
        """The steps to put it in force and to take it back."""
        merged = self.request.existing is not None
        return advice.order(self.bundle, directory=directory, cluster=self.request.place.name, merged=merged)

    def texts(self) -> dict[str, str]:
        """The files' names and contents."""
        first = bundle.header(self.bundle, self.request.place)
        return {file.name: text_of_file(file, first) for file in self.bundle.files}


def compiled(options: CompileOptions, app: App) -> Compiled:
    """Compile the policy in force for an enrolled cluster.

    Raises:
        NotEnrolled: the cluster is not.
        PolicyError: the policy or the existing AuthenticationConfiguration does not load.
    """
    (cluster,) = app.clusters(options.cluster)
    provider = app.config.provider(cluster.provider)
    place = Place(name=cluster.name, labels=dict(cluster.labels))
    roles, old_grants = replaced(options.bindings, app.own_policy, place) if options.bindings else ((), ())
    request = bundle.Request(
        policy=app.own_policy,
        place=place,
        trust=trust_of(provider, app.own_policy, options),
        acr_values=_acr_values(provider, app.own_policy),
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


def trust_of(provider: Provider, policy: Policy, options: CompileOptions) -> Trust:
    """Return what the server is told of a provider."""
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
        ca_pem=_ca_of(provider),
        reserved=() if options.break_glass is None else (options.break_glass,),
    )


def replaced(file: str, policy: Policy, place: Place) -> tuple[tuple[Document, ...], tuple[Document, ...]]:
    """Return the roles and bindings that replace those of a file, and what is left of the bindings there.

    What admission will refuse anyway stays as it is: a right is only taken away where RBAC alone can.

    Raises:
        RbacInvalid: the file cannot be read, or binds nobody.
    """
    from kubectl_stepup.policy.model import Target
    from kubectl_stepup.rbac.findings import audit
    from kubectl_stepup.rbac.fix import fixes
    from kubectl_stepup.wiring.auditing import from_files

    found, _ = from_files([file])
    gated = {
        point.rule.name for point in points(policy, place) if point.by == ADMISSION and point.rule.mode == "enforce"
    }
    objects = replace(found, guarded=frozenset(gated))
    target = Target(cluster=place.name, labels=place.labels)
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


def _ca_of(provider: Provider) -> str | None:
    if provider.ca_file is None:
        return provider.ca_data
    data = trusted_file.read(provider.ca_file, most=yaml_file.MAX_BYTES, must_exist=True)
    return None if data is None else data.decode("ascii", "replace")


def _acr_values(provider: Provider, policy: Policy) -> dict[str, tuple[str, ...]]:
    evidence = {level.name: provider.evidence_of(level.name) for level in policy.levels}
    return {name: found.acr for name, found in evidence.items() if found is not None and found.acr}


def _existing(path: str) -> Mapping[str, Any]:
    data = yaml_file.read_bytes(Path(path), max_bytes=yaml_file.MAX_PLAIN_BYTES)
    found = yaml_file.plain(data, path)
    if not isinstance(found, dict):
        raise PolicyError(f"{path}: an AuthenticationConfiguration is wanted")
    return found


def text_of_file(file: File, first_line: str) -> str:
    """Write a file: its header as comments, each object under its own."""
    head = "".join(f"# {line}\n" for line in (first_line, *file.about))
    documents = "".join(
        f"---\n{''.join(f'# {line}' + chr(10) for line in one.comment.splitlines())}{yaml_file.text_of(one.content)}"
        for one in file.documents
    )
    return head + documents


def write(texts: Mapping[str, str], directory: str, app: App) -> list[str]:
    """Write the files into a directory, each whole or not at all; give their paths.

    Raises:
        ConfigError: one cannot be written.
        UsageError: the directory is a file.
    """
    if os.path.exists(directory) and not os.path.isdir(directory):
        raise UsageError(f"--output-dir {directory!r} is no directory")
    paths = []
    for name, text in texts.items():
        path = os.path.join(directory, name)
        data = text.encode()
        edited_file.change(path, lambda _before, data=data: data, clock=app.clock, error=ConfigError)  # type: ignore[misc]
        paths.append(path)
    return paths
