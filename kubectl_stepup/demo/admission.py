"""Admission control for writes: the effect of a set of ValidatingAdmissionPolicies on people.

Spec: admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy; RFC 9470 section 3 for the challenge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubectl_stepup.demo.api_request import APIRequest
from kubectl_stepup.demo.authentication import LEVEL_PREFIX, User
from kubectl_stepup.demo.statuses import forbidden

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What admission sees: the request, and the object before and after it (None: there is none)."""

    request: APIRequest
    old: Document | None = None
    new: Document | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionPolicy:
    """One rule's admission policy: attempts that `matches` need `level`, except in `exempt` namespaces."""

    rule: str
    level: str
    max_age_s: int
    matches: Callable[[Attempt], bool]
    exempt: tuple[str, ...] = ()

    def check(self, user: User, attempt: Attempt) -> None:
        """Let an attempt pass. Raises `StatusError` (403) with the challenge and the command to type."""
        request = attempt.request
        # Only people are checked: a controller has no second factor.
        if not user.is_person or request.namespace in self.exempt or not self.matches(attempt):
            return
        if f"{LEVEL_PREFIX}{self.level}" in user.groups:
            return
        name = f"kubectl-stepup-{self.rule}"
        why = (
            f"ValidatingAdmissionPolicy '{name}' with binding '{name}' denied request: "
            f'step-up to {self.level} needed (rule {self.rule}); error="insufficient_user_authentication", '
            f'acr_values="{self.level}", max_age="{self.max_age_s}"; run: kubectl stepup exec -- {_words(request)}'
        )
        cause = {"message": why}
        raise forbidden(request.group, request.resource, request.name or "Unknown", why, [cause])


def standard_policies(*, level: str, max_age_s: int, exempt: tuple[str, ...]) -> tuple[AdmissionPolicy, ...]:
    """Return the admission policies for deleting, stopping and opening shells."""
    rules = (("prod-deletes", _deletes), ("prod-deletes", _stops), ("prod-shells", _shells))
    return tuple(
        AdmissionPolicy(rule=rule, level=level, max_age_s=max_age_s, matches=matches, exempt=exempt)
        for rule, matches in rules
    )


def _deletes(attempt: Attempt) -> bool:
    request = attempt.request
    return request.verb in ("delete", "deletecollection") or request.full_resource == "pods/eviction"


def _stops(attempt: Attempt) -> bool:
    before, after = _replicas(attempt.old), _replicas(attempt.new)
    return before is not None and before > 0 and after == 0


def _shells(attempt: Attempt) -> bool:
    return attempt.request.full_resource in ("pods/exec", "pods/attach", "pods/portforward")


def _replicas(document: Document | None) -> int | None:
    replicas = (document or {}).get("spec", {}).get("replicas")
    return replicas if isinstance(replicas, int) else None


def _words(request: APIRequest) -> str:
    where = f" -n {request.namespace}" if request.namespace and request.resource != "namespaces" else ""
    if request.verb == "delete":
        return f"delete {request.resource} {request.name}{where}"
    return "..."
