"""What whoever compiles a policy must know: in which order it is put in force, and what the server cannot do of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.enforcement import bundle
from kubectl_stepup.enforcement.plan import points, rules_on
from kubectl_stepup.policy.expansion import CLIENT, RBAC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_stepup.enforcement.bundle import Bundle, Request

LONG_WINDOW_S = 1860
"""As much as a level gets that writes none: a sign-in of 15 minutes, a token of as many, and a minute."""


def order(made: Bundle, *, directory: str) -> tuple[str, ...]:
    """Give the steps to put a bundle in force, then those to take it back; each can be done alone."""
    names = {file.name for file in made.files}
    steps: list[str] = []
    if bundle.AUTHENTICATION_FILE in names:
        steps.append(
            f"Authentication: put {directory}/{bundle.AUTHENTICATION_FILE} where --authentication-config points, by "
            "rename. Nobody loses a right; see with: kubectl auth whoami"
        )
    if bundle.AUDIT_FILE in names:
        steps.append(f"Audit: merge {directory}/{bundle.AUDIT_FILE} into the file of --audit-policy-file")
    if bundle.PUBLISHED_FILE in names:
        steps.append(f"kubectl apply -f {directory}/{bundle.PUBLISHED_FILE} -f {directory}/{bundle.POLICIES_FILE}")
    if bundle.RBAC_FILE in names:
        steps.append(f"kubectl apply -f {directory}/{bundle.RBAC_FILE}")
    if bundle.BINDINGS_FILE in names:
        steps.append(f"kubectl apply -f {directory}/{bundle.BINDINGS_FILE}    (the guards bite within ten seconds)")
    if bundle.OLD_GRANTS_FILE in names:
        steps.append(
            f"Last, when people have tried the new roles: kubectl apply -f {directory}/{bundle.OLD_GRANTS_FILE}"
        )
    elif bundle.RBAC_FILE in names or bundle.BINDINGS_FILE in names:
        steps.append("Last, take away the old grants that the new ones replace")
    back = ["Give old grants back first"] if names & {bundle.RBAC_FILE, bundle.OLD_GRANTS_FILE} else []
    if bundle.BINDINGS_FILE in names:
        back.append(f"kubectl delete -f {directory}/{bundle.BINDINGS_FILE}    (nothing is refused any more)")
    if bundle.KUSTOMIZATION_FILE in names:
        back.append(f"kubectl delete --ignore-not-found -k {directory}")
    if bundle.AUTHENTICATION_FILE in names:
        back.append("Put the AuthenticationConfiguration back that was there before, by rename")
    return (
        "To put it in force:",
        *(f"  {number}. {text}" for number, text in enumerate(steps, 1)),
        "To take it back:",
        *(f"  {number}. {text}" for number, text in enumerate(back, 1)),
    )


def warnings(request: Request) -> Iterator[str]:
    """Say what the result will not do, or does otherwise than one might think."""
    yield from _of_levels(request)
    if request.trust.elevated == request.trust.everyday:
        yield "one client does both logins: an everyday sign-in with a second factor is elevated at once"
    for rule in rules_on(request.policy, request.place):
        if rule.mode != "enforce":
            yield f"rule {rule.name}: mode {rule.mode}, nothing is refused"
    for point in points(request.policy, request.place):
        what = f"rule {point.rule.name}: {point.what} ({', '.join(point.verbs) or 'all'})"
        if point.by == CLIENT:
            yield f"{what} is asked for by the client only{f': {point.note}' if point.note else ''}"
        elif point.by == RBAC:
            yield f"{what} on {', '.join(point.resources[:4])} is up to RBAC"


def _of_levels(request: Request) -> Iterator[str]:
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
