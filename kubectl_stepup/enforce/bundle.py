"""Compile a policy for one cluster into files: everything that the server needs to enforce it.

Spec: kubernetes.io, *Kustomization*; see each part's own module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_stepup import __version__
from kubectl_stepup.enforce import names
from kubectl_stepup.enforce.plan import rules_on
from kubectl_stepup.enforce.targets import admission, audit_policy, authentication, policy_config_map, rbac
from kubectl_stepup.enforce.targets.admission import Gate
from kubectl_stepup.policy.document_of import document_of
from kubectl_stepup.values import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kubectl_stepup.enforce.issuer_trust import Trust
    from kubectl_stepup.enforce.plan import TargetCluster
    from kubectl_stepup.policy.model import Policy, Rule

TARGETS = ("authentication", "admission", "rbac", "audit")

AUTHENTICATION_FILE = "authentication-configuration.yaml"
POLICIES_FILE = "policies.yaml"
BINDINGS_FILE = "bindings.yaml"
PUBLISHED_FILE = "published-policy.yaml"
RBAC_FILE = "rbac.yaml"
OLD_GRANTS_FILE = "old-grants.yaml"
AUDIT_FILE = "audit-policy.yaml"
KUSTOMIZATION_FILE = "kustomization.yaml"
APPLIED = (POLICIES_FILE, BINDINGS_FILE, PUBLISHED_FILE, RBAC_FILE)
"""The files that the kustomization names. Old grants are removed by hand, last."""


class Document(Record):
    """An object, and the comment above it."""

    comment: str
    content: Mapping[str, Any]


class File(Record):
    """A file of a bundle; `about` is the comment at its top."""

    name: str
    about: tuple[str, ...]
    documents: tuple[Document, ...]


class CompileRequest(Record):
    """What to compile: a policy for a cluster whose API server trusts a provider.

    `version` is that of the AuthenticationConfiguration, `existing` the one in force; `break_glass` a group of
    certificates that passes; without `elevated_proxy` elevated logins may not use proxies; `token_life_s` is what
    the windows of `trust` were computed from. `targets` are some of `TARGETS`. `roles` and `old_grants` come from
    existing RBAC: its replacement, and the existing bindings without the subjects that were replaced.
    """

    policy: Policy
    cluster: TargetCluster
    trust: Trust
    acr_values: Mapping[str, tuple[str, ...]]
    version: str = "v1"
    existing: Mapping[str, Any] | None = None
    break_glass: str | None = None
    elevated_proxy: bool = True
    token_life_s: int | None = None
    targets: tuple[str, ...] = TARGETS
    roles: tuple[Document, ...] = ()
    old_grants: tuple[Document, ...] = ()


class Bundle(Record):
    """The files, and the digest of the policy that they were compiled from."""

    digest: str
    files: tuple[File, ...]

    @property
    def objects(self) -> tuple[Mapping[str, Any], ...]:
        """Return all objects that kubectl applies."""
        return tuple(one.content for file in self.files if file.name in APPLIED for one in file.documents)


def compile_bundle(request: CompileRequest, *, text_of: Callable[[object], str]) -> Bundle:
    """Compile a policy; `text_of` writes YAML, for the published policy.

    Raises:
        PolicyError: the existing AuthenticationConfiguration cannot be merged into.
    """
    windows = {level.name: level.window_s for level in request.trust.levels}
    on_cluster = policy_config_map.policy_on(request.policy, request.cluster, windows=windows)
    digest = policy_config_map.digest_of(document_of(on_cluster))
    annotations = {names.DIGEST: digest, names.VERSION: __version__, **_made_with(request)}
    files: list[File] = []
    if "authentication" in request.targets:
        files.append(_authentication(request))
    if "admission" in request.targets:
        files += _admission(request, annotations)
        documents = policy_config_map.objects(on_cluster, annotations=annotations, text_of=text_of)
        files.append(_published(documents))
    if "rbac" in request.targets:
        files += _rbac(request, annotations)
    if "audit" in request.targets:
        files.append(_audit(request))
    applied = [file.name for file in files if file.name in APPLIED]
    if applied:
        files.append(_kustomization(applied))
    return Bundle(digest=digest, files=tuple(files))


def _made_with(request: CompileRequest) -> dict[str, str]:
    """Return the annotations by which `policy verify` can compile the same objects again."""
    found = {} if request.break_glass is None else {names.BREAK_GLASS: request.break_glass}
    if request.token_life_s is not None:
        found[names.TOKEN_LIFETIME] = str(request.token_life_s)
    if not request.elevated_proxy:
        found[names.ELEVATED_PROXY] = names.REFUSED
    return found


def header(bundle: Bundle, cluster: TargetCluster) -> str:
    """Return the first comment line of every file."""
    return f"kubectl-stepup {__version__}, cluster {cluster.name}, policy {bundle.digest}"


def _authentication(request: CompileRequest) -> File:
    content = authentication.configuration(request.trust, version=request.version, existing=request.existing)
    levels = ", ".join(f"{one.name} for at most {one.window_s}s after the sign-in" for one in request.trust.levels)
    return File(
        name=AUTHENTICATION_FILE,
        about=(
            "For --authentication-config of kube-apiserver; it reads the file again when it changes (replace it by",
            "rename). An expression that fails would be a 401 for everybody, so none of these can.",
            f"Levels: {levels or 'none: the provider has no evidence for any'}.",
        ),
        documents=(Document(comment="", content=content),),
    )


def _admission(request: CompileRequest, annotations: Mapping[str, str]) -> Iterator[File]:
    gate = Gate(
        cluster=request.cluster,
        policy=request.policy,
        acr_values=request.acr_values,
        annotations=annotations,
        break_glass=request.break_glass,
        elevated_proxy=request.elevated_proxy,
    )
    rules = {rule.name: rule for rule in rules_on(request.policy, request.cluster)}
    objects = admission.objects(gate)
    kinds = ((POLICIES_FILE, "ValidatingAdmissionPolicy", _ABOUT_POLICIES), (BINDINGS_FILE, "Binding", _ABOUT_BINDINGS))
    for name, kind, about in kinds:
        documents = tuple(
            Document(comment=_about(one["metadata"]["annotations"][names.RULE], rules), content=one)
            for one in objects
            if one["kind"].endswith(kind)
        )
        yield File(name=name, about=about, documents=documents)


_ABOUT_POLICIES = (
    "What people must have stepped up for. These refuse, and give nobody a right. They are asked about writes and",
    "connections, never about reads, and never about themselves: who may delete them is up to RBAC.",
    "Without their bindings they do nothing.",
)
_ABOUT_BINDINGS = ("These put the policies in force, within ten seconds. To disable a policy, delete its binding.",)


def _about(name: str, rules: Mapping[str, Rule]) -> str:
    if name == admission.OWN_RULE:
        return "The published policy itself: only the highest level may change it."
    if name == admission.PROXY_RULE and name not in rules:
        return "No elevated login goes through a proxy subresource, whose answer could redirect the token elsewhere."
    rule = rules[name]
    what = " and ".join(sorted(rule.actions)) if rule.actions else f"verbs {' '.join(sorted(rule.verbs))}"
    mode = "" if rule.mode == "enforce" else f" (mode {rule.mode}: nothing is refused)"
    return f"Rule {rule.name}: {what} need {rule.needs}{mode}."


def _published(documents: tuple[dict[str, Any], ...]) -> File:
    about = (
        "The policy for everybody's client, which fetches it at a step-up and decides by it as well.",
        "It can only add to what a person's own policy asks for.",
    )
    comments = ("", "Everybody who signs in may read this one object.", "")
    return File(
        name=PUBLISHED_FILE,
        about=about,
        documents=tuple(Document(comment=text, content=one) for text, one in zip(comments, documents, strict=True)),
    )


def _rbac(request: CompileRequest, annotations: Mapping[str, str]) -> Iterator[File]:
    granted = (Document(comment=text, content=one) for text, one in rbac.grants(request.policy, annotations))
    documents = (*granted, *request.roles)
    if documents:
        about = (
            "Rights for the time of an elevation, for people who belong to a group already, and everyday roles without",
            "what needs one. Applying this takes nothing away from anybody.",
        )
        yield File(name=RBAC_FILE, about=about, documents=documents)
    if request.old_grants:
        about = (
            "The bindings that were there, without those who are bound to the new roles. Apply this last, when people",
            "have tried the new ones; the bindings as they were are the way back.",
        )
        yield File(name=OLD_GRANTS_FILE, about=about, documents=request.old_grants)


def _audit(request: CompileRequest) -> File:
    about = (
        "For --audit-policy-file of kube-apiserver, or to be merged into yours: its rules are tried in order.",
        "Admission annotates events with <policy>/step-up; secrets' contents are never recorded.",
    )
    content = audit_policy.policy(level.name for level in request.policy.levels)
    return File(name=AUDIT_FILE, about=about, documents=(Document(comment="", content=content),))


def _kustomization(resources: list[str]) -> File:
    content = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources}
    about = ("What kubectl applies: kubectl apply -k . The order in which to begin is printed by the command.",)
    return File(name=KUSTOMIZATION_FILE, about=about, documents=(Document(comment="", content=content),))
