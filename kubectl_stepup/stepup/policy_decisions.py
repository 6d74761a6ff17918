"""`policy check`, `explain` and `test`: what policy says of a command; nothing is run, nobody is asked."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from kubectl_stepup.durations import duration
from kubectl_stepup.enforce.served import served
from kubectl_stepup.errors import PolicyError
from kubectl_stepup.kubectl.command import read
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.explain import explain
from kubectl_stepup.policy.folding import folded
from kubectl_stepup.policy.policy_tests import cases_from, verdict
from kubectl_stepup.sanitise import safe
from kubectl_stepup.stepup.evaluate import evaluate, parse
from kubectl_stepup.stepup.sessions import StoredSessions, live_sessions
from kubectl_stepup.ui.quoted_text import quoted_lines
from kubectl_stepup.yaml_edit import yaml_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_stepup.policy.decision import Decision
    from kubectl_stepup.policy.policy_tests import Verdict
    from kubectl_stepup.policy.quoted_text import QuotedText
    from kubectl_stepup.stepup.app import App
    from kubectl_stepup.stepup.evaluate import Evaluation
    from kubectl_stepup.stepup.options import TargetOptions


def check_command(words: Sequence[str], target: TargetOptions, app: App) -> Evaluation:
    """Evaluate the kubectl command line `words`; `target` has the flags from before `--`."""
    evaluation, _ = evaluate(*parse(words, target), app)
    return evaluation


def run_policy_tests(file: str, app: App) -> tuple[Verdict, ...]:
    """Evaluate every case of a file of kind PolicyTest; what it says of the target is all that is known of it.

    Raises:
        PolicyError: the file or the policy does not load.
    """
    policy = app.policy
    verdicts = []
    for case in cases_from(yaml_file.read(file, error=PolicyError), policy):
        command, _ = app.expand(read(case.words))
        target = case.target.replace(namespace=command.namespace or case.target.namespace)
        verdicts.append(verdict(case, decide(policy, command, target)))
    return tuple(verdicts)


def explain_command(words: Sequence[str], target: TargetOptions, app: App) -> str:
    """Return what a command would do, what policy says and by which rule, and what this terminal's session lacks."""
    evaluation = check_command(words, target, app)
    context = evaluation.resolved.context if evaluation.resolved else evaluation.command.context
    lines = [
        *explain(app.policy, evaluation.command, evaluation.decision, evaluation.target, context=context),
        *(("MESSAGE", line) for line in quoted_lines(_texts(evaluation.decision))),
        *_session_lines(evaluation, app),
        *_server_lines(evaluation),
    ]
    if evaluation.cluster is None and evaluation.decision.effect == "stepup":
        note = f"; not asked for: {_why_not(evaluation)}"
        lines = [(label, text + note if label == "DECISION" else text) for label, text in lines]
    width = max(len(label) for label, _ in lines)
    return "\n".join(f"{label:<{width}}   {safe(text, 2000)}" for label, text in lines)


def _texts(decision: Decision) -> tuple[QuotedText, ...]:
    """Return what the rules' authors wrote: their messages, and the tickets that clusters want."""
    return (*decision.messages, *(ticket for ticket in decision.tickets if ticket.cluster is not None))


def _server_lines(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Return what the policy becomes on the server for each rule that the command meets; nobody is asked."""
    decision, cluster = evaluation.decision, evaluation.cluster
    matches = (*decision.rules, *decision.warned, *decision.audited)
    listed = folded(match.rule for match in matches)
    found = [served(match) for match in matches if match.rule in listed]
    if cluster is None or not found:
        return []
    lines = [f"{one.rule}: {one.words}" if len(found) > 1 else one.words for one in found]
    lines.append(f"so it is compiled; proof: kubectl stepup policy verify --cluster {shlex.quote(cluster.name)}")
    return [("SERVER", line) for line in lines]


def _why_not(evaluation: Evaluation) -> str:
    return "the context is not enrolled" if evaluation.unresolved is None else evaluation.unresolved.message


def _session_lines(evaluation: Evaluation, app: App) -> list[tuple[str, str]]:
    decision, cluster = evaluation.decision, evaluation.cluster
    if decision.effect != "stepup" or decision.level is None:
        return []
    if evaluation.unresolved is not None:
        return [("SESSION", "refused: nobody knows whether it goes to an enrolled cluster")]
    if cluster is None:
        return [("SESSION", "the context is not enrolled: runs with your everyday login")]
    policy = app.policy.on(evaluation.target)
    needed = policy.level(decision.level)
    lacking = ""
    for live in live_sessions((cluster,), StoredSessions.of(app)):
        left = duration(live.session.credential_expires_at - app.moment().wall)
        if not policy.meets(live.level.name, needed.name):
            lacking = (
                f"live at level {live.level.name} for {left}, which is weaker than {needed.name}: you would be asked"
            )
        elif needed.ask_again_after_s:
            return [("SESSION", f"live at level {live.level.name} for {left}: you would not be asked")]
        else:
            lacking = (
                f"live at level {live.level.name}, but {needed.name} is asked for every command: you would be asked"
            )
    return [("SESSION", lacking or f"none at level {needed.name}: you would be asked")]
