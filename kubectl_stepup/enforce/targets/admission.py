"""ValidatingAdmissionPolicies, one a rule: they deny people what they have not stepped up for, and grant nothing.

The API server evaluates every policy and each may deny, so the strictest rule wins, as on the client. Machines are not
checked: only tokens of the enrolled provider carry the extra key that marks people.

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
"""By the mode of a rule. In every mode our annotation in the audit log says what was missing."""

OWN_RULE = "own-objects"
"""The name of the policy that protects the published policy; no rule may have it (`lint` and `compile` check)."""

PROXY_RULE = "elevated-proxy"
"""The name of the policy that denies proxy subresources to elevated logins (`--no-elevated-proxy`)."""

_PEOPLE = f"request.userInfo.?extra[?{cel.text(names.ISSUER_KEY)}].hasValue()"
_NEED = "variables.sensitive && !variables.steppedUp && !variables.breakGlass"


class Gate(Record):
    """What the admission policies of one cluster have in common.

    `acr_values` are, by level, the values to request from the provider (RFC 9470); `break_glass` is a group of
    certificates that passes and is annotated, None for nobody. Without `elevated_proxy` no elevated login may use a
    proxy subresource.
    """

    cluster: TargetCluster
    policy: Policy
    acr_values: Mapping[str, tuple[str, ...]]
    annotations: Mapping[str, str]
    break_glass: str | None = None
    elevated_proxy: bool = True


def objects(gate: Gate) -> tuple[dict[str, Any], ...]:
    """Return the admission policies and bindings of a cluster: the one for our own objects, then those of the rules.

    Raises:
        PolicyError: a rule has the name of one of our own policies.
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
    """Protect the published policy, whatever the rules say: clients decide by it."""
    ours = Watched(
        shown=(shown("", ("configmaps",), "CREATE", "UPDATE", "DELETE"),),
        condition=f"variables.namespaceName == {cel.text(names.PUBLISHED_NAMESPACE)} && "
        f"variables.name == {cel.text(names.PUBLISHED_NAME)}",
    )
    level = gate.policy.levels[-1]
    yield _policy(gate, OWN_RULE, level, {"ours": ours}, conditions=(), message="it holds the published policy")
    yield _binding(gate, OWN_RULE, VALIDATION_ACTIONS["enforce"])


def _no_proxy(gate: Gate) -> Iterator[dict[str, Any]]:
    """Deny proxy subresources to elevated logins, whatever the client.

    A proxied server can redirect a client, and some clients send their token along. The API server cannot tell clients
    apart: the token is the same.
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
    # No token can claim it: whoever came with a token of the provider has the extra key.
    found["breakGlass"] = "false" if gate.break_glass is None else f"!{_PEOPLE} && {_in_group(gate.break_glass)}"
    return found


def _in_group(group: str) -> str:
    return f"request.userInfo.?groups.orValue([]).exists(group, group == {cel.text(group)})"


def _where(gate: Gate, rule: Rule) -> tuple[str, ...]:
    """Return the conditions of a rule's namespaces and names; a request without one matches, and is no exception."""
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
    """Return one line for people and programs; `{command}` is replaced by the command to type."""
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
    """Return the expression of that line with the command, if the request determines it."""
    before, _, after = words.partition("{command}")
    command = (
        "(variables.operation == 'DELETE' && variables.part == '' && variables.name != ''"
        " ? 'delete ' + variables.kind + ' ' + variables.name"
        " + (request.?namespace.orValue('') == '' ? '' : ' -n ' + request.namespace) : '...')"
    )
    return " + ".join((cel.text(before), command, *([cel.text(after)] if after else [])))


def _annotation(level: Level) -> str:
    """Return the expression of the audit annotation of a sensitive request; empty for others."""
    user = "request.userInfo.username"
    return (
        f"!variables.sensitive ? '' : variables.breakGlass ? 'BREAK-GLASS: ' + {user} + ' passed without {level.name}'"
        f" : variables.steppedUp ? '{level.name}: stepped up' : '{level.name}: missing'"
    )
