"""One wish to be elevated: where, how strongly, for what."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from kubectl_stepup.errors import CommandRefused, ConfigError
from kubectl_stepup.oidc.requirement import StepUpRequirement
from kubectl_stepup.policy.levels import SHORTEST_WINDOW_S
from kubectl_stepup.policy.model import label_of
from kubectl_stepup.sessions.session import session_id
from kubectl_stepup.ui.quoted_text import quoted

if TYPE_CHECKING:
    from kubectl_stepup.config.model import Cluster, Provider
    from kubectl_stepup.policy.model import Level
    from kubectl_stepup.policy.quoted_text import QuotedText


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A wish to be elevated in one cluster to one level.

    `stronger` are the policy's stronger levels, weakest first: their sessions serve too. `command` is kubectl's
    arguments (empty for a plain login), `scope` the store scope that a new session gets. `rules` are the names of this
    machine's rules; `published_rules` are the clusters and names of published ones, which are shown apart.
    """

    cluster: Cluster
    provider: Provider
    level: Level
    stronger: tuple[Level, ...]
    context: str
    scope: str
    command: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    published_rules: tuple[tuple[str, str], ...] = ()
    messages: tuple[QuotedText, ...] = ()
    summary: str = ""
    reason: str | None = None
    fresh: bool = False
    once: bool = False
    browser: bool = True
    for_credential: bool = False

    @property
    def session_id(self) -> str:
        """Return the id of the session that this wish leads to."""
        return self.session_id_at(self.level)

    def session_id_at(self, level: Level) -> str:
        """Return the id of this cluster's session at another level."""
        return session_id_of(self.cluster, self.provider, level)

    @property
    def rule_labels(self) -> tuple[str, ...]:
        """The names of all rules, published ones with their cluster: for the record and for programs."""
        return (*self.rules, *(label_of(name, by) for by, name in self.published_rules))

    @property
    def keeps_session(self) -> bool:
        """Whether the approval serves later commands too."""
        return not self.once and self.level.ask_again_after_s > 0


def session_id_of(cluster: Cluster, provider: Provider, level: Level) -> str:
    """Return the session id for one cluster and level."""
    return session_id(
        issuer=provider.issuer,
        client=provider.elevated_client_id,
        account=cluster.account,
        cluster=cluster.name,
        level=level.name,
    )


def requirement_for(asked: Asked) -> StepUpRequirement:
    """Join what policy asks (times) and what the config knows of the provider (evidence).

    Raises:
        ConfigError: the provider has no evidence for the level, or the server's window is too short: nothing could
            prove it.
    """
    evidence = asked.provider.evidence_of(asked.level.name)
    if evidence is None:
        raise ConfigError(
            f"provider {asked.provider.name} has no evidence for level {asked.level.name}: nothing could prove it",
            hint=f"kubectl stepup setup --context {shlex.quote(asked.context)} --evidence {asked.level.name}:acr=VALUE",
        )
    window, by = asked.level.server_window_s, asked.level.window_by
    if window is not None and window < SHORTEST_WINDOW_S:
        said = "" if by is None else f", as cluster {by} publishes it"
        raise ConfigError(
            f"level {asked.level.name} in {asked.cluster.name} has a serverWindow of {window}s{said}: no token that a "
            f"person can get is so young; {SHORTEST_WINDOW_S}s is the least",
            hint="kubectl stepup policy lint"
            if by is None
            else f"kubectl stepup policy forget --cluster {shlex.quote(by)}",
        )
    return StepUpRequirement(
        level=asked.level.name,
        evidence=evidence,
        signed_in_within_s=asked.level.signed_in_within_s,
        server_window_s=window,
        window_by=by,
        auth_time=asked.provider.preset.auth_time,
        account_claim=asked.provider.account_claim,
        account=asked.cluster.account,
        fresh=asked.fresh,
    )


def require_reason(asked: Asked, *, required: bool, tickets: tuple[QuotedText, ...] = ()) -> None:
    """Refuse a wish without a reason where policy wants one for the record; a word of it must match each ticket glob.

    Raises:
        CommandRefused: says what is missing.
    """
    reason = (asked.reason or "").strip()
    if (required or tickets or asked.level.reason_required) and not reason:
        raise CommandRefused(
            f"level {asked.level.name} asks for a reason",
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
