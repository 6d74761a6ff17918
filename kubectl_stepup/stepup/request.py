"""One request to be elevated: where, how strongly, for what."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from kubectl_stepup.config.model import not_enrolled
from kubectl_stepup.errors import CommandRefused, ConfigError, NotEnrolled, PolicyError, UsageError
from kubectl_stepup.oidc.requirement import StepUpRequirement
from kubectl_stepup.policy.levels import SHORTEST_WINDOW_S
from kubectl_stepup.policy.model import label_of
from kubectl_stepup.policy.summary import summary_of
from kubectl_stepup.sessions.session import session_id
from kubectl_stepup.stepup.options import StepUpOptions
from kubectl_stepup.ui.quoted_text import quoted

if TYPE_CHECKING:
    from kubectl_stepup.config.model import Cluster, Provider
    from kubectl_stepup.kubeconfig.context import ResolvedContext
    from kubectl_stepup.policy.model import Level, Policy
    from kubectl_stepup.policy.quoted_text import QuotedText
    from kubectl_stepup.stepup.app import App
    from kubectl_stepup.stepup.evaluate import Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUpRequest:
    """A request to be elevated in one cluster to one level: from the options to the token to the audit event.

    `stronger` are the policy's stronger levels, weakest first: their sessions serve too. `command` is kubectl's
    arguments (empty for a plain login), `scope` the store scope that a new session gets. `rules` are the names of this
    machine's rules; `published_rules` are the clusters and names of published ones, which are shown apart. `resolved`
    is the kubeconfig context that was found, None for a static entry, which client-go names.
    """

    cluster: Cluster
    provider: Provider
    level: Level
    stronger: tuple[Level, ...]
    context: str
    scope: str
    options: StepUpOptions = field(default_factory=StepUpOptions)
    command: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    published_rules: tuple[tuple[str, str], ...] = ()
    messages: tuple[QuotedText, ...] = ()
    summary: str = ""
    resolved: ResolvedContext | None = None
    for_credential: bool = False

    @property
    def session_id(self) -> str:
        """The id of the session that this request leads to."""
        return self.session_id_at(self.level)

    def session_id_at(self, level: Level) -> str:
        """Return the id of this cluster's session at another level."""
        return session_id_of(self.cluster, self.provider, level)

    @property
    def required_context(self) -> ResolvedContext:
        """The kubeconfig context that was found.

        Raises:
            NotEnrolled: the request is for none.
        """
        if self.resolved is None:
            raise NotEnrolled(f"cluster {self.cluster.name} has no context")
        return self.resolved

    @property
    def rule_labels(self) -> tuple[str, ...]:
        """The names of all rules, published ones with their cluster: for the audit log and for programs."""
        return (*self.rules, *(label_of(name, by) for by, name in self.published_rules))

    @property
    def keeps_session(self) -> bool:
        """Whether the approval serves later commands too."""
        return not self.options.once and self.level.ask_again_after_s > 0


def session_id_of(cluster: Cluster, provider: Provider, level: Level) -> str:
    """Return the session id for one cluster and level."""
    return session_id(
        issuer=provider.issuer,
        client=provider.elevated_client_id,
        account=cluster.account,
        cluster=cluster.name,
        level=level.name,
    )


def requirement_for(request: StepUpRequest) -> StepUpRequirement:
    """Join what policy asks (times) and what the config knows of the provider (evidence).

    Raises:
        ConfigError: the provider has no evidence for the level, or the server's window is too short: nothing could
            prove it.
    """
    provider, level, cluster = request.provider, request.level, request.cluster
    evidence = provider.evidence_of(level.name)
    if evidence is None:
        raise ConfigError(
            f"provider {provider.name} has no evidence for level {level.name}: nothing could prove it",
            hint=f"kubectl stepup setup --context {shlex.quote(request.context)} --evidence {level.name}:acr=VALUE",
        )
    window, by = level.server_window_s, level.window_by
    if window is not None and window < SHORTEST_WINDOW_S:
        said = "" if by is None else f", as cluster {by} publishes it"
        raise ConfigError(
            f"level {level.name} in {cluster.name} has a serverWindow of {window}s{said}: no token that a "
            f"person can get is so young; {SHORTEST_WINDOW_S}s is the least",
            hint="kubectl stepup policy lint"
            if by is None
            else f"kubectl stepup policy forget --cluster {shlex.quote(by)}",
        )
    return StepUpRequirement(
        level=level.name,
        evidence=evidence,
        signed_in_within_s=level.signed_in_within_s,
        server_window_s=window,
        window_by=by,
        auth_time=provider.preset.auth_time,
        account_claim=provider.account_claim,
        account=cluster.account,
        fresh=request.options.fresh,
    )


def require_reason(request: StepUpRequest, *, required: bool, tickets: tuple[QuotedText, ...] = ()) -> None:
    """Refuse a request without a reason where policy wants one; a word of it must match each ticket glob.

    Raises:
        CommandRefused: says what is missing.
    """
    reason = (request.options.reason or "").strip()
    if (required or tickets or request.level.reason_required) and not reason:
        raise CommandRefused(
            f"level {request.level.name} asks for a reason",
            hint='repeat the command with --reason "why", before the --',
        )
    for ticket in tickets:
        if any(fnmatchcase(word, ticket.text) for word in reason.split()):
            continue
        if ticket.cluster is not None:
            raise CommandRefused(
                f"the reason {reason!r} names no ticket as it is wanted; {quoted(ticket)}",
                hint='--reason "TICKET why", before the --',
            )
        raise CommandRefused(
            f"the reason {reason!r} names no ticket like {ticket.text}",
            hint=f'--reason "{ticket.text} why", before the --',
        )


def named_level(policy: Policy, name: str) -> Level:
    """Return the level that the command line names.

    Raises:
        UsageError: policy has no such level.
    """
    try:
        return policy.level(name)
    except PolicyError as exc:
        raise UsageError(exc.message) from exc


def request_in(cluster: Cluster, level: Level, policy: Policy, app: App, **more: Any) -> StepUpRequest:
    """Return the request to reach a level in an enrolled cluster; `more` are further fields.

    `policy` has the levels that count there.

    Raises:
        ConfigError: the cluster's provider is not in the config.
    """
    return StepUpRequest(
        cluster=cluster,
        provider=app.config.provider(cluster.provider),
        level=level,
        stronger=policy.stronger(level.name),
        **{"context": cluster.context, "scope": app.scope, **more},
    )


def request_of(evaluation: Evaluation, options: StepUpOptions, app: App) -> StepUpRequest | None:
    """Return the request of an evaluated command; None: it needs none, or goes to no enrolled cluster.

    Raises:
        UsageError: the level that the options name is unknown, or weaker than what policy asks for.
        NotEnrolled, KubeconfigError: the options name a level, and the command goes to no enrolled cluster.
    """
    policy, decision = app.policy.on(evaluation.target), evaluation.decision
    level = _level(evaluation, options, policy)
    if options.level is not None and evaluation.unresolved is not None:
        raise evaluation.unresolved
    if options.level is not None and (evaluation.cluster is None or evaluation.resolved is None):
        raise not_enrolled(evaluation.context_name, f", so level {options.level} cannot be reached")
    if level is None or evaluation.cluster is None or evaluation.resolved is None:
        return None
    return request_in(
        evaluation.cluster,
        level,
        policy,
        app,
        context=evaluation.resolved.context,
        resolved=evaluation.resolved,
        options=options,
        command=evaluation.argv,
        rules=decision.own_rules,
        published_rules=decision.published_rules,
        messages=decision.messages,
        summary=summary_of(decision) if decision.rules else f"kubectl {evaluation.command.name}",
    )


def _level(evaluation: Evaluation, options: StepUpOptions, policy: Policy) -> Level | None:
    """Return the level to reach: policy's, or a stronger one that the person names."""
    needed = evaluation.decision.level if evaluation.decision.effect == "stepup" else None
    if options.level is None:
        return None if needed is None else policy.level_for(evaluation.decision, needed)
    named = named_level(policy, options.level)
    if needed is not None and not policy.meets(named.name, needed):
        raise UsageError(f"level {options.level} is weaker than {needed}, which policy asks for")
    return policy.level_for(evaluation.decision, named.name) if needed is not None else named
