"""The main road: run a evaluated command as it is, or step up and run it elevated with a record of both ends."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.audit.redaction import redacted
from kubectl_stepup.errors import CommandRefused, KubeconfigError, NotEnrolled, ProxyRefused, StepUpError
from kubectl_stepup.kubeconfig.overlay import USER_PREFIX
from kubectl_stepup.kubectl.captured_input import NOTHING, SOURCES
from kubectl_stepup.kubectl.command_line import csv_value
from kubectl_stepup.kubectl.variables import own_environment
from kubectl_stepup.sanitise import safe
from kubectl_stepup.stepup.elevate import session_for
from kubectl_stepup.stepup.elevated_checks import require_own_credentials, require_safe_kubectl, require_safe_plugin
from kubectl_stepup.stepup.evaluate import Flags, require_unchanged, with_flags
from kubectl_stepup.stepup.max_duration import TIME_UP, limit_of
from kubectl_stepup.stepup.ports import CapturedFile
from kubectl_stepup.stepup.prepared_run import prepared_run
from kubectl_stepup.stepup.request import require_reason
from kubectl_stepup.ui.notices import (
    differ_unused_line,
    overlay_lost_line,
    policy_warning_line,
    unenrolled_line,
)
from kubectl_stepup.ui.quoted_text import quoted_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from kubectl_stepup.config.model import Cluster
    from kubectl_stepup.kubeconfig.context import ResolvedContext
    from kubectl_stepup.kubectl.captured_input import CapturedInput
    from kubectl_stepup.stepup.elevate import ElevatePorts, Elevation
    from kubectl_stepup.stepup.evaluate import Evaluation
    from kubectl_stepup.stepup.ports import Kubectl, ProxyReader, RunDirectory
    from kubectl_stepup.stepup.prepared_run import PreparedRun
    from kubectl_stepup.stepup.request import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPorts:
    """What a run needs of the outside, beside what stepping up needs.

    `run_directory` makes a directory for the files of a run. `hand_over(directory, keeps_session)` prepares a way to
    hand a session over, and yields what gives the credential command for one; `keeps_session` says that the store may
    serve instead. `captured_file(content, place)` gives kubectl what was read from a place. `large_ca` gives the CA
    certificates that are too many for client-go to tell the credential plugin, None where they are not. `editor` (its
    words) and `differ` (None: there is none) are our own programs that become the person's, with the everyday login.
    `refresh_policy` looks what the cluster publishes (flows.published), by the kubeconfig of a flag. `proxy_reader`
    reads through a proxy subresource, where kubectl would send the token after a redirect.
    """

    elevate: ElevatePorts
    kubectl: Kubectl
    environ: Mapping[str, str]
    kubeconfig_files: Callable[[str | None], Sequence[str]]
    run_directory: Callable[[], AbstractContextManager[RunDirectory]]
    hand_over: Callable[[str, bool], AbstractContextManager[Callable[[Elevation], Sequence[str]]]]
    captured_file: Callable[[bytes, str], AbstractContextManager[CapturedFile]]
    large_ca: Callable[[ResolvedContext], bytes | None]
    editor: Sequence[str]
    differ: str | None
    refresh_policy: Callable[[Cluster, ResolvedContext, Elevation, str | None], None]
    proxy_reader: Callable[[Cluster, ResolvedContext], ProxyReader]


def run(
    evaluation: Evaluation, asked: Asked | None, *, unenrolled: str, captured: CapturedInput, ports: RunPorts
) -> int:
    """Run an evaluated command and return its exit code; an allowed one without input takes our place.

    `asked` is the step-up request, None for a command that needs none or a context that is not enrolled; `captured` is
    the captured input: kubectl gets what was evaluated.

    Raises:
        StepUpError: nothing was run.
    """
    decision = evaluation.decision
    ports.elevate.terminal.detail(_detail(evaluation))
    elsewhere = evaluation.cluster is None and decision.level is not None
    if decision.effect == "refuse" and not elsewhere:
        kind = ProxyRefused if decision.code == ProxyRefused.code else CommandRefused
        refusal = kind(decision.why, hint=decision.hint or _explain(evaluation))
        _record(evaluation, refusal, ports)
        raise refusal
    for warning in decision.warnings:
        ports.elevate.terminal.line(policy_warning_line(warning))
    if decision.warned and asked is None:
        for line in quoted_lines(decision.messages):
            ports.elevate.terminal.line(line)
    if asked is not None:
        return _run_elevated(evaluation, asked, captured, ports)
    if decision.effect != "allow":
        _unenrolled(evaluation, unenrolled, ports)
    if decision.audited or ports.environ.get(environment.NESTED):
        # Inside an elevated command it is elevated as well, by that command's overlay.
        ports.elevate.recorder.allowed(
            context=_context_name(evaluation),
            command=evaluation.argv,
            rules=[match.rule.label for match in decision.audited],
        )
    environ = own_environment(ports.environ)
    if captured == NOTHING:
        return ports.kubectl.replace(evaluation.argv, environ)
    with ExitStack() as stack:
        unnamed = ("context",) if evaluation.command.context == "" else ()
        argv, pass_fds = _with_captured(evaluation, captured, unnamed, stack, ports)
        argv = _in_context(argv, evaluation)
        return ports.kubectl.run(argv, environ, pass_fds=pass_fds, stdin=captured.stdin)


def _in_context(argv: tuple[str, ...], evaluation: Evaluation) -> tuple[str, ...]:
    """Return the words with the context that was evaluated: reading input takes time, in which another may become it.

    Where nothing is read kubectl starts at once, and its words stay as they were typed.
    """
    if evaluation.resolved is None or evaluation.command.context:
        return argv
    return with_flags(argv, evaluation.command.replace(context=None), Flags(context=evaluation.resolved.context))


def _unenrolled(evaluation: Evaluation, unenrolled: str, ports: RunPorts) -> None:
    """Let a sensitive command go to a cluster that is not enrolled, with a line.

    Raises:
        KubeconfigError: nobody knows where it goes.
        NotEnrolled: the config forbids it.
        KubectlNotFound, KubectlNotExecutable: there is no kubectl.
    """
    name = _context_name(evaluation)
    try:
        if evaluation.unresolved is not None:
            unread = evaluation.unresolved
            raise KubeconfigError(
                f"{unread.message}: refused, as the command may go to an enrolled cluster",
                hint=unread.hint,
                details=unread.details,
            )
        if unenrolled == "refuse":
            raise NotEnrolled(
                f"context {name or '<none>'} is not enrolled, and the config refuses sensitive commands there",
                hint=f"kubectl stepup setup --context {shlex.quote(name or 'NAME')} --issuer URL --client-id ID",
            )
    except StepUpError as refusal:
        _record(evaluation, refusal, ports)
        raise
    ports.kubectl.path()  # no kubectl: that is the thing to say
    ports.elevate.terminal.line(unenrolled_line(name))


def _run_elevated(evaluation: Evaluation, asked: Asked, captured: CapturedInput, ports: RunPorts) -> int:
    """Prepare everything, ask, put the session in, run."""
    resolved = evaluation.resolved
    if resolved is None:  # an enrolled cluster is found through its context
        raise NotEnrolled(f"cluster {asked.cluster.name} has no context")
    with ExitStack() as stack:
        try:
            _require_allowed_to_ask(evaluation, asked, resolved, ports)
            prepared, start = _prepared(evaluation, asked, resolved, captured, stack, ports)
        except StepUpError as refusal:  # nobody has been asked for anything yet
            _record(evaluation, refusal, ports, asked)
            raise
        if evaluation.command.path == ("diff",) and ports.environ.get(environment.EXTERNAL_DIFF) and not ports.differ:
            ports.elevate.terminal.line(differ_unused_line())
        elevation = session_for(asked, ports.elevate)
        if elevation.reused:  # else they stood below the prompt
            for line in quoted_lines(evaluation.decision.messages):
                ports.elevate.terminal.line(line)
        else:
            _refresh_policy(evaluation, asked, resolved, elevation, ports)
        return _recorded(start, asked, elevation, prepared, ports)


def _require_allowed_to_ask(evaluation: Evaluation, asked: Asked, resolved: ResolvedContext, ports: RunPorts) -> None:
    require_own_credentials(evaluation)
    require_unchanged(asked.cluster, resolved)
    require_safe_kubectl(ports.kubectl)
    require_safe_plugin(evaluation, ports.kubectl)
    require_reason(asked, required=evaluation.decision.reason_required, tickets=evaluation.decision.tickets)


def _prepared(
    evaluation: Evaluation,
    asked: Asked,
    resolved: ResolvedContext,
    captured: CapturedInput,
    stack: ExitStack,
    ports: RunPorts,
) -> tuple[PreparedRun | None, Callable[..., int]]:
    """Return what is ready but for the session, and what then starts; None: our own reader, which needs no overlay."""
    if evaluation.command.read_path is not None:
        return None, partial(ports.proxy_reader(asked.cluster, resolved).read, evaluation.command.read_path)
    flag = evaluation.command.kubeconfig
    prepared = stack.enter_context(
        prepared_run(resolved, flag, asked.level.name, ports, keeps_session=asked.keeps_session)
    )
    # With `--kubeconfig` kubectl would not look at `$KUBECONFIG`, where the overlay is.
    argv, pass_fds = _with_captured(evaluation, captured, ("kubeconfig",), stack, ports)
    inherited = (prepared.directory.lock, *pass_fds)
    return prepared, partial(ports.kubectl.run, argv, pass_fds=inherited, stdin=captured.stdin)


def _refresh_policy(
    evaluation: Evaluation, asked: Asked, resolved: ResolvedContext, elevation: Elevation, ports: RunPorts
) -> None:
    try:
        ports.refresh_policy(asked.cluster, resolved, elevation, evaluation.command.kubeconfig)
    except StepUpError as refusal:
        _record(evaluation, refusal, ports, asked)
        raise


def _recorded(
    start: Callable[..., int], asked: Asked, elevation: Elevation, prepared: PreparedRun | None, ports: RunPorts
) -> int:
    """Start kubectl under the overlay, or our own reader (`prepared` None), with a record of both ends.

    Returns:
        the exit code.

    """
    recorder, session, terminal = ports.elevate.recorder, elevation.session, ports.elevate.terminal
    program = "this program itself" if prepared is None else f"kubectl: {ports.kubectl.path()}"
    terminal.detail(f"{program}, as {USER_PREFIX}{session.level}")
    audit_id = recorder.run_started(asked, session, reused=elevation.reused, audit_id=elevation.audit_id)
    limit = limit_of(asked.level, terminal)
    try:
        if prepared is None:
            exit_code = start(session, limit=limit)
        else:
            exit_code = start(environ=prepared.elevated(elevation, audit_id), limit=limit)
    except StepUpError as failure:
        recorder.run_failed(asked, session, failure, audit_id=audit_id)
        raise
    lost = None if prepared is None else prepared.directory.lost()
    if lost is not None:
        terminal.line(overlay_lost_line(lost))
        recorder.run_lost_overlay(asked, session, audit_id=audit_id, exit_code=exit_code)
        return exit_code
    if limit is not None and limit.over:
        recorder.run_timed_out(asked, session, audit_id=audit_id, exit_code=TIME_UP)
        return TIME_UP
    recorder.run_ended(asked, session, audit_id=audit_id, reused=elevation.reused, exit_code=exit_code)
    return exit_code


def _with_captured(
    evaluation: Evaluation, captured: CapturedInput, without: tuple[str, ...], stack: ExitStack, ports: RunPorts
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return kubectl's words without some flags, and with the captured input in place of what was read.

    With them come the descriptors that kubectl must inherit.
    """
    line = evaluation.command.line
    if captured.objects is not None:
        place = evaluation.command.manifests[0] if len(evaluation.command.manifests) == 1 else ""
        file = stack.enter_context(ports.captured_file(captured.objects, place))
        return line.written(without=(*without, *SOURCES), adding=[("filename", file.path)]), file.pass_fds
    if captured.streams:
        files = [
            CapturedFile(path=csv_value(place)) if read is None else stack.enter_context(ports.captured_file(read, ""))
            for place, read in zip(line.all("filename"), captured.streams, strict=True)
        ]
        argv = line.written(without=(*without, "filename"), adding=[("filename", file.path) for file in files])
        return argv, tuple(number for file in files for number in file.pass_fds)
    return (line.written(without=without) if any(map(line.all, without)) else evaluation.argv), ()


def _record(evaluation: Evaluation, refusal: StepUpError, ports: RunPorts, asked: Asked | None = None) -> None:
    ports.elevate.recorder.refused(
        refusal,
        asked=asked,
        context=_context_name(evaluation),
        command=evaluation.argv,
        rules=evaluation.decision.rule_labels,
    )


def _detail(evaluation: Evaluation) -> str:
    decision = evaluation.decision
    cluster = evaluation.cluster.name if evaluation.cluster else "none enrolled"
    level = f" {decision.level}" if decision.level else ""
    return f"policy: {decision.effect}{level}; {safe(decision.why, 500)}; cluster: {safe(cluster, 80)}"


def _context_name(evaluation: Evaluation) -> str | None:
    return evaluation.command.context or (evaluation.resolved.context if evaluation.resolved else None)


def _explain(evaluation: Evaluation) -> str:
    return f"kubectl stepup policy explain -- {shlex.join(redacted(evaluation.argv))}"
