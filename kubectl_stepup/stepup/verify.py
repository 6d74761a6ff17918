"""`policy verify`: prove on the live server, without effect, that it enforces the policy in force."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.enforce import names
from kubectl_stepup.enforce.verify import answers, checks, read_back
from kubectl_stepup.enforce.verify.kubectl_as import KubectlAs
from kubectl_stepup.enforce.verify.results import STATES, Login
from kubectl_stepup.errors import ConfigError, InteractionRequired, StepUpError
from kubectl_stepup.stepup.compile import CompileOptions, compile_policy
from kubectl_stepup.stepup.elevate import Elevation, session_for
from kubectl_stepup.stepup.elevated_checks import require_safe_kubectl
from kubectl_stepup.stepup.evaluate import require_unchanged
from kubectl_stepup.stepup.options import StepUpOptions
from kubectl_stepup.stepup.prepared_run import elevated_child
from kubectl_stepup.stepup.request import named_level, request_in, require_reason
from kubectl_stepup.stepup.reuse import reusable
from kubectl_stepup.yaml_edit import yaml_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubectl_stepup.config.model import Cluster
    from kubectl_stepup.enforce.verify.results import VerifyResult
    from kubectl_stepup.policy.model import Level, Policy
    from kubectl_stepup.stepup.app import App
    from kubectl_stepup.stepup.request import StepUpRequest

REQUEST_TIMEOUT = "--request-timeout=20s"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """What to check: `levels` are those to step up to, None those with a session to reuse.

    `break_glass` ("" is nobody), `token_life_s` and `elevated_proxy` are the choices by which the objects were
    compiled; None is what the objects on the cluster say.
    """

    cluster: Cluster
    levels: tuple[str, ...] | None = None
    kubeconfig: str | None = None
    step_up: StepUpOptions = field(default_factory=StepUpOptions)
    break_glass: str | None = None
    token_life_s: int | None = None
    elevated_proxy: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The results, the logins under which they were found, and the digest of the policy in force."""

    results: tuple[VerifyResult, ...]
    logins: tuple[Login, ...]
    digest: str

    def as_dict(self) -> dict[str, object]:
        """Return it for `-o json`."""
        counted = {state: sum(one.state == state for one in self.results) for state in STATES}
        return {
            "policyDigest": self.digest,
            "logins": [login.name for login in self.logins],
            "findings": [one.as_dict() for one in self.results],
            "summary": counted,
        }


def verify(options: VerifyOptions, app: App) -> Verified:
    """Check the server under the everyday login and the elevated ones.

    Raises:
        KubeconfigError, ClusterChanged: the enrolled context is not there, or is another cluster.
        LoginNeeded: the everyday login is not accepted, or a step-up failed.
        KubectlFailed: the server does not say who is calling.
    """
    cluster = options.cluster
    resolved = app.kubeconfig(options.kubeconfig).resolve(cluster.context)
    require_unchanged(cluster, resolved)
    policy = app.policy.for_cluster(cluster.name)
    flags = (f"--context={cluster.context}", REQUEST_TIMEOUT)
    # A flag and not the variable, in which no name with a colon can stand. An overlay names the file itself.
    everyday_flags = flags if options.kubeconfig is None else (f"--kubeconfig={options.kubeconfig}", *flags)
    # The person's own environment, but for what would add flags to our words.
    everyday = {**app.environ, environment.KUBERC: "off", environment.KUBECTL_KUBERC: "false"}
    kubectl = KubectlAs(run=app.kubectl.answer, flags=everyday_flags, environ=everyday, trace=app.terminal.detail)
    asking = {Login(level=None): kubectl}
    with ExitStack() as stack:
        for level in _levels(options, policy, app):
            request = request_in(
                cluster,
                level,
                policy,
                app,
                context=resolved.context,
                resolved=resolved,
                options=options.step_up,
                command=("stepup", "policy", "verify", "--cluster", cluster.name),
                summary=f"look at what the server enforces, as {level.name}",
            )
            elevation = _elevation(request, options, app)
            if elevation is not None:
                environ = stack.enter_context(_elevated(request, elevation, options, app))
                login = Login(level=level.name, rank=policy.rank(level.name))
                asking[login] = kubectl.replace(flags=flags, environ=environ)

        live = checks.LiveCluster(cluster=cluster.name, namespace=resolved.namespace or "default", asking=asking)
        state = checks.read_cluster(live)
        made = compile_policy(_compile_options(options, state.annotations), app)
        published = _document(read_back.published_text(answers.document(state.published)))
        results = checks.check(live, state, made.request, made.bundle, published)
    return Verified(results=results, logins=tuple(asking), digest=made.bundle.digest)


def _levels(options: VerifyOptions, policy: Policy, app: App) -> tuple[Level, ...]:
    """Return the levels that are named, weakest first, else those that the provider can prove."""
    if options.levels is not None:
        chosen = [named_level(policy, name) for name in options.levels]
        return tuple(level for level in policy.levels if level in chosen)
    provider = app.config.provider(options.cluster.provider)
    proven = ((level, provider.evidence_of(level.name)) for level in policy.levels)
    return tuple(level for level, evidence in proven if evidence is not None)


def _elevation(request: StepUpRequest, options: VerifyOptions, app: App) -> Elevation | None:
    """Return a session at the very level, by stepping up where the level is named; None: there is no session.

    A session at a stronger level does not serve: it would show what the stronger level may.
    """
    found = reusable(request, app.store, scopes=(request.scope,), now=app.moment())
    if found is not None and found.level == request.level.name:
        return Elevation(session=found, reused=True, stored=True)
    if options.levels is None:
        return None
    require_reason(request, required=False)
    require_safe_kubectl(app.kubectl)
    try:
        return session_for(replace(request, stronger=()), app)
    except InteractionRequired as refusal:
        refusal.hint = f"in a terminal: kubectl stepup policy verify --cluster {options.cluster.name}"
        raise


@contextmanager
def _elevated(
    request: StepUpRequest, elevation: Elevation, options: VerifyOptions, app: App
) -> Iterator[Mapping[str, str]]:
    """Yield the environment of an elevated kubectl; the block is one run in the audit log."""
    audit_id = app.recorder.run_started(request, elevation)
    try:
        with elevated_child(request, elevation, options.kubeconfig, app) as environ:
            yield environ
    except StepUpError as failure:
        app.recorder.run_failed(request, elevation.session, failure, audit_id=audit_id)
        raise
    app.recorder.run_ended(request, elevation, audit_id=audit_id, exit_code=0)


def _compile_options(options: VerifyOptions, annotations: Mapping[str, str]) -> CompileOptions:
    """Return the choices of the command line, and for the others those in the annotations of the objects."""
    break_glass = annotations.get(names.BREAK_GLASS, "") if options.break_glass is None else options.break_glass
    life = annotations.get(names.TOKEN_LIFETIME, "")
    is_number = life.isascii() and life.isdigit() and len(life) < 10
    no_proxy = options.elevated_proxy is False or annotations.get(names.ELEVATED_PROXY) == names.REFUSED
    return CompileOptions(
        cluster=options.cluster.context,
        break_glass=break_glass or None,
        elevated_proxy=not no_proxy,
        token_life_s=int(life) if options.token_life_s is None and is_number else options.token_life_s,
    )


def _document(text: str | None) -> object:
    """Read the published policy's text; None where it is no YAML."""
    try:
        return None if text is None else yaml_file.plain(text.encode(), "the published policy")
    except ConfigError:
        return None
