"""Names that the server's objects, the tokens and the client share."""

from __future__ import annotations

OWNED = "kubectl-stepup.github.io"
"""The one name that everything of ours in a cluster carries (labels, annotations, extra keys)."""

PREFIX = "stepup:"
"""What the groups of a level begin with; nobody but our own mapping may give such a group."""

OBJECT_PREFIX = "kubectl-stepup-"
MANAGED_BY = {"app.kubernetes.io/managed-by": "kubectl-stepup"}

ISSUER_KEY = f"{OWNED}/issuer"
"""The extra key that marks people: only our mapping of an enrolled provider sets it."""

ACR_KEY = f"{OWNED}/acr"
AMR_KEY = f"{OWNED}/amr"
AUTH_TIME_KEY = f"{OWNED}/auth-time"

DIGEST = f"{OWNED}/policy-digest"
VERSION = f"{OWNED}/version"
RULE = f"{OWNED}/rule"

BREAK_GLASS = f"{OWNED}/break-glass"
"""The group of certificates that passes the guards, where there is one."""

TOKEN_LIFETIME = f"{OWNED}/token-lifetime"
"""Seconds that the elevated client's ID tokens were said to live: a level's window is computed from it."""

ELEVATED_PROXY = f"{OWNED}/elevated-proxy"
"""`refused` where elevated logins may not use proxy subresources at all."""

REFUSED = "refused"

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
