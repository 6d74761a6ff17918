"""Judge who the API server takes a login for: its groups and extras (authentication.k8s.io/v1 SelfSubjectReview)."""

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
"""kubectl's words for asking who one is; `REVIEW` is what it reads."""

REVIEW = json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})


class UserInfo(Record):
    """Who somebody is to the server."""

    name: str
    groups: tuple[str, ...]
    extra: Mapping[str, tuple[str, ...]]

    @property
    def level_groups(self) -> tuple[str, ...]:
        """Those that a step-up gave."""
        return tuple(group for group in self.groups if group.startswith(names.PREFIX))

    @property
    def own_groups(self) -> tuple[str, ...]:
        """Those of the token itself, without Kubernetes' own."""
        return tuple(group for group in self.groups if not group.startswith((names.PREFIX, "system:")))


def user_of(review: Mapping[str, Any] | None) -> UserInfo | None:
    """Read a SelfSubjectReview; None where it is none."""
    info = ((review or {}).get("status") or {}).get("userInfo")
    if not isinstance(info, dict):
        return None
    extra = {str(key): tuple(map(str, values or ())) for key, values in (info.get("extra") or {}).items()}
    return UserInfo(name=str(info.get("username") or ""), groups=tuple(info.get("groups") or ()), extra=extra)


def evaluated(login: Login, user: UserInfo, trust: Trust, *, everyday: UserInfo | None, fix: str) -> VerifyResult:
    """Judge one login; `everyday` is who the same person is without stepping up, for an elevated one."""
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
            # A step-up gates what one may do already, and grants nothing.
            gained = sorted(set(user.own_groups) - set(everyday.own_groups))
            problems += [f"gains group {group}, which the everyday login has not" for group in gained]
    return result_of(login.name, what, AUTHENTICATION, problems, fix=fix, good=f"user {user.name}")


def _recognised(user: UserInfo, trust: Trust) -> Iterator[str]:
    """The guards ask whom they know by our extra key, and let all others pass as machines."""
    issuers = user.extra.get(names.ISSUER_KEY, ())
    if not issuers:
        yield f"{user.name} is not known as a person: no extra {names.ISSUER_KEY}, so the guards never ask"
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
