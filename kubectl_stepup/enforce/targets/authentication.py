"""Compile the AuthenticationConfiguration: both clients of the provider, and the levels that its tokens prove.

Spec: apiserver.config.k8s.io/v1 (v1beta1 before Kubernetes 1.34) AuthenticationConfiguration.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from kubectl_stepup.enforce import cel
from kubectl_stepup.enforce.names import ACR_KEY, AMR_KEY, AUTH_TIME_KEY, ISSUER_KEY, PREFIX
from kubectl_stepup.enforce.targets import claims_cel
from kubectl_stepup.errors import PolicyError
from kubectl_stepup.names import OWN_GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_stepup.enforce.issuer_trust import Trust

GROUP = "apiserver.config.k8s.io"
VERSIONS = ("v1", "v1beta1")

_SYSTEM = {
    "expression": "!user.username.startsWith('system:')",
    "message": "user names that begin with system: belong to Kubernetes",
}
_NO_LEVEL = {
    "expression": f"user.groups.all(g, !g.startsWith({cel.text(PREFIX)}))",
    "message": f"groups that begin with {PREFIX} come from step-ups alone",
}


def configuration(trust: Trust, *, version: str, existing: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the whole configuration for the API server.

    `existing` is the one in force: its entry for the issuer keeps its names and rules, every other entry gets a rule
    that refuses the groups of levels.

    Raises:
        PolicyError: `existing` is no such configuration, or sets our extra keys for another issuer.
    """
    document = _copied(existing)
    document["apiVersion"] = f"{GROUP}/{version}"
    document["kind"] = "AuthenticationConfiguration"
    entries = document.setdefault("jwt", None) or []
    document["jwt"] = [_other(entry, trust.issuer) for entry in entries if _issuer(entry) != trust.issuer]
    ours: dict[str, Any] = next((entry for entry in entries if _issuer(entry) == trust.issuer), {})
    document["jwt"].insert(_place(entries, trust.issuer), _entry(trust, ours))
    return document


def _copied(existing: Mapping[str, Any] | None) -> dict[str, Any]:
    if existing is None:
        return {}
    kind, version = existing.get("kind"), existing.get("apiVersion")
    group = str(version).partition("/")[0]
    entries = existing.get("jwt")
    if kind != "AuthenticationConfiguration" or group != GROUP or not isinstance(entries, list | None):
        raise PolicyError(f"an AuthenticationConfiguration of {GROUP} is expected, this is {kind} of {version}")
    for entry in entries or []:
        if not isinstance(entry, dict) or not isinstance(entry.get("issuer"), dict) or not _issuer(entry):
            raise PolicyError("an entry of jwt in the AuthenticationConfiguration has no issuer.url")
    return copy.deepcopy(dict(existing))


def _issuer(entry: Mapping[str, Any]) -> str:
    return str(entry["issuer"].get("url") or "")


def _place(entries: list[Any], issuer: str) -> int:
    urls = [_issuer(entry) for entry in entries]
    return urls.index(issuer) if issuer in urls else len(urls)


def _other(entry: dict[str, Any], issuer: str) -> dict[str, Any]:
    """Return another issuer's entry, with a rule that rejects our groups; reject our extra keys."""
    extra = (entry.get("claimMappings") or {}).get("extra") or []
    taken = [one.get("key") for one in extra if str(one.get("key")).startswith(f"{OWN_GROUP}/")]
    if taken:
        raise PolicyError(
            f"issuer {_issuer(entry)} sets the extra key {taken[0]}, which marks people of {issuer}",
            hint="take the key out of that entry",
        )
    rules = [rule for rule in entry.get("userValidationRules") or [] if rule != _NO_LEVEL]
    return {**entry, "userValidationRules": [*rules, dict(_NO_LEVEL)]}


def _entry(trust: Trust, existing: dict[str, Any]) -> dict[str, Any]:
    issuer = dict(existing.get("issuer") or {"url": trust.issuer})
    audiences = list(dict.fromkeys([*(issuer.get("audiences") or []), trust.everyday, trust.elevated]))
    issuer["audiences"] = audiences
    if len(audiences) > 1:
        issuer["audienceMatchPolicy"] = "MatchAny"
    if trust.ca_pem is not None:
        issuer.setdefault("certificateAuthority", trust.ca_pem)
    rules = [rule for rule in existing.get("userValidationRules") or [] if rule != _SYSTEM]
    return {
        **existing,
        "issuer": issuer,
        "claimMappings": _mappings(trust, existing.get("claimMappings") or {}),
        "userValidationRules": [*rules, dict(_SYSTEM)],
    }


def _mappings(trust: Trust, existing: Mapping[str, Any]) -> dict[str, Any]:
    names = trust.claims
    username = existing.get("username") or {"claim": names.username, "prefix": names.username_prefix}
    extra = [one for one in existing.get("extra") or [] if not str(one.get("key")).startswith(f"{OWN_GROUP}/")]
    return {
        **existing,
        "username": username,
        "groups": {"expression": claims_cel.groups(trust, _base(trust, existing.get("groups") or {}))},
        "extra": [
            *extra,
            {"key": ISSUER_KEY, "valueExpression": "claims.iss"},
            {"key": ACR_KEY, "valueExpression": claims_cel.text_of("acr")},
            {"key": AMR_KEY, "valueExpression": claims_cel.texts_of("amr")},
            {"key": AUTH_TIME_KEY, "valueExpression": claims_cel.whole_seconds_of("auth_time")},
        ],
    }


def _base(trust: Trust, existing: Mapping[str, Any]) -> str:
    """Return the expression of the token's own groups: the entry's, or that of the trust's claim names."""
    if existing.get("expression"):
        written = str(existing["expression"])
        # An expression of ours: its first part is the one that it was made from.
        return claims_cel.base_of(written) or claims_cel.listed(f"({written})")
    if existing.get("claim"):
        from dataclasses import replace

        prefix = str(existing.get("prefix") or "")
        names = replace(trust.claims, groups=str(existing["claim"]), groups_prefix=prefix)
        return claims_cel.mapped_groups(names)
    return claims_cel.mapped_groups(trust.claims)
