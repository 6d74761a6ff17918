"""Check how the API server sees a login: its groups and extras (authentication.k8s.io/v1 SelfSubjectReview)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kubectl_stepup.enforce import names
from kubectl_stepup.enforce.verify.results import AUTHENTICATION, VerifyResult, result_of
from kubectl_stepup.values import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubectl_stepup.enforce.issuer_trust import Trust
    from kubectl_stepup.enforce.verify.results import Login


WHO = ("create", "--raw", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "-f", "-")
"""The kubectl command that returns the caller's own user; `REVIEW` is its input."""

REVIEW = json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})


class UserInfo(Record):
    """A user as the server sees it."""

    name: str
    groups: tuple[str, ...]
    extra: Mapping[str, tuple[str, ...]]

    @property
    def level_groups(self) -> tuple[str, ...]:
        """Return the groups that a step-up added."""
        return tuple(group for group in self.groups if group.startswith(names.PREFIX))

    @property
    def own_groups(self) -> tuple[str, ...]:
        """Return the groups of the token itself, without Kubernetes' own."""
        return tuple(group for group in self.groups if not group.startswith((names.PREFIX, "system:")))


def user_of(review: Mapping[str, Any] | None) -> UserInfo | None:
    """Return the user of a SelfSubjectReview; None if it is none."""
    info = ((review or {}).get("status") or {}).get("userInfo")
    if not isinstance(info, dict):
        return None
    extra = {str(key): tuple(map(str, values or ())) for key, values in (info.get("extra") or {}).items()}
    return UserInfo(name=str(info.get("username") or ""), groups=tuple(info.get("groups") or ()), extra=extra)


def evaluated(login: Login, user: UserInfo, trust: Trust, *, everyday: UserInfo | None, fix: str) -> VerifyResult:
    """Return the result for one login; `everyday` is the user of the same person without a step-up."""
    problems = [*_recognised(user, trust)]
    if login.level is None:
        what = "no level without stepping up"
        problems += [f"the everyday login has group {group}" for group in user.level_groups]
    else:
        what = f"the groups of {login.level} alone"
        problems += _elevated(login.level, user, trust)
        if everyday is not None and everyday.name != user.name:
            problems.append(f"is {user.name} here and {everyday.name} every day: bindings of one are not the other's")
        if everyday is not None:
            # A step-up gates existing rights and grants none.
            gained = sorted(set(user.own_groups) - set(everyday.own_groups))
            problems += [f"gains group {group}, which the everyday login does not have" for group in gained]
    return result_of(login.name, what, AUTHENTICATION, problems, fix=fix, good=f"user {user.name}")


def _recognised(user: UserInfo, trust: Trust) -> Iterator[str]:
    """Check our extra key: admission policies take everybody without it for a machine, and let it pass."""
    issuers = user.extra.get(names.ISSUER_KEY, ())
    if not issuers:
        yield f"{user.name} is not known as a person: no extra {names.ISSUER_KEY}, so no admission policy checks it"
    elif issuers != (trust.issuer,):
        yield f"extra {names.ISSUER_KEY} is {', '.join(issuers)}, not {trust.issuer}"


def _elevated(level: str, user: UserInfo, trust: Trust) -> Iterator[str]:
    ranked = [one.name for one in trust.levels]
    if level not in ranked:
        return
    reached = ranked[: ranked.index(level) + 1]
    expected = {names.level_group(one) for one in reached}
    expected |= {names.derived_group(one, group) for one in reached for group in user.own_groups}
    found = set(user.level_groups)
    for group in sorted(expected - found):
        yield f"has no group {group}"
    for group in sorted(found - expected):
        yield f"has group {group}, which {level} does not give"
