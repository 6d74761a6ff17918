"""ValidatingAdmissionPolicies: one a rule, which refuses people what they have not stepped up for, and grants nothing.

Every policy is asked, and each may refuse, so the strictest rule wins as it does on the client. Machines are never
asked: only tokens of the enrolled provider carry the extra key by which people are known.

Spec: admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding; RFC 9470 section 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_stepup.enforce import cel, names
from kubectl_stepup.enforce.plan import exceptions_on, points_of, rules_on
from kubectl_stepup.enforce.targets.named_cel import named
from kubectl_stepup.enforce.targets.requests_cel import ACTIONS, PROXIES, VARIABLES, Watched, shown, variable_of
from kubectl_stepup.errors import PolicyError
from kubectl_stepup.policy.expansion import ADMISSION
from kubectl_stepup.values import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubectl_stepup.enforce.plan import TargetCluster
    from kubectl_stepup.policy.model import Level, Policy, Rule, Selector

GROUP = "admissionregistration.k8s.io"
VALIDATION_ACTIONS = {"enforce": ["Deny"], "warn": ["Warn"], "audit": ["Audit"]}
"""By the mode of a rule. Our own annotation tells the audit log in every mode what was missing."""

OWN_RULE = "own-objects"
"""The name of the policy that protects what we publish; a rule cannot have it, as `lint` and `compile` say."""

PROXY_RULE = "elevated-proxy"
"""The name of the policy that keeps elevated logins from proxy subresources, where that was chosen."""

_PEOPLE = f"request.userInfo.?extra[?{cel.text(names.ISSUER_KEY)}].hasValue()"
_NEED = "variables.sensitive && !variables.steppedUp && !variables.breakGlass"


class Gate(Record):
    """What a policy needs to know beside its rule.

    `acr_values` are, by level, what to ask the provider for (RFC 9470); `break_glass` is a group of certificates that
    passes and is annotated, None for nobody. Without `elevated_proxy` no elevated login may use a proxy subresource.
    """

    cluster: TargetCluster
    policy: Policy
    acr_values: Mapping[str, tuple[str, ...]]
    annotations: Mapping[str, str]
    break_glass: str | None = None
    elevated_proxy: bool = True


def objects(gate: Gate) -> tuple[dict[str, Any], ...]:
    """Return the policies and their bindings for a cluster, in the order of the rules, and the one that protects ours.

    Raises:
        PolicyError: a rule has the name of a policy that no rule becomes.
    """
    found = [*_own(gate)]
    if not gate.elevated_proxy:
        found += _no_proxy(gate)
    for rule in rules_on(gate.policy, gate.cluster):
        if any(point.by == ADMISSION for point in points_of(rule)):
            found += _of_rule(gate, rule)
    return tuple(found)


def _of_rule(gate: Gate, rule: Rule) -> Iterator[dict[str, Any]]:
    level = gate.policy.level(rule.needs)
    parts = {action: ACTIONS[action] for action in ACTIONS if action in rule.actions}
    if not rule.actions:
        parts = {"named": named(rule)}
    yield _policy(
        gate,
        rule.name,
        level,
        parts,
        conditions=_where(gate, rule),
        message=None if rule.message is None else rule.message.text,
    )
    yield _binding(gate, rule.name, VALIDATION_ACTIONS[rule.mode])


def _own(gate: Gate) -> Iterator[dict[str, Any]]:
    """Protect the published policy, whatever the rules say: it decides on the client."""
    ours = Watched(
        shown=(shown("", ("configmaps",), "CREATE", "UPDATE", "DELETE"),),
        condition=f"variables.namespaceName == {cel.text(names.PUBLISHED_NAMESPACE)} && "
        f"variables.name == {cel.text(names.PUBLISHED_NAME)}",
    )
    level = gate.policy.levels[-1]
    yield _policy(gate, OWN_RULE, level, {"ours": ours}, conditions=(), message="it holds the published policy")
    yield _binding(gate, OWN_RULE, VALIDATION_ACTIONS["enforce"])


def _no_proxy(gate: Gate) -> Iterator[dict[str, Any]]:
    """Refuse proxy subresources to elevated logins, by whatever client.

    What answers there can redirect a client, and clients send their token after it. Which client that is no server
    can tell: the token is the same.
    """
    if any(rule.name == PROXY_RULE for rule in gate.policy.rules):
        raise PolicyError(f"rule {PROXY_RULE} has the name of what --no-elevated-proxy becomes: give it another")
    yield {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": _metadata(gate, PROXY_RULE),
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [shown("", PROXIES, "CONNECT").as_rule()]},
            "matchConditions": [{"name": "people", "expression": _PEOPLE}],
            "variables": [
                {
                    "name": "elevated",
                    "expression": "request.userInfo.?groups.orValue([]).exists(group, "
                    f"group.startsWith({cel.text(names.PREFIX)}))",
                }
            ],
            "validations": [{"expression": "!variables.elevated", "reason": "Forbidden", "message": _NO_PROXY}],
            "auditAnnotations": [
                {"key": "step-up", "valueExpression": "variables.elevated ? 'elevated: refused' : ''"}
            ],
        },
    }
    yield _binding(gate, PROXY_RULE, VALIDATION_ACTIONS["enforce"])


_NO_PROXY = (
    "no elevated login may use a proxy subresource, whose answer could redirect the token elsewhere; "
    "run: kubectl stepup exec -- port-forward TYPE/NAME PORT"
)


def _metadata(gate: Gate, rule: str) -> dict[str, Any]:
    return {
        "name": names.object_name(rule),
        "labels": dict(names.MANAGED_BY),
        "annotations": {**gate.annotations, names.RULE: rule},
    }


def _binding(gate: Gate, rule: str, actions: list[str]) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": _metadata(gate, rule),
        "spec": {"policyName": names.object_name(rule), "validationActions": list(actions)},
    }


def _policy(
    gate: Gate,
    rule: str,
    level: Level,
    parts: Mapping[str, Watched],
    *,
    conditions: tuple[str, ...],
    message: str | None,
) -> dict[str, Any]:
    shown_requests = dict.fromkeys(request for part in parts.values() for request in part.shown)
    who = _PEOPLE if gate.break_glass is None else f"{_PEOPLE} || {_in_group(gate.break_glass)}"
    words = _words(rule, level, gate.acr_values.get(level.name, ()), message)
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": _metadata(gate, rule),
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [request.as_rule() for request in shown_requests]},
            "matchConditions": [{"name": "people", "expression": who}],
            "variables": [
                {"name": name, "expression": expression}
                for name, expression in _variables(gate, level, parts, conditions).items()
            ],
            "validations": [
                {
                    "expression": f"!({_NEED})",
                    "reason": "Forbidden",
                    "message": words.replace("{command}", "..."),
                    "messageExpression": _with_command(words),
                }
            ],
            "auditAnnotations": [{"key": "step-up", "valueExpression": _annotation(level)}],
        },
    }


def _variables(gate: Gate, level: Level, parts: Mapping[str, Watched], conditions: tuple[str, ...]) -> dict[str, str]:
    needed = [action for action in ACTIONS if any(action in part.needs for part in parts.values())]
    detectors = {**{action: ACTIONS[action] for action in needed}, **parts}
    found = dict(VARIABLES)
    for action, watched in detectors.items():
        found.update(watched.variables)
        found[variable_of(action)] = watched.condition
    any_part = cel.any_of(f"variables.{variable_of(action)}" for action in parts)
    found["sensitive"] = cel.all_of((any_part, *conditions))
    enough = [names.level_group(one.name) for one in (level, *gate.policy.stronger(level.name))]
    found["steppedUp"] = f"request.userInfo.groups.exists(group, group in {cel.texts(enough)})"
    # A token cannot bring it: only who has the extra key came with a token of the provider.
    found["breakGlass"] = "false" if gate.break_glass is None else f"!{_PEOPLE} && {_in_group(gate.break_glass)}"
    return found


def _in_group(group: str) -> str:
    return f"request.userInfo.?groups.orValue([]).exists(group, group == {cel.text(group)})"


def _where(gate: Gate, rule: Rule) -> tuple[str, ...]:
    """Return the conditions of a rule's namespaces and names: what has none is in every one, and in no exception."""
    chosen = [_chosen(rule.selector, unknown="true")]
    spared = [f"!({_chosen(one, unknown='false')})" for one in exceptions_on(rule, gate.cluster)]
    return tuple(condition for condition in (*chosen, *spared) if condition != "true")


def _chosen(selector: Selector, *, unknown: str) -> str:
    fields = (("namespaceName", selector.namespaces), ("name", selector.names))
    return cel.all_of(
        f"(variables.{field} == '' ? {unknown} : {cel.matches_any(f'variables.{field}', patterns)})"
        for field, patterns in fields
        if patterns
    )


def _words(rule: str, level: Level, acr_values: tuple[str, ...], message: str | None) -> str:
    """Return one line for people and for programs; `{command}` stands for what to type."""
    values = f'acr_values="{" ".join(acr_values)}", ' if acr_values else ""
    parts = [
        f"step-up to {level.name} needed (rule {rule}{f': {_one_line(message)}' if message else ''})",
        f'error="insufficient_user_authentication", {values}max_age="{level.signed_in_within_s}"',
        "run: kubectl stepup exec -- {command}",
        *([f"help: {_one_line(level.help.text)}"] if level.help else []),
        *([f"runbook: {_one_line(level.runbook)}"] if level.runbook else []),
    ]
    return "; ".join(parts)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _with_command(words: str) -> str:
    """Return the expression of the same line with the command, where the request tells it."""
    before, _, after = words.partition("{command}")
    command = (
        "(variables.operation == 'DELETE' && variables.part == '' && variables.name != ''"
        " ? 'delete ' + variables.kind + ' ' + variables.name"
        " + (request.?namespace.orValue('') == '' ? '' : ' -n ' + request.namespace) : '...')"
    )
    return " + ".join((cel.text(before), command, *([cel.text(after)] if after else [])))


def _annotation(level: Level) -> str:
    """Return what the audit log says of a sensitive request; nothing of others."""
    user = "request.userInfo.username"
    return (
        f"!variables.sensitive ? '' : variables.breakGlass ? 'BREAK-GLASS: ' + {user} + ' passed without {level.name}'"
        f" : variables.steppedUp ? '{level.name}: stepped up' : '{level.name}: missing'"
    )
