"""`doctor`: one thing wrong at a time, each with what to type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from kubectl_stepup.config.model import Config, Provider
from kubectl_stepup.errors import ConfigError, KubeconfigError, KubectlNotFound, PolicyError, ProviderUnreachable
from kubectl_stepup.kubeconfig.context import ResolvedContext
from kubectl_stepup.oidc.metadata import ProviderMetadata
from kubectl_stepup.oidc.requirement import Evidence
from kubectl_stepup.stepup.doctor import DoctorPorts, diagnose
from kubectl_stepup.trusted_file import Untrusted
from kubectl_stepup.ui.doctor_screens import FAIL, OK, WARN, Check, doctor_screen
from tests.support.values import CONFIG, POLICY, PROVIDER, RESOLVED, policy_of, repinned

OPEN = Untrusted("/opt", "can be changed by other users", "chmod go-w /opt")


@dataclass(kw_only=True)
class Machine:
    """A machine on which all is well, but for what a test changes."""

    programs: Sequence[str] = ("/home/alice/.local/bin/kubectl-stepup",)
    has_launcher: bool = True
    open_to_others: Untrusted | None = None
    config: Config = CONFIG
    policy: Any = POLICY
    warnings: int = 0
    notice: str | None = None
    resolved: ResolvedContext = RESOLVED
    broken: dict[str, Exception] = field(default_factory=dict)
    client: Callable[[Provider], Any] | None = None
    too_large: str | None = None

    def checks(self) -> list[Check]:
        return list(diagnose(self._ports()))

    def wrong(self) -> list[tuple[str, str]]:
        return [(one.name, one.state) for one in self.checks() if one.state != OK]

    def _ports(self) -> DoctorPorts:
        return DoctorPorts(
            too_large=lambda resolved: self.too_large,
            version="1.2.3",
            has_launcher=self.has_launcher,
            programs=lambda: self.programs,
            kubectl=self,  # type: ignore[arg-type]
            config=lambda: self._give("config", self.config),
            policy=lambda: self._give("policy", self.policy),
            warnings=lambda: self.warnings,
            store=lambda: ("kernel", self.notice),
            record=lambda: self._give("record", "/home/alice/audit.jsonl"),
            kubeconfig=lambda: self,  # type: ignore[arg-type,return-value]
            client=self.client,
            usable_algorithms=lambda document, algorithms: tuple(algorithms),
        )

    def _give(self, name: str, value: Any) -> Any:
        if name in self.broken:
            raise self.broken[name]
        return value

    def path(self) -> str:
        """Stand in for the kubectl port."""
        found: str = self._give("kubectl", "/usr/bin/kubectl")
        return found

    def writable_by_others(self) -> Untrusted | None:
        """Stand in for the kubectl port."""
        return self.open_to_others

    def resolve(self, context: str | None) -> ResolvedContext:
        """Stand in for the kubeconfig port."""
        assert context == "prod"
        found: ResolvedContext = self._give("kubeconfig", self.resolved)
        return found


def test_all_is_well_and_the_server_line_is_there() -> None:
    checks = Machine(policy=policy_of("rules:\n  - {name: m, do: [delete], where: {all: true}, needs: mfa}\n")).checks()

    assert [(one.name, one.state) for one in checks] == [
        *((name, OK) for name in ("plugin", "kubectl", "config", "policy", "store", "record")),
        *((name, OK) for name in ("prod-eu", "prod-eu", "corp")),
    ]
    assert checks[7].detail == (
        "SERVER by the client alone: m (delete); proof of the rest: kubectl stepup policy verify --cluster prod-eu"
    )


@pytest.mark.parametrize(("has_launcher", "said"), [(True, "with its"), (False, "without a")])
def test_whether_credentials_are_answered_natively_is_said(has_launcher: bool, said: str) -> None:
    plugin = Machine(has_launcher=has_launcher).checks()[0]
    assert (plugin.state, plugin.detail) == (OK, f"1.2.3 /home/alice/.local/bin/kubectl-stepup, {said} native launcher")


def test_a_policy_that_the_server_can_hold_whole() -> None:
    checks = Machine().checks()
    assert checks[7].detail.startswith("SERVER it can enforce every rule; ")


def with_provider(**changes: Any) -> Config:
    return replace(CONFIG, providers=(replace(PROVIDER, **changes),))


WRONG: dict[str, tuple[Machine, list[tuple[str, str]], str]] = {
    "no plugin": (Machine(programs=()), [("plugin", WARN)], "put the directory of kubectl-stepup into PATH"),
    "a longer name": (
        Machine(programs=("/a/kubectl-stepup", "/tmp/kubectl-stepup-exec")),
        [("plugin", WARN)],
        "rm /tmp/kubectl-stepup-exec   (unless it is yours)",
    ),
    "no kubectl": (
        Machine(broken={"kubectl": KubectlNotFound("kubectl is not on PATH", hint="get one")}),
        [("kubectl", FAIL)],
        "get one",
    ),
    "anybody's kubectl": (Machine(open_to_others=OPEN), [("kubectl", FAIL)], "chmod go-w /opt"),
    "a bad config": (
        Machine(broken={"config": ConfigError("config.yaml:3: no", hint="fix it")}),
        [("config", FAIL)],
        "fix it",
    ),
    "nothing enrolled": (
        Machine(config=replace(CONFIG, clusters=())),
        [("config", WARN)],
        "kubectl stepup setup --issuer URL --client-id ID",
    ),
    "a policy with warnings": (Machine(warnings=2), [("policy", WARN)], "kubectl stepup policy lint"),
    "no store": (
        Machine(notice="Not remembering"),
        [("store", WARN)],
        "set store in the config: keyring, kernel or file",
    ),
    "no context": (
        Machine(broken={"kubeconfig": KubeconfigError("context 'prod' is not there", hint="look")}),
        [("prod-eu", FAIL)],
        "look",
    ),
    "another server": (
        Machine(resolved=repinned(RESOLVED, server="https://evil.example.com")),
        [("prod-eu", FAIL)],
        "kubectl stepup setup --context prod --provider corp",
    ),
    "nothing proves a level": (
        Machine(config=with_provider(evidence={"mfa": Evidence(acr=("gold",)), "strong": Evidence(acr=("phr",))})),
        [("prod-eu", WARN)],
        "kubectl stepup setup --context prod --evidence critical:acr=VALUE",
    ),
    "one client": (
        Machine(config=with_provider(elevated_client_id="kubectl")),
        [("corp", WARN)],
        "kubectl stepup setup --elevated-client-id ID   (of a client of its own)",
    ),
}


@pytest.mark.parametrize(("machine", "wrong", "fix"), WRONG.values(), ids=WRONG)
def test_one_thing_wrong(machine: Machine, wrong: list[tuple[str, str]], fix: str) -> None:
    assert machine.wrong() == wrong
    assert [one.fix for one in machine.checks() if one.state != OK] == [fix]


def test_a_policy_that_does_not_load_takes_what_stands_on_it_along() -> None:
    wrong = Machine(broken={"policy": PolicyError("policy.yaml:3: no")}).wrong()

    assert wrong == [("policy", FAIL), ("prod-eu", FAIL), ("prod-eu", FAIL)]


class Answering:
    """A provider that answers, or does not."""

    clock_ahead_s = None

    def __init__(self, problem: Exception | None = None) -> None:
        self._problem = problem

    def metadata(self) -> ProviderMetadata:
        """Stand in for the provider."""
        if self._problem is not None:
            raise self._problem
        document = {
            "issuer": PROVIDER.issuer,
            "token_endpoint": f"{PROVIDER.issuer}/token",
            "jwks_uri": f"{PROVIDER.issuer}/keys",
            "device_authorization_endpoint": f"{PROVIDER.issuer}/device",
            "acr_values_supported": ["pwd", "mfa"],
        }
        return ProviderMetadata.from_document(document, issuer=PROVIDER.issuer)

    def algorithms(self, enrolled: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Stand in for the provider."""
        return self.metadata().accepted_algorithms(enrolled)

    def jwks(self) -> dict[str, object]:
        """Stand in for the provider."""
        return {"keys": []}


def test_the_provider_is_asked_only_when_wanted() -> None:
    assert Machine().checks()[-1].detail == "https://login.example.com, not asked (--online asks it)"
    assert Machine(client=lambda _: Answering()).checks()[-1].detail == (
        "https://login.example.com answers, has a device endpoint and a key that can be used; acr values: pwd, mfa"
    )
    unreachable = Machine(client=lambda _: Answering(ProviderUnreachable("it is away", hint="wait")))
    assert unreachable.wrong() == [("corp", FAIL)]


def test_the_screen() -> None:
    checks = (
        Check(name="kubectl", state=OK, detail="/usr/bin/kubectl"),
        Check(name="store", state=WARN, detail="none\x1b[2J", fix="do this"),
    )
    assert doctor_screen(checks) == (
        "[ok]     kubectl   /usr/bin/kubectl\n"
        "[warn]   store     none\\u{1b}[2J\n"
        "         fix       do this\n"
        "0 failed, 1 warning"
    )


def test_too_many_ca_certificates_are_said() -> None:
    (check,) = [one for one in Machine(too_large="they are too many").checks() if "too many" in one.detail]
    assert (check.state, check.detail) == (WARN, "they are too many")
    assert "--certificate-authority=FILE" in check.fix
