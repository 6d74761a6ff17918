from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from kubectl_stepup.config.document import config_from, config_of, merge
from kubectl_stepup.config.model import Cluster, Config, Provider
from kubectl_stepup.errors import (
    ConfigError,
    KubeconfigError,
    PolicyError,
    ProviderError,
    ProviderUnreachable,
    StepUpError,
    TokenRejected,
    UsageError,
)
from kubectl_stepup.kubeconfig.context import ResolvedContext
from kubectl_stepup.oidc.claims import Expectation, IDTokenClaims
from kubectl_stepup.oidc.id_token import verify
from kubectl_stepup.oidc.requirement import Evidence
from kubectl_stepup.policy.model import Policy
from kubectl_stepup.secret import Secret
from kubectl_stepup.stepup.request import session_id_of
from kubectl_stepup.stepup.setup import Enrolment, EnrolPorts, FileChange, plan_enrolment, plan_removal
from kubectl_stepup.yaml_edit import yaml_file
from tests.flows import POLICY, RESOLVED, FakeProvider, policy_of
from tests.support.fakes import METADATA
from tests.support.provider.cases import good
from tests.support.values import NOW, repinned

PATH = "/home/alice/.config/kubectl-stepup/config.yaml"
KUBECONFIG = b"""\
apiVersion: v1
kind: Config
current-context: prod
clusters:
- name: prod-cluster  # the one
  cluster: {server: "https://api.prod.example.com"}
contexts:
- name: prod
  context: {cluster: prod-cluster, user: alice-everyday, namespace: shop}
users:
- name: alice-everyday
  user: {token: everyday}
"""
FIRST = Enrolment(
    issuer="https://login.example.com",
    client_id="kubectl",
    account="alice",
    evidence={level: Evidence(acr=(level,)) for level in ("mfa", "strong", "critical")},
)
LAB = repinned(RESOLVED, context="lab", server="https://lab.example.com", ca_sha256=None)


@dataclass
class Machine:
    """Files, the provider and the everyday login of one person."""

    files: dict[str, bytes] = field(default_factory=lambda: {RESOLVED.file: KUBECONFIG})
    provider: FakeProvider = field(default_factory=FakeProvider)
    policy: Policy = POLICY
    everyday: Secret | None = None
    verify: Any = verify
    notices: list[str] = field(default_factory=list)
    read_only: set[str] = field(default_factory=set)
    too_large: str | None = None
    asked_of: list[Provider] = field(default_factory=list)

    @property
    def config(self) -> Config:
        data = self.files.get(PATH)
        return config_of(None, None if data is None else yaml_file.parse(data, PATH))

    def client(self, provider: Provider) -> FakeProvider:
        self.asked_of.append(provider)
        return self.provider

    def ports(self) -> EnrolPorts:
        return EnrolPorts(
            too_large=lambda resolved: self.too_large,
            config=self.config,
            config_path=PATH,
            policy=self.policy,
            read=self.files.get,
            parse=yaml_file.plain,
            load=lambda data: config_of(None, yaml_file.parse(data, PATH)),
            client=self.client,  # type: ignore[arg-type]
            verify=self.verify,
            usable_algorithms=lambda document, algorithms: tuple(algorithms),
            everyday_token=lambda resolved: self.everyday,
            kubeconfig_files=tuple(name for name in self.files if name != PATH),
            can_change=lambda path: path not in self.read_only,
            credential_command=("/usr/bin/python3", "-I", "-S", "/opt/fast_path.py", "credential"),
            store_arguments=("--store", "keyring"),
            now=lambda: NOW,
            notice=self.notices.append,
        )

    def plan(self, wanted: Enrolment, resolved: ResolvedContext = RESOLVED) -> list[FileChange]:
        return plan_enrolment(wanted, resolved, self.ports())[1]

    def enrol(self, wanted: Enrolment, resolved: ResolvedContext = RESOLVED) -> Cluster:
        """Enrol as `setup --yes` does."""
        cluster, changes = plan_enrolment(wanted, resolved, self.ports())
        self.write(changes)
        return cluster

    def write(self, changes: list[FileChange]) -> None:
        for change in changes:
            self.files[change.path] = change.edit(self.files.get(change.path))


def test_the_first_enrolment_writes_provider_and_cluster() -> None:
    machine = Machine()
    machine.enrol(replace(FIRST, labels={"env": "prod"}))
    assert yaml_file.plain(machine.files[PATH], PATH) == {
        "apiVersion": "kubectl-stepup.github.io/v1alpha1",
        "kind": "Config",
        "providers": [
            {
                "name": "login.example.com",
                "issuer": "https://login.example.com",
                "clientID": "kubectl",
                "elevatedClientID": "kubectl-elevated",
                "preset": "generic",
                "evidence": {level: {"acr": [level]} for level in ("mfa", "strong", "critical")},
            }
        ],
        "clusters": [
            {
                "name": "prod",
                "labels": {"env": "prod"},
                "context": "prod",
                "server": "https://api.prod.example.com",
                "caSHA256": "9f" * 32,
                "provider": "login.example.com",
                "account": "alice",
            }
        ],
    }
    assert machine.files[RESOLVED.file] == KUBECONFIG
    assert machine.notices == []


def test_a_plan_changes_nothing_by_itself_and_shows_what_it_would() -> None:
    machine = Machine()
    (change,) = machine.plan(FIRST)
    assert PATH not in machine.files
    assert (change.path, change.before) == (PATH, None)
    assert change.diff.startswith(f"--- {PATH}\n+++ {PATH}\n@@ -0,0 +1,")
    assert "account: alice\n" in change.diff
    assert change.edit(None) == change.after


def test_enrolling_again_changes_nothing() -> None:
    machine = Machine()
    wanted = replace(FIRST, elevated_context="prod-elevated")
    machine.enrol(wanted)
    assert [change.diff for change in machine.plan(wanted)] == ["", ""]


def test_what_is_not_named_is_taken_from_the_enrolment() -> None:
    machine = Machine()
    machine.enrol(replace(FIRST, name="prod-eu", labels={"env": "prod"}))
    again = machine.enrol(Enrolment())
    assert (again.name, again.labels, again.account) == ("prod-eu", {"env": "prod"}, "alice")


def test_a_cluster_that_changed_is_enrolled_anew_by_its_context() -> None:
    machine = Machine()
    machine.enrol(FIRST)
    machine.enrol(Enrolment(), repinned(RESOLVED, server="https://new.example.com", ca_sha256=None))
    (cluster,) = machine.config.clusters
    assert (cluster.server, cluster.pin.ca_sha256) == ("https://new.example.com", None)


def test_everything_that_pins_the_cluster_is_written() -> None:
    """KCFG-12."""
    machine = Machine()
    odd = repinned(RESOLVED, tls_server_name="api", proxy_url="http://proxy:3128", insecure=True, ca_sha256=None)
    assert machine.enrol(FIRST, odd) == machine.config.clusters[0]
    (cluster,) = machine.config.clusters
    assert (cluster.pin.tls_server_name, cluster.pin.proxy_url, cluster.pin.insecure) == (
        "api",
        "http://proxy:3128",
        True,
    )


def test_a_second_context_takes_the_only_provider() -> None:
    machine = Machine()
    machine.enrol(FIRST)
    machine.enrol(Enrolment(account="alice"), LAB)
    assert [(cluster.name, cluster.provider) for cluster in machine.config.clusters] == [
        ("prod", "login.example.com"),
        ("lab", "login.example.com"),
    ]
    assert len(machine.config.providers) == 1


def test_one_of_several_providers_is_named() -> None:
    machine = Machine()
    machine.enrol(FIRST)
    machine.enrol(replace(FIRST, provider="lab-idp", issuer="https://lab-idp.example.com"), LAB)
    assert [provider.name for provider in machine.config.providers] == ["login.example.com", "lab-idp"]
    with pytest.raises(UsageError) as caught:
        machine.plan(Enrolment())
    assert caught.value.message == "--issuer or --provider is needed"
    assert machine.enrol(Enrolment(provider="lab-idp")).provider == "lab-idp"


def test_flags_make_the_provider() -> None:
    machine = Machine()
    machine.enrol(
        replace(
            FIRST,
            provider="corp",
            elevated_client_id="up",
            preset="entra",
            ca_file="/etc/corp.pem",
            overrides={"scopes": ["openid", "groups"]},
        )
    )
    (provider,) = machine.config.providers
    assert (provider.name, provider.elevated_client_id, provider.preset_name) == ("corp", "up", "entra")
    assert (provider.account_claim, provider.ca_file) == ("oid", "/etc/corp.pem")
    assert provider.scopes == ("openid", "groups")


@pytest.mark.parametrize(
    ("wanted", "kind", "message"),
    [
        (Enrolment(), UsageError, "--issuer or --provider is needed"),
        (Enrolment(issuer="https://login.example.com"), UsageError, "--client-id is needed with --issuer"),
        (Enrolment(provider="gone"), ConfigError, "provider 'gone' is not in the config (known: none)"),
        (replace(FIRST, preset="nonsense"), ConfigError, "preset 'nonsense' is unknown"),
        (replace(FIRST, preset="google"), ConfigError, "preset google cannot prove a step-up"),
        (replace(FIRST, overrides={"nonsense": "1"}), ConfigError, "'nonsense' cannot be overridden"),
        (replace(FIRST, account=None), UsageError, "the account is not known"),
        (replace(FIRST, elevated_context="e", level="gold"), PolicyError, "there is no level 'gold'"),
        (replace(FIRST, elevated_context="e", level="critical"), UsageError, "level critical cannot stand"),
    ],
)
def test_what_is_missing_or_wrong_is_said(wanted: Enrolment, kind: type[StepUpError], message: str) -> None:
    machine = Machine()
    with pytest.raises(kind) as caught:
        machine.plan(wanted)
    assert caught.value.message.startswith(message)
    assert type(caught.value) is kind
    assert PATH not in machine.files


@pytest.mark.parametrize(
    "metadata",
    [
        ProviderUnreachable("login.example.com cannot be reached"),
        replace(METADATA, device_authorization_endpoint=None),
    ],
)
def test_a_provider_that_does_not_serve_is_found_now(metadata: Any) -> None:
    machine = Machine(provider=FakeProvider(metadata_=metadata))
    with pytest.raises(ProviderError):
        machine.plan(FIRST)


def test_levels_that_nothing_proves_are_said() -> None:
    machine = Machine()
    machine.plan(replace(FIRST, evidence={"mfa": Evidence(acr=("mfa",))}))
    assert machine.notices == [
        f"note: nothing proves level {level} at login.example.com yet; commands that need it are refused. "
        f"Add --evidence {level}:acr=VALUE"
        for level in ("strong", "critical")
    ]


def test_what_keeps_every_step_up_from_succeeding_is_said_and_stops_nothing() -> None:
    """As `doctor --online` says it."""
    machine = Machine()
    ports = replace(machine.ports(), usable_algorithms=lambda document, algorithms: ())
    _, changes = plan_enrolment(FIRST, RESOLVED, ports)
    assert changes
    (said,) = [one for one in machine.notices if one.startswith("warning: ")]
    assert "publishes no key that can be used with RS256. Every step-up will fail until that is changed: " in said


@pytest.mark.parametrize(
    ("overrides", "notices"),
    [
        (
            {},
            [
                "note: login.example.com gives groups by a scope that is not asked for. "
                "Where the API server maps groups: --set scopes=openid,groups"
            ],
        ),
        ({"scopes": ["openid", "groups"]}, []),
    ],
)
def test_a_scope_that_brings_groups_is_named(overrides: dict[str, object], notices: list[str]) -> None:
    machine = Machine(provider=FakeProvider(metadata_=replace(METADATA, scopes=("openid", "groups"))))
    machine.plan(replace(FIRST, overrides=overrides))
    assert [one for one in machine.notices if "groups" in one] == notices


@pytest.mark.parametrize(
    ("supported", "levels"),
    [
        ((), []),
        (("mfa", "strong", "critical", "pwd"), []),
        (("mfa",), ["strong", "critical"]),
        (("MFA", "pwd"), ["mfa", "strong", "critical"]),
    ],
)
def test_an_acr_that_the_provider_does_not_name_is_noted(supported: tuple[str, ...], levels: list[str]) -> None:
    """DIS-09: a note at enrolment, where somebody can look into it; at use the token decides."""
    machine = Machine(provider=FakeProvider(metadata_=replace(METADATA, acr_values=supported)))
    machine.plan(FIRST)
    assert machine.notices == [
        f"note: login.example.com does not name acr {level} among those it can prove (acr_values_supported): "
        f"commands that need level {level} may be refused after the sign-in"
        for level in levels
    ]


def test_a_presets_evidence_counts() -> None:
    machine = Machine(
        policy=policy_of(rules="", levels="levels:\n  - {name: mfa, signedInWithin: 5m, askAgainAfter: 5m}")
    )
    machine.plan(replace(FIRST, preset="keycloak", evidence={}))
    assert machine.notices == []


# -- the account --------------------------------------------------------------------------------------------------


def everyday(**claims: Any) -> Secret:
    return Secret(good(**{"aud": "kubectl", "sub": "alice@corp", **claims}))


def test_the_account_is_proven_by_the_everyday_token() -> None:
    machine = Machine(everyday=everyday())
    assert machine.enrol(replace(FIRST, account=None)).account == "alice@corp"


def test_the_expectation_is_of_the_everyday_client_and_the_account_claim() -> None:
    seen: list[Expectation] = []

    def verifying(token: Secret, expected: Expectation, **kwargs: Any) -> IDTokenClaims:
        seen.append(expected)
        return verify(token, expected, **kwargs)

    machine = Machine(everyday=everyday(email="alice@example.com"), verify=verifying)
    assert machine.enrol(replace(FIRST, account=None, account_claim="email")).account == "alice@example.com"
    assert seen == [
        Expectation(
            issuer="https://login.example.com", client_id="kubectl", algorithms=("RS256",), account_claim="email"
        )
    ]


@pytest.mark.parametrize(
    "token",
    [
        everyday(aud="kubectl-elevated"),
        everyday(iss="https://evil.example.com"),
        everyday(exp=int(NOW) - 1),
        Secret("kubernetes-service-account"),
    ],
)
def test_a_token_that_proves_nothing_is_refused(token: Secret) -> None:
    machine = Machine(everyday=token)
    with pytest.raises(TokenRejected) as caught:
        machine.plan(replace(FIRST, account=None))
    assert caught.value.message.startswith("the everyday token of context prod does not prove the account: ")
    assert caught.value.hint == (
        "sign in with your everyday login first (kubectl get pods), or name the account with --account"
    )
    assert token.reveal() not in caught.value.message


def test_a_named_account_needs_no_token() -> None:
    machine = Machine(everyday=Secret("not an ID token"))
    assert machine.enrol(FIRST).account == "alice"


def test_the_proven_account_wins_over_the_one_enrolled_before() -> None:
    machine = Machine()
    machine.enrol(FIRST)
    machine.everyday = everyday(sub="bob")
    assert machine.enrol(Enrolment()).account == "bob"


# -- a static context -------------------------------------------------------------------------------------------


def test_a_static_context_is_written_beside_the_everyday_one() -> None:
    machine = Machine()
    cluster = machine.enrol(replace(FIRST, elevated_context="prod-elevated"))
    text = machine.files[RESOLVED.file].decode()
    assert "# the one" in text
    document: Any = yaml_file.plain(text.encode(), "kubeconfig")
    assert document["current-context"] == "prod"
    assert document["contexts"][1] == {
        "name": "prod-elevated",
        "context": {"cluster": "prod-cluster", "user": "stepup:mfa@prod", "namespace": "shop"},
    }
    entry = document["users"][1]["user"]["exec"]
    session = session_id_of(cluster, machine.config.providers[0], POLICY.level("mfa"))
    assert entry["command"] == "/usr/bin/python3"
    assert entry["args"] == ["-I", "-S", "/opt/fast_path.py", "credential", "--session", session, "--store", "keyring"]
    assert (entry["provideClusterInfo"], entry["interactiveMode"]) == (True, "IfAvailable")


def test_a_static_context_may_have_another_level() -> None:
    machine = Machine()
    machine.enrol(replace(FIRST, elevated_context="up", level="strong"))
    assert b"stepup:strong@prod" in machine.files[RESOLVED.file]


@pytest.mark.parametrize("level", ["each-time", "reasoned"])
def test_a_level_that_is_asked_for_each_command_cannot_stand(level: str) -> None:
    levels = """
levels:
  - {name: each-time, signedInWithin: 5m, askAgainAfter: 0s}
  - {name: reasoned, signedInWithin: 5m, askAgainAfter: 5m, reason: required}
"""
    machine = Machine(policy=policy_of(rules="", levels=levels))
    with pytest.raises(UsageError) as caught:
        machine.plan(replace(FIRST, elevated_context="up", level=level))
    assert caught.value.message == f"level {level} cannot stand in a kubeconfig: it is asked for each command"


def test_a_context_of_somebody_elses_is_not_taken() -> None:
    machine = Machine()
    with pytest.raises(KubeconfigError):
        machine.plan(replace(FIRST, elevated_context="prod"))


# -- removal ------------------------------------------------------------------------------------------------------


def removed(machine: Machine, cluster: Cluster, **wanted: Any) -> None:
    machine.write(plan_removal(Enrolment(**wanted), RESOLVED, cluster, machine.ports()))


def test_removal_takes_the_cluster_and_its_provider_out() -> None:
    machine = Machine()
    cluster = machine.enrol(FIRST)
    removed(machine, cluster)
    assert (machine.config.clusters, machine.config.providers) == ((), ())


def test_removal_of_the_static_entry_leaves_the_cluster_enrolled() -> None:
    machine = Machine()
    cluster = machine.enrol(replace(FIRST, elevated_context="up"))
    removed(machine, cluster, elevated_context="up")
    assert machine.config.clusters == (cluster,)
    assert machine.files[RESOLVED.file] == KUBECONFIG


def test_a_provider_that_another_cluster_uses_stays() -> None:
    machine = Machine()
    cluster = machine.enrol(FIRST)
    machine.enrol(Enrolment(account="alice"), LAB)
    removed(machine, cluster)
    assert [found.name for found in machine.config.clusters] == ["lab"]
    assert len(machine.config.providers) == 1


def test_removal_without_the_entrys_name_leaves_the_kubeconfig_alone() -> None:
    machine = Machine()
    cluster = machine.enrol(FIRST)
    changes = plan_removal(Enrolment(), RESOLVED, cluster, machine.ports())
    assert [change.path for change in changes] == [PATH]


def test_removing_a_static_entry_that_is_not_there_is_said() -> None:
    machine = Machine()
    cluster = machine.enrol(FIRST)
    with pytest.raises(UsageError) as caught:
        plan_removal(Enrolment(elevated_context="up"), RESOLVED, cluster, machine.ports())
    assert caught.value.message == f"{RESOLVED.file} has no context up"


def test_removal_where_there_is_no_file_at_all() -> None:
    machine = Machine()
    cluster = machine.enrol(FIRST)
    del machine.files[PATH]
    machine.files[PATH] = b"apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: Config\n"
    assert [change.diff for change in plan_removal(Enrolment(), RESOLVED, cluster, machine.ports())] == [""]


def test_an_entry_that_is_not_ours_is_not_removed() -> None:
    machine = Machine()
    cluster = machine.enrol(FIRST)
    with pytest.raises(KubeconfigError):
        plan_removal(Enrolment(elevated_context="prod"), RESOLVED, cluster, machine.ports())


# -- what is wrong ------------------------------------------------------------------------------------------------


def with_evidence(machine: Machine) -> None:
    """Follow the hint that a level without evidence gives: `setup --context prod --evidence mfa:acr=gold`."""
    machine.enrol(Enrolment(evidence={"mfa": Evidence(acr=("gold",))}))
    assert machine.config.providers[0].evidence["mfa"] == Evidence(acr=("gold",))


def with_new_client(machine: Machine) -> None:
    machine.enrol(Enrolment(provider="login.example.com", elevated_client_id="up"))
    assert machine.config.providers[0].elevated_client_id == "up"


@pytest.mark.parametrize("change", [with_evidence, with_new_client])
def test_flags_about_the_enrolled_provider_change_it(change: Callable[[Machine], None]) -> None:
    machine = Machine()
    machine.enrol(FIRST)
    change(machine)


def test_naming_the_enrolled_issuer_again_loses_nothing() -> None:
    machine = Machine()
    machine.enrol(replace(FIRST, preset="keycloak", overrides={"scopes": ["openid", "groups"]}))
    (before,) = machine.config.providers
    machine.enrol(Enrolment(issuer="https://login.example.com", client_id="kubectl", account="alice"), LAB)
    assert machine.config.providers == (before,)


def test_a_second_issuer_on_the_same_host_does_not_replace_the_first() -> None:
    machine = Machine()
    machine.enrol(replace(FIRST, issuer="https://login.example.com/realms/prod"))
    with suppress(UsageError, ConfigError):  # saying that --provider must name it is as good
        machine.enrol(replace(FIRST, issuer="https://login.example.com/realms/lab"), LAB)
    assert machine.config.providers[0].issuer == "https://login.example.com/realms/prod"


def test_a_new_name_for_an_enrolled_context_takes_the_old_ones_place() -> None:
    machine = Machine()
    machine.enrol(FIRST)
    machine.enrol(Enrolment(name="prod-eu"))
    assert [cluster.name for cluster in machine.config.clusters] == ["prod-eu"]


@pytest.mark.parametrize("server", ["http://api.prod.example.com", "https://user:pw@api.prod.example.com"])
def test_a_server_that_the_config_cannot_hold_is_refused(server: str) -> None:
    """KCFG-12."""
    machine = Machine()
    with pytest.raises(StepUpError):
        machine.plan(FIRST, repinned(RESOLVED, server=server))


# -- an enrolled provider -----------------------------------------------------------------------------------------


def test_a_change_keeps_what_the_config_overrides_of_the_preset() -> None:
    machine = Machine()
    machine.enrol(replace(FIRST, preset="keycloak", overrides={"scopes": ["openid", "groups"]}))
    machine.enrol(Enrolment(evidence={"strong": Evidence(acr=("3",))}, ca_file="/etc/corp.pem"))
    (provider,) = machine.config.providers
    assert (provider.preset_name, provider.scopes, provider.ca_file) == (
        "keycloak",
        ("openid", "groups"),
        "/etc/corp.pem",
    )
    assert provider.evidence == {**FIRST.evidence, "strong": Evidence(acr=("3",))}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            Enrolment(provider="login.example.com", issuer="https://login.example.com/other"),
            "provider login.example.com is enrolled with the issuer https://login.example.com, not "
            "https://login.example.com/other",
        ),
        (
            Enrolment(issuer="https://login.example.com/other", client_id="kubectl"),
            "provider login.example.com is another issuer on the same host",
        ),
        (Enrolment(preset="okta"), "the preset of provider login.example.com is changed in the config file"),
        (
            Enrolment(overrides={"maxAge": False}),
            "the preset of provider login.example.com is changed in the config file",
        ),
    ],
)
def test_flags_that_contradict_what_is_enrolled_are_refused(wanted: Enrolment, message: str) -> None:
    machine = Machine()
    machine.enrol(FIRST)
    before = dict(machine.files)
    with pytest.raises(UsageError) as caught:
        machine.plan(wanted)
    assert caught.value.message == message
    assert machine.files == before


def test_enrolling_again_with_the_same_overrides_changes_nothing() -> None:
    machine = Machine()
    wanted = replace(FIRST, preset="keycloak", overrides={"scopes": ["openid", "groups"]})
    machine.enrol(wanted)
    assert [change.diff for change in machine.plan(wanted)] == [""]


def test_the_systems_provider_is_used_but_not_changed() -> None:
    machine = Machine()
    machine.enrol(FIRST)
    system = machine.config
    machine.files.pop(PATH)
    system = replace(system, clusters=())

    def load(data: bytes) -> Config:
        return merge(system, config_from(yaml_file.parse(data, PATH), known_providers=["login.example.com"]))

    ports = replace(machine.ports(), config=system, load=load)
    cluster, changes = plan_enrolment(Enrolment(account="alice"), RESOLVED, ports)
    assert cluster.provider == "login.example.com"
    assert b"providers" not in changes[0].after
    mine = b"apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: Config\nproviders: [{name: mine}]\n"
    for files in ({}, {PATH: mine}):
        ports = replace(ports, read=files.get)
        with pytest.raises(ConfigError) as caught:
            plan_enrolment(Enrolment(account="alice", elevated_client_id="up"), RESOLVED, ports)
        assert caught.value.message == (
            "provider login.example.com stands in the system's config and cannot be changed here"
        )


@pytest.mark.parametrize(
    "server", ["https://api.example.com?a=b", "https://api.example.com/#x", "https://", "https://ä"]
)
def test_whatever_is_written_can_be_read(server: str) -> None:
    machine = Machine()
    with suppress(StepUpError):
        machine.enrol(FIRST, repinned(RESOLVED, server=server))
    assert len(machine.config.clusters) <= 1


def test_the_name_of_another_cluster_is_not_taken() -> None:
    machine = Machine()
    machine.enrol(replace(FIRST, name="prod-eu"))
    with suppress(StepUpError):
        machine.enrol(Enrolment(name="prod-eu", account="alice"), LAB)
    assert machine.config.cluster_for_context("prod") is not None


MINE = "/home/alice/.kube/mine"


class TestWhereAStandingContextGoes:
    def machine(self) -> Machine:
        """Return a machine whose context stands in the second of two files."""
        return Machine(files={MINE: b"apiVersion: v1\nkind: Config\n", RESOLVED.file: KUBECONFIG})

    def paths(self, machine: Machine) -> list[str]:
        return [change.path for change in machine.plan(replace(FIRST, elevated_context="up")) if change.path != PATH]

    def test_beside_its_context(self) -> None:
        assert self.paths(self.machine()) == [RESOLVED.file]

    def test_into_a_file_that_can_be_written(self) -> None:
        machine = self.machine()
        machine.read_only.add(RESOLVED.file)
        assert self.paths(machine) == [MINE]

    def test_where_none_can_be_written_the_contexts_own_is_said_to_be(self) -> None:
        machine = self.machine()
        machine.read_only |= {RESOLVED.file, MINE}
        assert self.paths(machine) == [RESOLVED.file]

    def test_where_it_is_already_and_out_of_there_again(self) -> None:
        machine = self.machine()
        machine.read_only.add(RESOLVED.file)
        wanted = replace(FIRST, elevated_context="up")
        machine.enrol(wanted)
        machine.read_only.clear()
        assert [change.diff for change in machine.plan(wanted)] == ["", ""]
        (change,) = plan_removal(wanted, RESOLVED, machine.config.clusters[0], machine.ports())
        assert (change.path, b"up" in change.after) == (MINE, False)

    def test_a_context_of_that_name_in_another_file_is_not_shadowed(self) -> None:
        machine = self.machine()
        machine.files[MINE] = b"contexts: [{name: up, context: {cluster: x, user: y}}]\n"
        with pytest.raises(KubeconfigError, match="context 'up' exists and is not ours"):
            machine.plan(replace(FIRST, elevated_context="up"))


def test_a_static_context_whose_plugin_could_not_be_started_is_refused() -> None:
    machine = Machine(too_large="they are too many")
    with pytest.raises(KubeconfigError, match=r"they are too many$") as caught:
        machine.plan(replace(FIRST, elevated_context="e"))
    assert "--certificate-authority=FILE" in (caught.value.hint or "")
    machine.notices.clear()
    machine.plan(FIRST)
    assert [one for one in machine.notices if one.startswith("note: they are too many. To change that: kubectl ")]
