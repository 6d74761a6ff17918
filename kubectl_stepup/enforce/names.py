"""Names that the server's objects, the tokens and the client share."""

from __future__ import annotations

from kubectl_stepup.names import OWN_GROUP

PREFIX = "stepup:"
"""What the groups of a level begin with; nobody but our own mapping may give such a group."""

OBJECT_PREFIX = "kubectl-stepup-"
MANAGED_BY = {"app.kubernetes.io/managed-by": "kubectl-stepup"}

ISSUER_KEY = f"{OWN_GROUP}/issuer"
"""The extra key that marks people: only our mapping of an enrolled provider sets it."""

ACR_KEY = f"{OWN_GROUP}/acr"
AMR_KEY = f"{OWN_GROUP}/amr"
AUTH_TIME_KEY = f"{OWN_GROUP}/auth-time"

DIGEST = f"{OWN_GROUP}/policy-digest"
VERSION = f"{OWN_GROUP}/version"
RULE = f"{OWN_GROUP}/rule"

BREAK_GLASS = f"{OWN_GROUP}/break-glass"
"""The group of certificates that passes the admission policies, if there is one."""

TOKEN_LIFETIME = f"{OWN_GROUP}/token-lifetime"
"""Seconds that the elevated client's ID tokens were said to live: a level's window is computed from it."""

ELEVATED_PROXY = f"{OWN_GROUP}/elevated-proxy"
"""`refused` where elevated logins may not use proxy subresources at all."""

REFUSED = "refused"

DRY_RUN_LABEL = f"{OWN_GROUP}/verify=dry-run"
"""What a dry run that changes an object adds to it."""

PUBLISHED_NAMESPACE = "kube-public"
PUBLISHED_NAME = "kubectl-stepup-policy"
PUBLISHED_KEY = "policy.yaml"


def level_group(level: str) -> str:
    """Return the group of everybody who reached a level."""
    return f"{PREFIX}{level}"


def derived_group(level: str, group: str) -> str:
    """Return the group of those members of `group` who reached a level."""
    return f"{PREFIX}{level}:{group}"


def object_name(rule: str) -> str:
    """Return the name of the admission policy that a rule becomes, and of its binding."""
    return f"{OBJECT_PREFIX}{rule}"
