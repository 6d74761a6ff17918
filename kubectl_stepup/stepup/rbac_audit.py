"""`rbac audit`: who reaches a sensitive action without stepping up, by the cluster's RBAC or that of files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.globs import matches
from kubectl_stepup.policy.model import Target
from kubectl_stepup.rbac import load, read_cluster
from kubectl_stepup.rbac.finding import rank
from kubectl_stepup.rbac.findings import audit
from kubectl_stepup.rbac.fix import fixes
from kubectl_stepup.ui.rbac_screens import comment_lines
from kubectl_stepup.yaml_edit import yaml_file

if TYPE_CHECKING:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RbacAuditOptions:
    """Where to read RBAC (the cluster of a context, or files), and which findings to return."""

    cluster: str | None = None
    context: str | None = None
    kubeconfig: str | None = None
    files: tuple[str, ...] = ()
    subject: str | None = None
    namespace: str | None = None
    severity: str | None = None

    def selects(self, finding: RbacFinding) -> bool:
        """Whether a finding is one of those to return."""
        if self.severity is not None and rank(finding.severity) < rank(self.severity):
            return False
        names = (finding.subject.name, str(finding.subject))
        if self.subject is not None and not any(matches(name, self.subject) for name in names):
            return False
        return self.namespace is None or finding.binding.namespace in ("", self.namespace)


@dataclass(frozen=True, slots=True, kw_only=True)
class RbacAudit:
    """The findings, and the RBAC, policy and target in which they were found; `notes` say what could not be read."""

    findings: tuple[RbacFinding, ...]
    objects: RbacObjects
    policy: Policy
    target: Target
    notes: tuple[str, ...]

    def is_as_bad_as(self, severity: str) -> bool:
        """Whether there is a finding of this severity or a worse one."""
        return any(rank(one.severity) >= rank(severity) for one in self.findings)

    def fix(self) -> str:
        """Return the YAML that closes the gaps; only comments where RBAC can do nothing."""
        pieces = fixes(self.findings, self.objects, self.policy, self.target)
        if not pieces:
            return "# Nothing was found that RBAC can close."
        parts = ["\n".join(comment_lines(_FIX_HEADER))]
        for piece in pieces:
            comments = "".join(f"{line}\n" for line in comment_lines(piece.comments))
            body = "" if piece.manifest is None else yaml_file.text_of(piece.manifest)
            parts.append(f"---\n{comments}{body}".rstrip("\n"))
        return "\n".join(parts)


def audit_rbac(options: RbacAuditOptions, app: App) -> RbacAudit:
    """Read RBAC and find who reaches what the policy in force calls sensitive.

    Raises:
        RbacInvalid, KubectlFailed: the RBAC cannot be read.
        NotEnrolled: `--cluster` names no enrolled cluster.
    """
    cluster = None
    if options.cluster is not None:
        (cluster,) = app.clusters(options.cluster)
    elif options.context:
        cluster = app.config.cluster_for_context(options.context)
    target = Target() if cluster is None else Target(cluster=cluster.name, labels=cluster.labels)
    policy = app.policy.on(target)

    if options.files:
        objects, notes = load.from_files(options.files)
    else:
        context = options.context or (cluster.context if cluster else None)
        flags = [f"--context={context}"] if context else []
        flags += [f"--kubeconfig={options.kubeconfig}"] if options.kubeconfig else []
        objects, notes = read_cluster.from_cluster(app.kubectl.path(), flags, app.environ)
    if options.context and cluster is None:
        notes = (*notes, f"context {options.context} is not enrolled: every rule of the policy counts")

    findings = tuple(one for one in audit(objects, policy, target) if options.selects(one))
    return RbacAudit(findings=findings, objects=objects, policy=policy, target=target, notes=notes)
