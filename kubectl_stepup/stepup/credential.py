"""`credential` off the fast path: find the session again, or step up from a static kubeconfig entry."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.errors import CredentialWithheld, LoginNeeded, NotEnrolled
from kubectl_stepup.kubeconfig.exec_credential import names_ca_file, parse, render, withheld_reason
from kubectl_stepup.stepup.elevate import session_for
from kubectl_stepup.stepup.evaluate import enrol_again
from kubectl_stepup.stepup.execute import Wish, wish_in
from kubectl_stepup.stepup.request import session_id_of
from kubectl_stepup.stepup.reuse import reusable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubectl_stepup.config.model import Cluster, Config
    from kubectl_stepup.kubeconfig.exec_credential import ExecInfo
    from kubectl_stepup.policy.model import Level, Policy
    from kubectl_stepup.stepup.elevate import ElevatePorts
    from kubectl_stepup.stepup.request import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialPorts:
    """What `credential` needs of the outside. `elevate` never asks where `environ` says that `exec` started us.

    `wants_cluster` says whether the kubeconfig's entry for a session id has `provideClusterInfo: true`; entries of ours
    that are in no kubeconfig have it.
    """

    config: Config
    policy: Policy
    environ: Mapping[str, str]
    scope: str
    elevate: Callable[[], ElevatePorts]
    wants_cluster: Callable[[str], bool]


def credential(session_id: str, ports: CredentialPorts) -> str:
    """Return the ExecCredential JSON for a session, after proof that it goes to the enrolled server.

    Under `exec` nobody is asked: the session was made before kubectl started. A static entry may ask at /dev/tty
    where the level keeps sessions and asks for no reason.

    Raises:
        CredentialWithheld: client-go names no server, or another one than was enrolled.
        NotEnrolled: no enrolled cluster and level have this session id.
        LoginNeeded: there is no session, and nobody can or may be asked.
    """
    info = parse(ports.environ.get(environment.EXEC_INFO, ""))
    cluster, level = _meant(session_id, ports)
    elevate = ports.elevate()
    reason = withheld_reason(cluster.pin, info)
    if reason is not None:
        refusal = _withheld(session_id, cluster, reason, info, ports)
        elevate.recorder.refused(refusal, context=cluster.context)
        raise refusal
    asked = wish_in(
        cluster, level, ports.config, ports.policy.for_cluster(cluster.name),
        context=cluster.context, scope=ports.scope, wish=Wish(), for_credential=True,
    )  # fmt: skip
    _require_may_ask(asked, elevate, ports.environ)
    session = session_for(asked, elevate).session
    return render(session.token, session.credential_expires_at, info.version)


def _withheld(
    session_id: str, cluster: Cluster, reason: str, info: ExecInfo, ports: CredentialPorts
) -> CredentialWithheld:
    """Build the refusal, with what mends it: the enrolment, the kubeconfig, or another client."""
    hint = enrol_again(cluster)
    if names_ca_file(info):
        hint = "kubectl config set-cluster NAME --certificate-authority=FILE --embed-certs"
    elif info.cluster is None and ports.wants_cluster(session_id):
        reason += ", though its kubeconfig has `provideClusterInfo: true`: this client library does not send it"
        hint = f"kubectl stepup exec --context {shlex.quote(cluster.context)} -- KUBECTL ARGS"
    elif info.cluster is None:
        reason += ": the exec entry lacks `provideClusterInfo: true`"
        hint = f"kubectl stepup setup --context {shlex.quote(cluster.context)} --elevated-context NAME"
    return CredentialWithheld(f"the elevated token for {cluster.name} is withheld: {reason}", hint=hint)


def _meant(session_id: str, ports: CredentialPorts) -> tuple[Cluster, Level]:
    for cluster in ports.config.clusters:
        provider = ports.config.provider(cluster.provider)
        for level in ports.policy.usable_levels(cluster.name):
            if session_id_of(cluster, provider, level) == session_id:
                return cluster, level
    raise NotEnrolled(
        f"session {session_id} belongs to no enrolled cluster and level",
        hint="kubectl stepup setup --context NAME --elevated-context NAME",
    )


def _require_may_ask(asked: Asked, elevate: ElevatePorts, environ: Mapping[str, str]) -> None:
    """Leave asking to `exec` and `login` where a prompt from inside kubectl would be wrong."""
    if reusable(asked, elevate.store, scopes=(asked.scope,), now=elevate.moment()) is not None:
        return
    if environ.get(environment.NESTED):
        raise LoginNeeded(
            f"the elevation in {asked.cluster.name} is over", hint="repeat the command: kubectl stepup exec -- ..."
        )
    if not asked.keeps_session or asked.level.reason_required:
        raise LoginNeeded(
            f"level {asked.level.name} can only be reached for one command",
            hint=f"kubectl stepup exec --context {shlex.quote(asked.context)} -- KUBECTL ARGS",
        )
