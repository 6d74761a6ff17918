"""A step-up request as JSON, and its digest: what a person approves, by name.

An approval by somebody else, at another time, is for a digest. The JSON has kubectl's arguments as they are, so it may
hold what they hold: it is not for logs and screens, which get `audit.redaction`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kubectl_stepup.digest import sha256_hex
from kubectl_stepup.errors import ConfigError
from kubectl_stepup.stepup.options import StepUpOptions
from kubectl_stepup.stepup.request import StepUpRequest
from kubectl_stepup.strict_json import JSONRefused, json_object

if TYPE_CHECKING:
    from kubectl_stepup.config.model import Config
    from kubectl_stepup.policy.model import Policy

VERSION = 1
_TEXT = (str,)
_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("cluster", "server", "account", "issuer", "client", "level", "context", "summary"), _TEXT),
    **dict.fromkeys(("command", "rules", "publishedRules"), (list,)),
    **dict.fromkeys(("fresh", "once"), (bool,)),
    "reason": (str, type(None)),
}


def request_to_json(request: StepUpRequest) -> str:
    """Return the request as compact JSON with sorted keys: what a person approves; it has no token.

    Shape: `account, client, cluster, command, context, fresh, issuer, level, once, publishedRules, reason, rules,
    server, summary`, and `v`.
    """
    fields = {
        "v": VERSION,
        "cluster": request.cluster.name,
        "server": request.cluster.server,
        "account": request.cluster.account,
        "issuer": request.provider.issuer,
        "client": request.provider.elevated_client_id,
        "level": request.level.name,
        "context": request.context,
        "command": list(request.command),
        "rules": list(request.rules),
        "publishedRules": [list(pair) for pair in request.published_rules],
        "summary": request.summary,
        "reason": request.options.reason,
        "fresh": request.options.fresh,
        "once": request.options.once,
    }
    return json.dumps(fields, ensure_ascii=True, separators=(",", ":"), sort_keys=True)


def digest_of(request: StepUpRequest) -> str:
    """Return the SHA-256 of a request's JSON, in hex: two requests with one digest ask for the same."""
    return sha256_hex(request_to_json(request).encode("ascii"))


def request_from_json(text: str, *, config: Config, policy: Policy, scope: str) -> StepUpRequest:
    """Read a request again, under the enrolment and the policy that are in force now.

    Raises:
        ConfigError: it is malformed, of another version, or its cluster, provider or account is enrolled otherwise.
        PolicyError: the policy has no such level any more.
    """
    fields = _fields(text)
    cluster = config.cluster(fields["cluster"])
    if cluster is None:
        raise ConfigError(f"cluster {fields['cluster']} of a step-up request is not enrolled")
    level = policy.level(fields["level"])
    request = StepUpRequest(
        cluster=cluster,
        provider=config.provider(cluster.provider),
        level=level,
        stronger=policy.stronger(level.name),
        context=fields["context"],
        scope=scope,
        options=StepUpOptions(level=level.name, fresh=fields["fresh"], once=fields["once"], reason=fields["reason"]),
        command=tuple(fields["command"]),
        rules=tuple(fields["rules"]),
        published_rules=tuple((by, name) for by, name in fields["publishedRules"]),
        summary=fields["summary"],
    )
    if request_to_json(request) != text:
        raise ConfigError(f"cluster {cluster.name} is enrolled otherwise than a step-up request says")
    return request


def _fields(text: str) -> dict[str, Any]:
    """Return the members of a request's JSON, each of the type that it must have.

    Raises:
        ConfigError: it is something else.
    """
    try:
        fields = json_object(text, any_text=True)
    except JSONRefused as exc:
        raise ConfigError(f"a step-up request {exc}") from exc
    if fields.get("v") != VERSION or set(fields) != {"v", *_TYPES}:
        raise ConfigError(f"a step-up request is not of version {VERSION}")
    for name, kinds in _TYPES.items():
        if not isinstance(fields[name], kinds):
            raise ConfigError(f"{name} of a step-up request is malformed")
    pairs = all(
        isinstance(pair, list) and len(pair) == 2 and all(map(_is_text, pair)) for pair in fields["publishedRules"]
    )
    if not pairs or not all(map(_is_text, (*fields["command"], *fields["rules"]))):
        raise ConfigError("command or rules of a step-up request are malformed")
    return fields


def _is_text(value: object) -> bool:
    return isinstance(value, str)
