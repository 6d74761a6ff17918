"""`login`: step up now, run nothing."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kubectl_stepup.config.model import not_enrolled
from kubectl_stepup.errors import KubectlNotExecutable, KubectlNotFound, UsageError
from kubectl_stepup.stepup.elevate import session_for
from kubectl_stepup.stepup.elevated_checks import require_safe_kubectl
from kubectl_stepup.stepup.evaluate import require_unchanged
from kubectl_stepup.stepup.request import named_level, request_in, require_reason

if TYPE_CHECKING:
    from kubectl_stepup.config.model import Cluster, Config
    from kubectl_stepup.kubeconfig.context import ResolvedContext
    from kubectl_stepup.stepup.app import App
    from kubectl_stepup.stepup.elevate import Elevation
    from kubectl_stepup.stepup.options import StepUpOptions, TargetOptions


def login(target: TargetOptions, options: StepUpOptions, app: App, *, scope: str) -> Elevation:
    """Step up in the cluster of a context (by default the current one), by default to the weakest level.

    `scope` says who may use the session: this terminal, or all of the user's.

    Raises:
        NotEnrolled, ClusterChanged: the context cannot be elevated.
        CommandRefused: others can replace kubectl.
        UsageError: the level keeps no session, so there is nothing to log in to.
        StepUpError: as `session_for` says.
    """
    resolved = app.kubeconfig(target.kubeconfig).resolve(target.context)
    cluster = require_enrolled(app.config, resolved)
    require_unchanged(cluster, resolved)
    policy = app.policy.for_cluster(cluster.name)
    level = policy.levels[0] if options.level is None else named_level(policy, options.level)
    request = request_in(
        cluster, level, policy, app, context=resolved.context, resolved=resolved, options=options, scope=scope
    )
    if not request.keeps_session:
        raise UsageError(
            f"level {level.name} is asked for each command anew: there is no session to log in to",
            hint=f"kubectl stepup exec --level {level.name} -- KUBECTL ARGS",
        )
    require_reason(request, required=False)
    if app.store.name == "memory":
        raise UsageError(
            "there is no place to keep a session: the store is memory, which ends with each command",
            hint="kubectl stepup exec -- KUBECTL ARGS",
        )
    # It reads what the cluster publishes, elevated; without one there is a session all the same.
    with suppress(KubectlNotFound, KubectlNotExecutable):
        require_safe_kubectl(app.kubectl)
    elevation = session_for(request, app)
    if not elevation.reused:
        app.refresh_policy(request, elevation, target.kubeconfig)
    return elevation


def require_enrolled(config: Config, resolved: ResolvedContext, *, hint: str | None = None) -> Cluster:
    """Return the enrolment of a context; `hint` is what to type where there is none, else how to enrol it.

    Raises:
        NotEnrolled: there is none.
    """
    cluster = config.cluster_for(resolved.context, resolved.server)
    if cluster is None:
        raise not_enrolled(resolved.context, hint=hint)
    return cluster
