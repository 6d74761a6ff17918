"""`credential` off the fast path: find the session again, or step up from a static kubeconfig entry."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.errors import CredentialWithheld, KubeconfigError, LoginNeeded, NotEnrolled
from kubectl_stepup.kubeconfig.exec_credential import names_ca_file, parse, render, withheld_reason
from kubectl_stepup.stepup.elevate import session_for
from kubectl_stepup.stepup.evaluate import enrol_again
from kubectl_stepup.stepup.request import request_in, session_id_of
from kubectl_stepup.stepup.reuse import reusable

if TYPE_CHECKING:
    from kubectl_stepup.config.model import Cluster
    from kubectl_stepup.kubeconfig.exec_credential import ExecInfo
    from kubectl_stepup.policy.model import Level
    from kubectl_stepup.stepup.app import App
    from kubectl_stepup.stepup.request import StepUpRequest


def credential(session_id: str, app: App) -> str:
    """Return the ExecCredential JSON for a session, after proof that it goes to the enrolled server.

    Under `exec` nobody is asked: the session was made before kubectl started. A static entry may ask at /dev/tty
    where the level keeps sessions and asks for no reason.

    Raises:
        CredentialWithheld: client-go names no server, or another one than was enrolled.
        NotEnrolled: no enrolled cluster and level have this session id.
        LoginNeeded: there is no session, and nobody can or may be asked.
    """
    info = parse(app.environ.get(environment.EXEC_INFO, ""))
    cluster, level = _meant(session_id, app)
    reason = withheld_reason(cluster.pin, info)
    if reason is not None:
        refusal = _withheld(session_id, cluster, reason, info, app)
        app.recorder.refused(refusal, context=cluster.context)
        raise refusal
    policy = app.policy.for_cluster(cluster.name)
    request = request_in(cluster, level, policy, app, for_credential=True)
    _require_may_ask(request, app)
    session = session_for(request, app).session
    return render(session.token, session.credential_expires_at, info.version)


def _withheld(session_id: str, cluster: Cluster, reason: str, info: ExecInfo, app: App) -> CredentialWithheld:
    """Build the refusal, with what mends it: the enrolment, the kubeconfig, or another client."""
    hint = enrol_again(cluster)
    if names_ca_file(info):
        hint = "kubectl config set-cluster NAME --certificate-authority=FILE --embed-certs"
    elif info.cluster is None and _wants_cluster(session_id, app):
        reason += ", though its kubeconfig has `provideClusterInfo: true`: this client library does not send it"
        hint = f"kubectl stepup exec --context {shlex.quote(cluster.context)} -- KUBECTL ARGS"
    elif info.cluster is None:
        reason += ": the exec entry lacks `provideClusterInfo: true`"
        hint = f"kubectl stepup setup --context {shlex.quote(cluster.context)} --elevated-context NAME"
    return CredentialWithheld(f"the elevated token for {cluster.name} is withheld: {reason}", hint=hint)


def _meant(session_id: str, app: App) -> tuple[Cluster, Level]:
    for cluster in app.config.clusters:
        provider = app.config.provider(cluster.provider)
        for level in app.policy.usable_levels(cluster.name):
            if session_id_of(cluster, provider, level) == session_id:
                return cluster, level
    raise NotEnrolled(
        f"session {session_id} belongs to no enrolled cluster and level",
        hint="kubectl stepup setup --context NAME --elevated-context NAME",
    )


def _require_may_ask(request: StepUpRequest, app: App) -> None:
    """Leave asking to `exec` and `login` where a prompt from inside kubectl would be wrong."""
    if reusable(request, app.store, scopes=(request.scope,), now=app.moment()) is not None:
        return
    if app.environ.get(environment.NESTED):
        raise LoginNeeded(
            f"the elevation in {request.cluster.name} is over", hint="repeat the command: kubectl stepup exec -- ..."
        )
    if not request.keeps_session or request.level.reason_required:
        raise LoginNeeded(
            f"level {request.level.name} can only be reached for one command",
            hint=f"kubectl stepup exec --context {shlex.quote(request.context)} -- KUBECTL ARGS",
        )


def _wants_cluster(session_id: str, app: App) -> bool:
    """Whether the kubeconfig's entry for a session asks for the cluster; the overlay of `exec` is in no kubeconfig."""
    try:
        users = app.whole_kubeconfig(None).users.values()
    except KubeconfigError:
        return True
    entries = [entry for user in users if isinstance(entry := user.value.get("exec"), dict)]
    ours = [entry for entry in entries if isinstance(entry.get("args"), list) and session_id in entry["args"]]
    return all(entry.get("provideClusterInfo") is True for entry in ours)
