"""The main road: run a judged command as it is, or step up and run it elevated with a record of both ends."""

from __future__ import annotations

import shlex
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.audit.redaction import redacted
from kubectl_stepup.errors import CommandRefused, NotEnrolled, StepUpError
from kubectl_stepup.flows.asked import require_reason
from kubectl_stepup.flows.elevate import session_for
from kubectl_stepup.flows.judge import require_unchanged
from kubectl_stepup.flows.longest import TIME_UP, limit_of
from kubectl_stepup.kube.overlay import USER_PREFIX, elevated_environment, overlay_document
from kubectl_stepup.policy.spool import SOURCES
from kubectl_stepup.terminal.notices import policy_warning_line, unenrolled_line
from kubectl_stepup.terminal.quoted_text import quoted_lines
from kubectl_stepup.terminal.sanitise import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from kubectl_stepup.config.model import Cluster
    from kubectl_stepup.flows.asked import Asked
    from kubectl_stepup.flows.elevate import ElevatePorts, Elevation
    from kubectl_stepup.flows.judge import Judgement
    from kubectl_stepup.flows.longest import Longest
    from kubectl_stepup.flows.ports import Kubectl, LentFile, LentSession
    from kubectl_stepup.kube.context import ResolvedContext
    from kubectl_stepup.policy.spool import Spool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPorts:
    """What a run needs of the outside, beside what stepping up needs.

    `lend_file` gives the child a kubeconfig or manifests and `lend_session` a way to the session, for as long as their
    contexts last. `refresh_policy` looks what the cluster publishes (flows.published), by the kubeconfig of a flag.
    """

    elevate: ElevatePorts
    kubectl: Kubectl
    environ: Mapping[str, str]
    kubeconfig_files: Callable[[str | None], Sequence[str]]
    lend_file: Callable[[bytes], AbstractContextManager[LentFile]]
    lend_session: Callable[[Elevation], AbstractContextManager[LentSession]]
    refresh_policy: Callable[[Cluster, ResolvedContext, Elevation, str | None], None]


def run(judgement: Judgement, asked: Asked | None, *, unenrolled: str, spool: Spool, ports: RunPorts) -> int:
    """Run a judged command and give its exit code; a routine one takes our place and never returns.

    `asked` is the wish to be elevated, None for a command that needs none or a context that is not enrolled; `spool`
    is what was read to judge the command: kubectl gets the same.

    Raises:
        StepUpError: nothing was run.
    """
    decision = judgement.decision
    ports.elevate.terminal.detail(_detail(judgement))
    elsewhere = judgement.cluster is None and decision.level is not None
    if decision.effect == "refuse" and not elsewhere:
        refusal = CommandRefused(decision.why, hint=decision.hint or _explain(judgement))
        _record(judgement, refusal, ports)
        raise refusal
    for warning in decision.warnings:
        ports.elevate.terminal.line(policy_warning_line(warning))
    if decision.warned and asked is None:
        for line in quoted_lines(decision.messages):
            ports.elevate.terminal.line(line)
    if asked is not None:
        return _run_elevated(judgement, asked, spool, ports)
    if decision.effect != "allow":
        _unenrolled(judgement, unenrolled, ports)
    if decision.audited:
        ports.elevate.recorder.allowed(
            context=_context_name(judgement),
            command=judgement.argv,
            rules=[match.rule.label for match in decision.audited],
        )
    if spool.fetched or spool.stdin is not None:
        with ExitStack() as stack:
            # Files may keep their names in kubectl's messages: nothing is at stake that is not the caller's anyway.
            argv, descriptors = _inputs(judgement, spool.objects if spool.fetched else None, (), stack, ports)
            return ports.kubectl.run(argv, ports.environ, pass_fds=descriptors, stdin=spool.stdin)
    return ports.kubectl.replace(judgement.argv, ports.environ)


def _unenrolled(judgement: Judgement, unenrolled: str, ports: RunPorts) -> None:
    name = _context_name(judgement)
    if unenrolled == "refuse":
        refusal = NotEnrolled(
            f"context {name or '<none>'} is not enrolled, and the config refuses sensitive commands there",
            hint=f"kubectl stepup setup --context {shlex.quote(name or 'NAME')} --issuer URL --client-id ID",
        )
        _record(judgement, refusal, ports)
        raise refusal
    ports.kubectl.path()  # no kubectl: that is the thing to say
    ports.elevate.terminal.line(unenrolled_line(name))


def _run_elevated(judgement: Judgement, asked: Asked, spool: Spool, ports: RunPorts) -> int:
    resolved = judgement.resolved
    if resolved is None:  # an enrolled cluster is found through its context
        raise NotEnrolled(f"cluster {asked.cluster.name} has no context")
    decision = judgement.decision
    try:
        require_own_credentials(judgement)
        require_unchanged(asked.cluster, resolved)
        require_safe_kubectl(ports)
        require_reason(asked, required=decision.reason_required, tickets=decision.tickets)
    except StepUpError as refusal:  # nobody has been asked for anything yet
        _record(judgement, refusal, ports, asked)
        raise
    elevation = session_for(asked, ports.elevate)
    if elevation.reused:  # else they stood below the prompt
        for line in quoted_lines(decision.messages):
            ports.elevate.terminal.line(line)
    else:
        _refresh_policy(judgement, asked, resolved, elevation, ports)
    ports.elevate.terminal.detail(f"kubectl: {ports.kubectl.path()}, as {USER_PREFIX}{elevation.session.level}")
    recorder = ports.elevate.recorder
    session = elevation.session
    audit_id = recorder.run_started(asked, session, reused=elevation.reused, audit_id=elevation.audit_id)
    limit = limit_of(asked.level, ports.elevate.terminal)
    try:
        exit_code = _child(judgement, resolved, limit, elevation, spool, ports)
    except StepUpError as failure:
        recorder.run_failed(asked, session, failure, audit_id=audit_id)
        raise
    if limit is not None and limit.over:
        recorder.run_timed_out(asked, session, audit_id=audit_id, exit_code=TIME_UP)
        return TIME_UP
    recorder.run_ended(asked, session, audit_id=audit_id, reused=elevation.reused, exit_code=exit_code)
    return exit_code


def _refresh_policy(
    judgement: Judgement, asked: Asked, resolved: ResolvedContext, elevation: Elevation, ports: RunPorts
) -> None:
    try:
        ports.refresh_policy(asked.cluster, resolved, elevation, judgement.command.kubeconfig)
    except StepUpError as refusal:
        _record(judgement, refusal, ports, asked)
        raise


def _child(
    judgement: Judgement,
    resolved: ResolvedContext,
    limit: Longest | None,
    elevation: Elevation,
    spool: Spool,
    ports: RunPorts,
) -> int:
    """Run kubectl under the overlay and give its exit code."""
    with elevated_child(resolved, elevation, judgement.command.kubeconfig, ports) as child, ExitStack() as stack:
        # With `--kubeconfig` kubectl would not look at `$KUBECONFIG`, where the overlay is.
        argv, descriptors = _inputs(judgement, spool.objects, ("kubeconfig",), stack, ports)
        return ports.kubectl.run(
            argv,
            child.environ,
            stdin=spool.stdin,
            pass_fds=(*child.pass_fds, *descriptors),
            limit=limit,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevatedChild:
    """What makes a kubectl an elevated one: its environment, and the descriptors that it must inherit."""

    environ: Mapping[str, str]
    pass_fds: tuple[int, ...]


@contextmanager
def elevated_child(
    resolved: ResolvedContext, elevation: Elevation, kubeconfig: str | None, ports: RunPorts
) -> Iterator[ElevatedChild]:
    """Lend a session to the children of the block; `kubeconfig` is the flag of that name."""
    with ExitStack() as stack:
        lent = stack.enter_context(ports.lend_session(elevation))
        document = overlay_document(
            resolved,
            user_name=f"{USER_PREFIX}{elevation.session.level}",
            exec_command=lent.credential_command[0],
            exec_args=lent.credential_command[1:],
        )
        overlay = stack.enter_context(ports.lend_file(document))
        environ = elevated_environment(
            ports.environ,
            overlay_path=overlay.path,
            kubeconfig_files=ports.kubeconfig_files(kubeconfig),
            session_id=elevation.session.id,
        )
        yield ElevatedChild(environ=environ, pass_fds=overlay.pass_fds)


def _inputs(
    judgement: Judgement, objects: bytes | None, without: tuple[str, ...], stack: ExitStack, ports: RunPorts
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Give kubectl's words without some flags, and the descriptors that go with them.

    `objects` take the place of the manifests, whatever became of their files since these were judged.
    """
    line = judgement.command.line
    if objects is None:
        return (line.written(without=without) if any(map(line.all, without)) else judgement.argv), ()
    lent = stack.enter_context(ports.lend_file(objects))
    return line.written(without=(*without, *SOURCES), adding=[("filename", lent.path)]), lent.pass_fds


def require_own_credentials(judgement: Judgement) -> None:
    """Refuse what would change who calls, or send the elevated token to somebody else.

    Raises:
        CommandRefused: names every such flag.
    """
    command = judgement.command
    if command.edits_kubeconfig:
        raise CommandRefused(
            f"kubectl {command.name} cannot be stepped up: it would write into the kubeconfig of this one run",
            hint=f"kubectl stepup exec -- {command.name} ...",
        )
    if command.redirecting:
        raise CommandRefused(
            f"{', '.join(command.redirecting)} cannot stand in a stepped-up command: the elevated token is for the "
            "enrolled cluster and account alone",
            hint="repeat the command without it, or run kubectl itself with your everyday login",
        )
    if command.starts_proxy:
        raise CommandRefused(
            "kubectl proxy cannot be stepped up: every local program could use its port",
            hint="kubectl stepup exec -- get --raw PATH",
        )


def require_safe_kubectl(ports: RunPorts) -> None:
    """Refuse a kubectl that others can replace: whoever does would act with the elevation."""
    open_to_others = ports.kubectl.writable_by_others()
    if open_to_others is not None:
        raise CommandRefused(
            f"{open_to_others} can be written by other users, so the kubectl in it is not run elevated",
            hint=f"chmod o-w {open_to_others}",
        )


def _record(judgement: Judgement, refusal: StepUpError, ports: RunPorts, asked: Asked | None = None) -> None:
    ports.elevate.recorder.refused(
        refusal,
        asked=asked,
        context=_context_name(judgement),
        command=judgement.argv,
        rules=judgement.decision.rule_labels,
    )


def _detail(judgement: Judgement) -> str:
    decision = judgement.decision
    cluster = judgement.cluster.name if judgement.cluster else "none enrolled"
    level = f" {decision.level}" if decision.level else ""
    return f"policy: {decision.effect}{level}; {safe(decision.why, 500)}; cluster: {safe(cluster, 80)}"


def _context_name(judgement: Judgement) -> str | None:
    return judgement.command.context or (judgement.resolved.context if judgement.resolved else None)


def _explain(judgement: Judgement) -> str:
    return f"kubectl stepup policy explain -- {shlex.join(redacted(judgement.argv))}"
