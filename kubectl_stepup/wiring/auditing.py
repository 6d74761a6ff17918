"""`rbac audit`: the cluster's RBAC, or that of files, against the policy in force."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_stepup import __version__
from kubectl_stepup.errors import RbacInvalid, UsageError
from kubectl_stepup.globs import matches
from kubectl_stepup.policy.model import Target
from kubectl_stepup.rbac import load, read_cluster
from kubectl_stepup.rbac.findings import audit
from kubectl_stepup.rbac.fix import fixes
from kubectl_stepup.rbac.model import Place
from kubectl_stepup.rbac.reading import Manifest, objects_of
from kubectl_stepup.rbac.report import document
from kubectl_stepup.rbac.sarif import sarif
from kubectl_stepup.rbac.severity import rank
from kubectl_stepup.ui.rbac_screens import comment_lines, findings_screen
from kubectl_stepup.yaml_edit import yaml_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_stepup.config.model import Cluster
    from kubectl_stepup.policy.model import Policy
    from kubectl_stepup.rbac.finding import RbacFinding
    from kubectl_stepup.rbac.model import RbacObjects
    from kubectl_stepup.stepup.app import App

_FIX_HEADER = (
    "What closes the gaps that were found, by RBAC alone: read it, then",
    "kubectl apply --dry-run=server -f FILE, and without --dry-run. Keep what is there now for the way back:",
    "kubectl get clusterrolebindings,rolebindings --all-namespaces -o yaml > before.yaml",
    "Derived groups stepup:<level>:<group> come from the server's AuthenticationConfiguration: set that up first.",
)


NO_ACCOUNTS = "service accounts were not read: bindings to missing ones are not told"
NO_GUARDS = "admission policies were not read: no guard is counted as standing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What `rbac audit` was asked for: where to read, and which findings to tell."""

    cluster: str | None = None
    context: str | None = None
    kubeconfig: str | None = None
    files: tuple[str, ...] = ()
    subject: str | None = None
    namespace: str | None = None
    severity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What was found, and all that it was found in."""

    findings: tuple[RbacFinding, ...]
    objects: RbacObjects
    policy: Policy
    target: Target
    notes: tuple[str, ...]

    def is_as_bad_as(self, severity: str) -> bool:
        """Whether there is a finding of this severity or a worse one."""
        return any(rank(one.severity) >= rank(severity) for one in self.findings)


def reviewed(wanted: Wanted, app: App) -> Reviewed:
    """Read and judge.

    Raises:
        RbacInvalid, KubectlFailed: the RBAC cannot be read.
        NotEnrolled: `--cluster` names nothing that is.
    """
    cluster = _cluster(wanted, app)
    target = Target() if cluster is None else Target(cluster=cluster.name, labels=cluster.labels)
    policy = app.policy.on(target)
    objects, notes = from_files(wanted.files) if wanted.files else _from_cluster(wanted, cluster, app)
    if wanted.context and cluster is None:
        notes = (*notes, f"context {wanted.context} is not enrolled: every rule of the policy counts")
    found = [one for one in audit(objects, policy, target) if _is_wanted(one, wanted)]
    return Reviewed(findings=tuple(found), objects=objects, policy=policy, target=target, notes=notes)


def shown(found: Reviewed, output: str, *, width: int | None) -> str:
    """Return the findings as `table`, `json`, `yaml` or `sarif`."""
    if output == "table":
        return findings_screen(found.findings, notes=found.notes, width=width)
    if output == "sarif":
        return json.dumps(sarif(found.findings, version=__version__))
    whole = document(found.findings, cluster=found.target.cluster, notes=found.notes)
    return json.dumps(whole) if output == "json" else yaml_file.text_of(whole)


def fix_text(found: Reviewed) -> str:
    """Return the YAML that closes the gaps; only comments where nothing can be done by RBAC."""
    pieces = fixes(found.findings, found.objects, found.policy, found.target)
    if not pieces:
        return "# Nothing was found that RBAC can close."
    parts = ["\n".join(comment_lines(_FIX_HEADER))]
    for piece in pieces:
        comments = "".join(f"{line}\n" for line in comment_lines(piece.comments))
        body = "" if piece.manifest is None else yaml_file.text_of(piece.manifest)
        parts.append(f"---\n{comments}{body}".rstrip("\n"))
    return "\n".join(parts)


def _cluster(wanted: Wanted, app: App) -> Cluster | None:
    if wanted.cluster is not None:
        return app.clusters(wanted.cluster)[0]
    return app.config.cluster_for_context(wanted.context) if wanted.context else None


def from_files(files: Sequence[str]) -> tuple[RbacObjects, tuple[str, ...]]:
    """Read RBAC from files (`-`: standard input); give with it what is missing in them.

    Raises:
        RbacInvalid: they cannot be read, or bind nobody.
    """
    if files.count(load.STDIN) > 1:
        raise UsageError("standard input can be read only once", hint="kubectl stepup rbac audit --from FILE")
    objects = objects_of(manifest for file in files for manifest in load.manifests(_bytes(file), file))
    if not objects.bindings:
        raise RbacInvalid(
            f"{', '.join(files)}: no RoleBinding and no ClusterRoleBinding, so nothing can be told",
            hint="kubectl get clusterroles,clusterrolebindings,roles,rolebindings,serviceaccounts -A -o json",
        )
    notes = () if objects.service_accounts is not None else (NO_ACCOUNTS,)
    return objects, notes


def _bytes(file: str) -> bytes:
    if file != load.STDIN:
        return yaml_file.read_bytes(Path(file), max_bytes=yaml_file.MAX_MANIFEST_BYTES, error=RbacInvalid)
    data = b"" if sys.stdin is None else sys.stdin.buffer.read(yaml_file.MAX_MANIFEST_BYTES + 1)
    if len(data) > yaml_file.MAX_MANIFEST_BYTES:
        raise RbacInvalid(f"standard input is larger than {yaml_file.MAX_MANIFEST_BYTES} bytes")
    return data


def _from_cluster(wanted: Wanted, cluster: Cluster | None, app: App) -> tuple[RbacObjects, tuple[str, ...]]:
    context = wanted.context or (cluster.context if cluster else None)
    flags = [f"--context={context}"] if context else []
    flags += [f"--kubeconfig={wanted.kubeconfig}"] if wanted.kubeconfig else []
    read = read_cluster.read(app.kubectl.path(), flags, app.environ)
    answers = [answer for answer in (read.rbac, read.accounts, read.guards) if answer is not None]
    objects = objects_of(
        (manifest for answer in answers for manifest in _answered(answer)),
        has_service_accounts=read.accounts is not None,
    )
    missing = ((read.accounts, NO_ACCOUNTS), (read.guards, NO_GUARDS))
    notes = [note for answer, note in missing if answer is None]
    if objects.guarded:
        notes.append(f"admission guards stand for the rules: {', '.join(sorted(objects.guarded))}")
    return objects, tuple(notes)


def _answered(answer: object) -> Iterator[Manifest]:
    place = Place(file="")
    yield from (Manifest(content=one, place=place) for one in load.flattened(answer, "kubectl get"))


def _is_wanted(finding: RbacFinding, wanted: Wanted) -> bool:
    if wanted.severity is not None and rank(finding.severity) < rank(wanted.severity):
        return False
    if wanted.subject is not None and not any(
        matches(name, wanted.subject) for name in (finding.subject.name, str(finding.subject))
    ):
        return False
    return wanted.namespace is None or finding.binding.namespace in ("", wanted.namespace)
