"""`policy verify`: prove on the live server, without effect, that it enforces the policy in force."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.enforce import names
from kubectl_stepup.enforce.verify.findings import STATES, Login
from kubectl_stepup.errors import InteractionRequired, StepUpError
from kubectl_stepup.stepup.elevate import Elevation, session_for
from kubectl_stepup.stepup.elevated_checks import require_safe_kubectl
from kubectl_stepup.stepup.evaluate import require_unchanged
from kubectl_stepup.stepup.execute import Wish, named_level, wish_in
from kubectl_stepup.stepup.prepared_run import elevated_child
from kubectl_stepup.stepup.request import require_reason
from kubectl_stepup.stepup.reuse import reusable
from kubectl_stepup.stepup.verify_checks import Scene, everything

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from kubectl_stepup.config.model import Cluster, Config
    from kubectl_stepup.enforce.bundle import Bundle, Request
    from kubectl_stepup.enforce.verify.answers import Answer
    from kubectl_stepup.enforce.verify.findings import Finding
    from kubectl_stepup.kubeconfig.context import ResolvedContext
    from kubectl_stepup.policy.model import Level, Policy
    from kubectl_stepup.sessions.stored_session import Moment
    from kubectl_stepup.stepup.ports import Kubeconfig
    from kubectl_stepup.stepup.request import Asked
    from kubectl_stepup.stepup.run import RunPorts
    from kubectl_stepup.stepup.verify_samples import Ask

REQUEST_TIMEOUT = "--request-timeout=20s"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeWith:
    """The choices by which the objects were compiled; None is what the objects on the cluster say.

    `break_glass` "" is nobody. `elevated_proxy` False keeps elevated logins from proxy subresources.
    """

    break_glass: str | None = None
    token_life_s: int | None = None
    elevated_proxy: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What is to be looked at: `levels` to step up to, None for those with a session to reuse."""

    cluster: Cluster
    levels: tuple[str, ...] | None = None
    kubeconfig: str | None = None
    wish: Wish = field(default_factory=Wish)
    made_with: MadeWith = field(default_factory=MadeWith)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyPorts:
    """What verifying needs of the outside.

    `answer(words, environ, stdin)` runs kubectl; `compiled` compiles the policy in force for a cluster;
    `parse` reads YAML and gives None for what is none.
    """

    config: Config
    policy: Policy
    kubeconfig: Callable[[str | None], Kubeconfig]
    scope: str
    moment: Callable[[], Moment]
    run_ports: Callable[[ResolvedContext | None], RunPorts]
    answer: Callable[[Sequence[str], Mapping[str, str], str], Answer]
    compiled: Callable[[Cluster, MadeWith], tuple[Request, Bundle]]
    parse: Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was found, under which logins, and the digest of the policy in force."""

    findings: tuple[Finding, ...]
    logins: tuple[Login, ...]
    digest: str

    def as_dict(self) -> dict[str, object]:
        """Give it for `-o json`."""
        counted = {state: sum(one.state == state for one in self.findings) for state in STATES}
        return {
            "policyDigest": self.digest,
            "logins": [login.name for login in self.logins],
            "findings": [one.as_dict() for one in self.findings],
            "summary": counted,
        }


def verify(wanted: Verification, ports: VerifyPorts) -> Verified:
    """Look at the server under the everyday login and the elevated ones.

    Raises:
        KubeconfigError, ClusterChanged: the enrolled context is not there, or is another cluster.
        LoginNeeded: the everyday login is not accepted, or a step-up failed.
        KubectlFailed: the server could not be asked.
    """
    resolved = ports.kubeconfig(wanted.kubeconfig).resolve(wanted.cluster.context)
    require_unchanged(wanted.cluster, resolved)
    ports = replace(ports, policy=ports.policy.for_cluster(wanted.cluster.name))
    run_ports = ports.run_ports(resolved)
    with ExitStack() as stack:
        logins = {Login(level=None): _everyday(wanted, ports, run_ports)}
        for level in _levels(wanted, ports.policy):
            elevated = _elevated(level, wanted, resolved, ports, run_ports)
            if elevated is not None:
                logins[Login(level=level.name, rank=ports.policy.rank(level.name))] = stack.enter_context(elevated)
        scene = Scene(cluster=wanted.cluster.name, namespace=resolved.namespace or "default", asking=logins)
        found, digest = everything(
            scene, lambda said: ports.compiled(wanted.cluster, _made_with(wanted, said)), ports.parse
        )
    return Verified(findings=found, logins=tuple(logins), digest=digest)


def _made_with(wanted: Verification, said: Mapping[str, str]) -> MadeWith:
    """Return what the command line says, else what the published policy's annotations say."""
    given = wanted.made_with
    life = said.get(names.TOKEN_LIFETIME, "")
    is_number = life.isascii() and life.isdigit() and len(life) < 10
    no_proxy = given.elevated_proxy is False or said.get(names.ELEVATED_PROXY) == names.REFUSED
    return MadeWith(
        break_glass=said.get(names.BREAK_GLASS, "") if given.break_glass is None else given.break_glass,
        token_life_s=int(life) if given.token_life_s is None and is_number else given.token_life_s,
        elevated_proxy=False if no_proxy else given.elevated_proxy,
    )


def _levels(wanted: Verification, policy: Policy) -> tuple[Level, ...]:
    if wanted.levels is None:
        return policy.levels
    chosen = [named_level(policy, name) for name in wanted.levels]
    return tuple(level for level in policy.levels if level in chosen)


def _everyday(wanted: Verification, ports: VerifyPorts, run_ports: RunPorts) -> Ask:
    # The person's own environment, but for what would add flags to our words.
    environ = {**run_ports.environ, environment.KUBERC: "off", environment.KUBECTL_KUBERC: "false"}
    # A flag and not the variable, in which no name with a colon can stand.
    own = () if wanted.kubeconfig is None else (f"--kubeconfig={wanted.kubeconfig}",)
    return _asking(wanted, ports, environ, own)


def _asking(wanted: Verification, ports: VerifyPorts, environ: Mapping[str, str], more: tuple[str, ...] = ()) -> Ask:
    def ask(words: Sequence[str], stdin: str = "") -> Answer:
        own = (*more, f"--context={wanted.cluster.context}", REQUEST_TIMEOUT)
        return ports.answer((*words, *own), environ, stdin)

    return ask


def _elevated(
    level: Level, wanted: Verification, resolved: ResolvedContext, ports: VerifyPorts, run_ports: RunPorts
) -> AbstractContextManager[Ask] | None:
    """Return a way to ask as somebody at a level; None where there is no session and nobody wanted one."""
    evidence = ports.config.provider(wanted.cluster.provider).evidence_of(level.name)
    if wanted.levels is None and evidence is None:
        return None
    asked = _asked(level, wanted, resolved, ports)
    elevation = _reused(asked, ports, run_ports)
    if elevation is None and wanted.levels is not None:
        elevation = _stepped_up(asked, wanted, run_ports)
    if elevation is None:
        return None
    return _asking_elevated(asked, elevation, wanted, resolved, ports, run_ports)


def _asked(level: Level, wanted: Verification, resolved: ResolvedContext, ports: VerifyPorts) -> Asked:
    return wish_in(
        wanted.cluster,
        level,
        ports.config,
        ports.policy,
        context=resolved.context,
        scope=ports.scope,
        wish=wanted.wish,
        command=("stepup", "policy", "verify", "--cluster", wanted.cluster.name),
        summary=f"look at what the server enforces, as {level.name}",
    )


def _reused(asked: Asked, ports: VerifyPorts, run_ports: RunPorts) -> Elevation | None:
    """Return this very level's session: a stronger one would show what the stronger level may."""
    found = reusable(asked, run_ports.elevate.store, scopes=(asked.scope,), now=ports.moment())
    if found is None or found.level != asked.level.name:
        return None
    return Elevation(session=found, reused=True, stored=True)


def _stepped_up(asked: Asked, wanted: Verification, run_ports: RunPorts) -> Elevation:
    require_reason(asked, required=False)
    require_safe_kubectl(run_ports.kubectl)
    try:
        # Without the stronger levels: their sessions are not this level's.
        return session_for(replace(asked, stronger=()), run_ports.elevate)
    except InteractionRequired as refusal:
        refusal.hint = f"in a terminal: kubectl stepup policy verify --cluster {wanted.cluster.name}"
        raise


@contextmanager
def _asking_elevated(
    asked: Asked,
    elevation: Elevation,
    wanted: Verification,
    resolved: ResolvedContext,
    ports: VerifyPorts,
    run_ports: RunPorts,
) -> Iterator[Ask]:
    recorder, session = run_ports.elevate.recorder, elevation.session
    audit_id = recorder.run_started(asked, session, reused=elevation.reused, audit_id=elevation.audit_id)
    try:
        with elevated_child(resolved, elevation, wanted.kubeconfig, run_ports) as environ:
            yield _asking(wanted, ports, environ)
    except StepUpError as failure:
        recorder.run_failed(asked, session, failure, audit_id=audit_id)
        raise
    recorder.run_ended(asked, session, audit_id=audit_id, reused=elevation.reused, exit_code=0)
