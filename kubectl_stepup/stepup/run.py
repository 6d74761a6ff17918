"""`exec`: run a kubectl command as it is, or step up and run it elevated with an audit event at both ends."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.audit.redaction import redacted
from kubectl_stepup.config.model import not_enrolled
from kubectl_stepup.errors import CommandRefused, ConfigError, KubeconfigError, ProxyRefused, StepUpError
from kubectl_stepup.kubeconfig.overlay import USER_PREFIX
from kubectl_stepup.kubectl.captured_file import CapturedFile
from kubectl_stepup.kubectl.captured_input import NOTHING, SOURCES
from kubectl_stepup.kubectl.command_line import csv_value
from kubectl_stepup.kubectl.variables import own_environment
from kubectl_stepup.sanitise import safe
from kubectl_stepup.stepup.elevate import session_for
from kubectl_stepup.stepup.elevated_checks import require_own_credentials, require_safe_kubectl, require_safe_plugin
from kubectl_stepup.stepup.evaluate import evaluate, parse, require_unchanged, with_flags
from kubectl_stepup.stepup.max_duration import TIME_UP, MaxDuration
from kubectl_stepup.stepup.prepared_run import prepared_run
from kubectl_stepup.stepup.request import request_of, require_reason
from kubectl_stepup.ui.notices import differ_unused_line, overlay_lost_line, policy_warning_line, unenrolled_line
from kubectl_stepup.ui.quoted_text import quoted_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kubectl_stepup.kubectl.captured_input import CapturedInput
    from kubectl_stepup.kubectl.time_limit import TimeLimit
    from kubectl_stepup.stepup.app import App
    from kubectl_stepup.stepup.elevate import Elevation
    from kubectl_stepup.stepup.evaluate import Evaluation
    from kubectl_stepup.stepup.options import StepUpOptions, TargetOptions
    from kubectl_stepup.stepup.prepared_run import PreparedRun
    from kubectl_stepup.stepup.request import StepUpRequest


def run(words: Sequence[str], target: TargetOptions, options: StepUpOptions, app: App) -> int:
    """Run the kubectl command line `words` and return its exit code; an allowed one without input takes our place.

    Raises:
        StepUpError: nothing was run.
    """
    argv, command = parse(words, target)
    try:
        _ = app.config, app.policy
    except ConfigError:
        if command.known and command.local:  # it sends nothing: no policy is needed for that
            app.kubectl.replace(argv, app.environ)
        raise
    evaluation, captured = evaluate(argv, command, app, online=True)
    request = request_of(evaluation, options, app)
    app.terminal.detail(_detail(evaluation))
    _refuse_what_policy_refuses(evaluation, app)
    _show_warnings(evaluation, request, app)
    if request is None:
        return _run_unelevated(evaluation, captured, app)
    with ExitStack() as stack:
        try:  # whatever can fail is tried before a person is asked
            _require_elevatable(evaluation, request, app)
            prepared, start = _prepared(evaluation, request, captured, stack, app)
        except StepUpError as refusal:
            app.recorder.refused(refusal, request=request)
            raise
        elevation = session_for(request, app)  # reused, or the person is asked
        if elevation.reused:  # else the messages stood below the prompt
            _show_messages(evaluation, app)
        else:
            _refresh_policy(evaluation, request, elevation, app)
        audit_id = app.recorder.run_started(request, elevation)
        duration = _duration_of(request, app)
        try:
            exit_code = start(elevation, audit_id, limit=None if duration is None else duration.limit)
        except StepUpError as failure:
            app.recorder.run_failed(request, elevation.session, failure, audit_id=audit_id)
            raise
        result = None
        if prepared is not None and (lost := prepared.directory.lost()) is not None:
            app.terminal.line(overlay_lost_line(lost))
            result = "overlay-lost"
        elif duration is not None and duration.over:
            exit_code, result = TIME_UP, "timed-out"
        app.recorder.run_ended(request, elevation, audit_id=audit_id, exit_code=exit_code, result=result)
        return exit_code


def _refuse_what_policy_refuses(evaluation: Evaluation, app: App) -> None:
    decision = evaluation.decision
    elsewhere = evaluation.cluster is None and decision.level is not None
    if decision.effect == "refuse" and not elsewhere:
        kind = ProxyRefused if decision.code == ProxyRefused.code else CommandRefused
        explain = f"kubectl stepup policy explain -- {shlex.join(redacted(evaluation.argv))}"
        refusal = kind(decision.why, hint=decision.hint or explain)
        _record_refusal(evaluation, refusal, app)
        raise refusal


def _show_warnings(evaluation: Evaluation, request: StepUpRequest | None, app: App) -> None:
    for warning in evaluation.decision.warnings:
        app.terminal.line(policy_warning_line(warning))
    if evaluation.decision.warned and request is None:
        _show_messages(evaluation, app)


def _show_messages(evaluation: Evaluation, app: App) -> None:
    for line in quoted_lines(evaluation.decision.messages):
        app.terminal.line(line)


def _run_unelevated(evaluation: Evaluation, captured: CapturedInput, app: App) -> int:
    """Run a command as it is: an allowed one, or a sensitive one on a cluster that is not enrolled."""
    if evaluation.decision.effect != "allow":
        _let_unenrolled(evaluation, app)
    if evaluation.decision.audited or app.environ.get(environment.NESTED):
        # Inside an elevated command it is elevated as well, by that command's overlay.
        app.recorder.allowed(
            context=evaluation.context_name,
            command=evaluation.argv,
            rules=[match.rule.label for match in evaluation.decision.audited],
        )
    environ = own_environment(app.environ)
    if captured == NOTHING:
        return app.kubectl.replace(evaluation.argv, environ)
    with ExitStack() as stack:
        unnamed = ("context",) if evaluation.command.context == "" else ()
        argv, pass_fds = _with_captured(evaluation, captured, unnamed, stack, app)
        if evaluation.resolved is not None and not evaluation.command.context:
            # Reading input takes time, in which another context may become the current one.
            argv = with_flags(argv, {"context": evaluation.resolved.context})
        return app.kubectl.run(argv, environ, pass_fds=pass_fds, stdin=captured.stdin)


def _let_unenrolled(evaluation: Evaluation, app: App) -> None:
    """Let a sensitive command go to a cluster that is not enrolled, with a line.

    Raises:
        KubeconfigError: nobody knows where it goes.
        NotEnrolled: the config forbids it.
        KubectlNotFound, KubectlNotExecutable: there is no kubectl.
    """
    name = evaluation.context_name
    try:
        if evaluation.unresolved is not None:
            unread = evaluation.unresolved
            raise KubeconfigError(
                f"{unread.message}: refused, as the command may go to an enrolled cluster",
                hint=unread.hint,
                details=unread.details,
            )
        if app.config.unenrolled == "refuse":
            raise not_enrolled(name, ", and the config refuses sensitive commands there")
    except StepUpError as refusal:
        _record_refusal(evaluation, refusal, app)
        raise
    app.kubectl.path()  # no kubectl: that is the thing to say
    app.terminal.line(unenrolled_line(name))


def _require_elevatable(evaluation: Evaluation, request: StepUpRequest, app: App) -> None:
    require_own_credentials(evaluation)
    require_unchanged(request.cluster, request.required_context)
    require_safe_kubectl(app.kubectl)
    require_safe_plugin(evaluation, app.kubectl)
    require_reason(request, required=evaluation.decision.reason_required, tickets=evaluation.decision.tickets)


def _prepared(
    evaluation: Evaluation, request: StepUpRequest, captured: CapturedInput, stack: ExitStack, app: App
) -> tuple[PreparedRun | None, Callable[..., int]]:
    """Return what is ready but for the session, and what then starts; None: our own reader, which needs no overlay."""
    command = evaluation.command
    if command.read_path is not None:
        reader, path = app.proxy_reader(request), command.read_path

        def read(elevation: Elevation, _: str, *, limit: TimeLimit | None) -> int:
            app.terminal.detail(f"this program itself, as {USER_PREFIX}{elevation.session.level}")
            return reader.read(path, elevation.session, limit=limit)

        return None, read
    prepared = stack.enter_context(
        prepared_run(request, command.kubeconfig, app, level=request.level.name, keeps_session=request.keeps_session)
    )
    # With `--kubeconfig` kubectl would not look at `$KUBECONFIG`, where the overlay is.
    argv, pass_fds = _with_captured(evaluation, captured, ("kubeconfig",), stack, app)
    if command.path == ("diff",) and app.environ.get(environment.EXTERNAL_DIFF) and not app.differ:
        app.terminal.line(differ_unused_line())

    def start(elevation: Elevation, audit_id: str, *, limit: TimeLimit | None) -> int:
        app.terminal.detail(f"kubectl: {app.kubectl.path()}, as {USER_PREFIX}{elevation.session.level}")
        environ = prepared.elevated(elevation, audit_id)
        fds = (prepared.directory.lock, *pass_fds)
        return app.kubectl.run(argv, environ, pass_fds=fds, stdin=captured.stdin, limit=limit)

    return prepared, start


def _refresh_policy(evaluation: Evaluation, request: StepUpRequest, elevation: Elevation, app: App) -> None:
    try:
        app.refresh_policy(request, elevation, evaluation.command.kubeconfig)
    except StepUpError as refusal:
        app.recorder.refused(refusal, request=request)
        raise


def _duration_of(request: StepUpRequest, app: App) -> MaxDuration | None:
    """Return the limit of the level; None: its commands may run as long as they want."""
    max_duration_s = request.level.max_duration_s
    return None if max_duration_s is None else MaxDuration(request.level.name, max_duration_s, app)


def _with_captured(
    evaluation: Evaluation, captured: CapturedInput, without: tuple[str, ...], stack: ExitStack, app: App
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return kubectl's words without some flags, and with the captured input in place of what was read.

    With them come the descriptors that kubectl must inherit.
    """
    line = evaluation.command.line
    if captured.objects is not None:
        place = evaluation.command.manifests[0] if len(evaluation.command.manifests) == 1 else ""
        file = stack.enter_context(app.kubectl.captured_file(captured.objects, place))
        return line.written(without=(*without, *SOURCES), adding=[("filename", file.path)]), file.pass_fds
    if captured.streams:
        files = [
            CapturedFile(path=csv_value(place))
            if read is None
            else stack.enter_context(app.kubectl.captured_file(read, ""))
            for place, read in zip(line.all("filename"), captured.streams, strict=True)
        ]
        argv = line.written(without=(*without, "filename"), adding=[("filename", file.path) for file in files])
        return argv, tuple(number for file in files for number in file.pass_fds)
    return (line.written(without=without) if any(map(line.all, without)) else evaluation.argv), ()


def _record_refusal(evaluation: Evaluation, refusal: StepUpError, app: App) -> None:
    app.recorder.refused(
        refusal,
        context=evaluation.context_name,
        command=evaluation.argv,
        rules=evaluation.decision.rule_labels,
    )


def _detail(evaluation: Evaluation) -> str:
    decision = evaluation.decision
    cluster = evaluation.cluster.name if evaluation.cluster else "none enrolled"
    level = f" {decision.level}" if decision.level else ""
    return f"policy: {decision.effect}{level}; {safe(decision.why, 500)}; cluster: {safe(cluster, 80)}"
