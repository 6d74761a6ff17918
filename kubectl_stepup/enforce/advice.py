"""Advice beside a compiled policy: the order in which it is put in force, and what the server cannot enforce."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from kubectl_stepup.enforce import bundle
from kubectl_stepup.enforce.plan import points, rules_on
from kubectl_stepup.policy.expansion import CLIENT, RBAC
from kubectl_stepup.policy.model import Where

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_stepup.enforce.bundle import Bundle, CompileRequest

LONG_WINDOW_S = 1860
"""The window of a level that names none: a sign-in of 15 minutes, a token of as many, and a minute."""


_TO_FORCE = (
    (
        bundle.AUTHENTICATION_FILE,
        "Authentication: put {directory}/authentication-configuration.yaml where --authentication-config points, by "
        "rename. {whole_file}Compare before and after: kubectl auth whoami",
    ),
    (bundle.AUDIT_FILE, "Audit: merge {directory}/audit-policy.yaml into the file of --audit-policy-file"),
    (bundle.PUBLISHED_FILE, "kubectl apply -f {directory}/published-policy.yaml -f {directory}/policies.yaml"),
    (bundle.PUBLISHED_FILE, "{verify}    (only the bindings are missing now)"),
    (bundle.RBAC_FILE, "kubectl apply -f {directory}/rbac.yaml"),
    (bundle.BINDINGS_FILE, "kubectl apply -f {directory}/bindings.yaml    (in force within ten seconds)"),
    (bundle.BINDINGS_FILE, "{verify}    (proves it, without effect)"),
    (
        bundle.OLD_GRANTS_FILE,
        "Last, when people have tried the new roles: kubectl apply -f {directory}/old-grants.yaml",
    ),
)
_BACK = (
    (bundle.OLD_GRANTS_FILE, "Restore the old grants: apply the former bindings"),
    (bundle.BINDINGS_FILE, "kubectl delete -f {directory}/bindings.yaml    (nothing is refused any more)"),
    (bundle.KUSTOMIZATION_FILE, "kubectl delete --ignore-not-found -k {directory}"),
    (bundle.AUTHENTICATION_FILE, "Restore the former AuthenticationConfiguration, by rename"),
)
"""A file of a bundle, and the step that it takes."""


_WHOLE_FILE = (
    "It replaces the whole file, with other issuers and the claim of user names: where the server has one, compile "
    "with --authentication-config FILE first. "
)


def order(made: Bundle, *, directory: str, cluster: str, merged: bool) -> tuple[str, ...]:
    """Return the steps to put a bundle in force, then those to take it back.

    `merged`: the AuthenticationConfiguration includes the server's own.
    """
    names = {file.name for file in made.files}
    verify = f"kubectl stepup policy verify --cluster {shlex.quote(cluster)}"
    values = {"directory": directory, "verify": verify, "whole_file": "" if merged else _WHOLE_FILE}
    lines: list[str] = []
    for title, steps in (("To put it in force:", _TO_FORCE), ("To take it back:", _BACK)):
        said = [text.format(**values) for name, text in steps if name in names]
        lines += [title, *(f"  {number}. {text}" for number, text in enumerate(said, 1))]
    return tuple(lines)


def warnings(request: CompileRequest) -> Iterator[str]:
    """Return what the compiled objects do not enforce, or enforce otherwise than expected."""
    yield from _of_levels(request)
    yield from _of_admission_policies(request)
    if request.trust.elevated == request.trust.everyday:
        yield "one client serves both logins: an everyday sign-in with a second factor is elevated at once"
    for rule in rules_on(request.policy, request.cluster):
        if rule.mode != "enforce":
            yield f"rule {rule.name}: mode {rule.mode}, nothing is refused"
    for point in points(request.policy, request.cluster):
        what = f"rule {point.rule.name}: {point.what} ({', '.join(point.verbs) or 'all'})"
        if point.by == CLIENT:
            yield f"{what} is enforced by the client alone{f' ({point.note})' if point.note else ''}"
        elif point.by == RBAC:
            yield f"{what} on {', '.join(point.resources[:4])} is enforced by RBAC alone"


def _of_admission_policies(request: CompileRequest) -> Iterator[str]:
    """Warn if somebody below the highest level may remove the admission policies."""
    highest = request.policy.levels[-1].name
    protecting = [rule for rule in rules_on(request.policy, request.cluster) if "protect" in rule.actions]
    if not any(rule.needs == highest and rule.mode == "enforce" and rule.where == Where() for rule in protecting):
        yield f"no rule asks for {highest} before protect: whoever may change admission policies can remove them"


def _of_levels(request: CompileRequest) -> Iterator[str]:
    for level in request.policy.levels:
        if request.trust.level(level.name) is None:
            yield f"level {level.name}: the provider has no evidence for it, so nobody reaches it on the server"
    for trusted in request.trust.levels:
        if trusted.window_s > LONG_WINDOW_S:
            yield (
                f"level {trusted.name}: a token stays elevated for up to {_minutes(trusted.window_s)} after the "
                "sign-in; shorten the elevated client's ID tokens where the provider can"
            )
        if trusted.evidence.scope:
            yield (
                f"level {trusted.name}: scopes are in the token response; the server sees them only if the ID token "
                "repeats them as scope or scp"
            )


def _minutes(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{f'{rest}s' if rest else ''}"
