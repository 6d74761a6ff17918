"""Decide: which rules a command meets, and what follows from them."""

from __future__ import annotations

from kubectl_stepup.kubectl.grammar_table import COMMANDS
from kubectl_stepup.kubectl.proxied import ANSWERED, REFUSED, hint_for
from kubectl_stepup.policy.actions import NAMES, actions_of
from kubectl_stepup.policy.decision import Decision, MatchedRule, describe
from kubectl_stepup.policy.matching import facts_match, request_matches, resolved
from kubectl_stepup.policy.model import ALLOW
from kubectl_stepup.values import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_stepup.kubectl.command import KubectlCommand
    from kubectl_stepup.kubectl.request import ResourceAttributes
    from kubectl_stepup.policy.model import Policy, Rule, Target

PROXY_REFUSED = "proxy-refused"


OUR_COMMANDS = frozenset({"login", "status", "logout", "setup", "doctor", "policy", "audit", "rbac", "demo"})
"""What people type behind an alias of `kubectl stepup exec --` and mean for us."""
OUR_OPTIONS = {
    "--config": "--config FILE",
    "--fresh": "--fresh",
    "--level": "--level NAME",
    "--no-browser": "--no-browser",
    "--no-input": "--no-input",
    "--once": "--once",
    "--policy": "--policy FILE",
    "--quiet": "-q",
    "--reason": '-r "TEXT"',
    "--verbose": "-v",
    "-q": "-q",
    "-r": '-r "TEXT"',
}
"""Options of `exec` that kubectl does not have in every command, and how they are typed before `--`."""


NO_RULE = "no rule is about this command"


class RequestFacts(Record):
    """What a rule's `where` can ask about besides the requests: of a command line, or of what the API server was sent.

    `object_count` is None where nobody knows it: then a rule about many objects counts.
    """

    all: bool = False
    force: bool = False
    dry_run: str = "none"
    object_count: int | None = None


NO_FACTS = RequestFacts()


def decide(policy: Policy, command: KubectlCommand, target: Target) -> Decision:
    """Evaluate a kubectl command that goes to `target`.

    A sensitive command that would take the elevated credential elsewhere, or hand it on, is refused at any level.

    Raises:
        PolicyError: what the target's cluster published cannot be used.
    """
    policy = policy.on(target)
    if not command.known:
        return _unknown(policy, command)
    if "runs-programs" in command.traits:
        return _programs(policy, command)
    facts = RequestFacts(
        all="all" in command.traits,
        force="force" in command.traits,
        dry_run=command.dry_run,
        object_count=command.object_count,
    )
    decision = _evaluated(policy, resolved(command, target), facts, target)
    if command.local and decision.why == NO_RULE:
        return decision.replace(why="nothing is sent to the API server")
    return decision if decision.level is None or decision.effect == "refuse" else _refused(command, decision)


def evaluate_requests(
    policy: Policy, requests: Sequence[ResourceAttributes], target: Target, facts: RequestFacts = NO_FACTS
) -> Decision:
    """Evaluate requests, whoever sends them: a command line, an admission review or an audit event.

    Every rule that matches counts and the strongest level wins; every level that one needs may ask for a reason.
    `facts` are what rules can ask about besides the requests. Without them nothing is forced, nothing is a dry run, and
    the number of objects is unknown.

    Raises:
        PolicyError: what the target's cluster published cannot be used.
    """
    return _evaluated(policy.on(target), requests, facts, target)


def _evaluated(policy: Policy, requests: Sequence[ResourceAttributes], facts: RequestFacts, target: Target) -> Decision:
    by_request = [(entry, actions_of(entry)) for entry in requests]
    at = range(len(policy.rules)) if policy.index is None else policy.index.about(target, by_request)
    found = [match for rule in map(policy.rules.__getitem__, at) if (match := _match(rule, facts, target, by_request))]
    enforced = tuple(match for match in found if match.rule.mode == "enforce")
    present = {name for _, names in by_request for name in names}
    level = max({match.rule.needs for match in enforced}, key=policy.rank, default=None)
    decision = Decision(
        effect="stepup" if enforced else "allow",
        level=level,
        rules=enforced,
        warned=tuple(match for match in found if match.rule.mode == "warn"),
        audited=tuple(match for match in found if match.rule.mode == "audit"),
        requests=tuple(requests),
        actions=tuple(name for name in NAMES if name in present),
        why=_why(found, level),
        reason_required=any(
            match.rule.reason_required or policy.level(match.rule.needs).reason_required for match in enforced
        ),
    )
    if level in policy.added and not _is_one_clusters(enforced, target):
        return _without_order(decision)
    return decision


def _is_one_clusters(enforced: Sequence[MatchedRule], target: Target) -> bool:
    """Whether all rules are one cluster's own, which says how its levels compare."""
    publishers = {match.rule.published for match in enforced}
    needs = {match.rule.needs for match in enforced}
    return len(publishers) == 1 and None not in publishers and (target.cluster is not None or len(needs) == 1)


def _without_order(decision: Decision) -> Decision:
    """Refuse a command of which two rules need levels that nobody on this machine has put in an order."""
    theirs = next(match.rule for match in decision.rules if match.rule.needs == decision.level)
    by = (theirs.published, theirs.needs)
    other = next(match.rule for match in decision.rules if (match.rule.published, match.rule.needs) != by)
    return decision.replace(
        effect="refuse",
        code="levels-without-order",
        why=f"rule {theirs.label} needs level {theirs.needs}, rule {other.label} needs {other.needs}, and "
        "your policy does not say which of the two is stronger",
        hint=f"put level {theirs.needs} into the levels of your policy, in its place among them",
    )


def _match(
    rule: Rule,
    facts: RequestFacts,
    target: Target,
    by_request: Sequence[tuple[ResourceAttributes, frozenset[str]]],
) -> MatchedRule | None:
    if not facts_match(rule.where, facts):
        return None
    requests = []
    actions: frozenset[str] = frozenset()
    for entry, names in by_request:
        if request_matches(rule, entry, names, target):
            requests.append(entry)
            actions |= rule.actions & names
    if not requests:
        return None
    return MatchedRule.of_values((rule, tuple(requests), tuple([name for name in NAMES if name in actions])))


def _why(found: Sequence[MatchedRule], level: str | None) -> str:
    if not found:
        return NO_RULE
    deciding = [match for match in found if level is None or (match.rule.mode, match.rule.needs) == ("enforce", level)]
    match = deciding[0]
    by = f" ({', '.join(match.actions)})" if match.actions else ""
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    only = "" if level is not None else f", in {match.rule.mode} mode only"
    return f"{describe(match)} meets rule {match.rule.label}{by}{more}{only}"


def _unknown(policy: Policy, command: KubectlCommand) -> Decision:
    """Decide about a word that is no kubectl command: the policy may name it, but not what a kuberc makes of it."""
    word = _foreign_word(command)
    entry = policy.commands.get(word) if word is not None and "kuberc" not in command.traits else None
    if entry == ALLOW:
        return Decision(effect="allow", why=f"the policy's commands allow {word!r}")
    if entry is not None:
        also = policy.also_needed.get(word or "", ())
        decision = Decision(
            effect="stepup",
            level=entry,
            why=f"the policy's commands give {word!r} the level {entry}",
            reason_required=any(policy.level(name).reason_required for name in (entry, *also)),
            also_needed=also,
        )
        return _refused(command, decision)
    return _refusal(
        "unknown-command", f"{command.problem}: the policy cannot tell what it would do", hint=_unknown_hint(command)
    )


def _foreign_word(command: KubectlCommand) -> str | None:
    """Return the first word unless it is kubectl's own command: then its flags or subcommands are the unknown ones."""
    return next((word for word in command.path[:1] if word not in COMMANDS), None)


def _unknown_hint(command: KubectlCommand) -> str:
    if command.path == ("kubectl",):
        return "leave out the word kubectl after --"
    if "kuberc" in command.traits:
        return "leave out --kuberc, or run it with kubectl itself, without elevation"
    for name, typed in OUR_OPTIONS.items():
        if f"unknown flag '{name}'" in (command.problem or ""):
            return f"kubectl stepup exec {typed} -- {' '.join(command.path)} ..."
    word = _foreign_word(command)
    if word in OUR_COMMANDS:
        return f"kubectl stepup {word}"
    if word is not None and (meant := _near(word)) is not None:
        return f"kubectl stepup exec -- {meant} ..."
    if word is not None:
        return "run it with kubectl itself, without elevation, or name its first word under commands in the policy"
    return " ".join(("kubectl", *command.path, "--help"))


def _near(word: str) -> str | None:
    """Return kubectl's command that somebody who typed `word` may have meant."""
    from difflib import get_close_matches  # only for a command that is refused

    names = [name for name in COMMANDS if " " not in name]
    return next(iter(get_close_matches(word, names, n=1, cutoff=0.8)), None)


def _programs(policy: Policy, command: KubectlCommand) -> Decision:
    if policy.commands.get(command.path[0]) == ALLOW:
        return Decision(effect="allow", why=f"the policy's commands allow {command.path[0]!r}")
    return _refusal(
        "runs-programs",
        f"kubectl {command.name} with these flags runs programs that the kustomization names",
        hint="run it with kubectl itself, without elevation",
    )


def _refusal(code: str, message: str, *, hint: str | None = None) -> Decision:
    return Decision(effect="refuse", why=message, code=code, hint=hint)


def _refused(command: KubectlCommand, decision: Decision) -> Decision:
    """Refuse what an elevated credential must never do, and say what is answered in kubectl's place."""
    refusal = _never_elevated(command, decision.level)
    if refusal is None:
        return decision if command.read_path is None else decision.replace(why=f"{decision.why}; {ANSWERED}")
    code, message = refusal
    hint = hint_for(decision.requests) if code == PROXY_REFUSED else None
    return decision.replace(effect="refuse", code=code, why=message, hint=hint)


def _never_elevated(command: KubectlCommand, level: str | None) -> tuple[str, str] | None:
    """Return code and message where the command would take the elevated credential elsewhere, or hand it on."""
    if command.starts_proxy:
        return PROXY_REFUSED, "kubectl proxy is not run elevated: everybody who reaches its port would be"
    if command.redirecting:
        flags = ", ".join(command.redirecting)
        return (
            "redirecting-flags",
            f"{flags} in a command that needs level {level}: the elevated token goes to nobody else",
        )
    if command.reaches_proxy and command.read_path is None:
        return PROXY_REFUSED, f"kubectl {command.name} is not run elevated: {REFUSED}"
    if command.local:
        return (
            "kubeconfig-refused",
            f"kubectl {command.name} --raw shows the kubeconfig's credentials and is not run elevated",
        )
    if "completion" in command.traits:
        return "completion-refused", "completion does not ask for a step-up"
    return None
