"""Config documents: what they give, what is wrong with them and where, and two of them together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kubectl_stepup
from kubectl_stepup.config.document import config_from, config_of, merge
from kubectl_stepup.config.model import RECORD, STORES, UNENROLLED, Config
from kubectl_stepup.errors import ConfigError
from kubectl_stepup.oidc.preset import Strategy
from kubectl_stepup.oidc.preset_overrides import OVERRIDES
from kubectl_stepup.oidc.presets import PRESETS
from kubectl_stepup.oidc.requirement import AuthTime, Evidence
from kubectl_stepup.yaml_edit.yaml_file import parse

CONFIG = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Config
store: kernel
unenrolled: refuse
providers:
  - name: corp
    issuer: https://login.example.com/realms/prod
    clientID: kubectl
    elevatedClientID: kubectl-elevated
    preset: keycloak
    caFile: corp-ca.pem
    evidence: {mfa: {acr: [mfa, gold]}, critical: {acr: phr, amr: [hwk]}}
  - name: other
    issuer: https://id.example.org
    clientID: same
    elevatedClientID: same
clusters:
  - name: prod-eu
    labels: {env: prod}
    context: prod
    server: https://api.prod.example.com
    caSHA256: "9FAA00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDD"
    provider: corp
    account: alice
  - name: lab
    context: lab
    server: https://lab.example.com:6443/k8s
    tlsServerName: lab
    proxyURL: http://proxy.example.com:3128
    insecureSkipTLSVerify: true
    provider: other
    account: a@example.org
"""
HEAD = "apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: Config\n"


def read(text: str) -> Config:
    return config_from(parse(text.encode(), "/etc/c.yaml"))


def message_of(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return caught.value.message


class TestWhatItGives:
    def test_providers(self) -> None:
        corp, other = read(CONFIG).providers
        assert (corp.name, corp.issuer) == ("corp", "https://login.example.com/realms/prod")
        assert (corp.client_id, corp.elevated_client_id) == ("kubectl", "kubectl-elevated")
        assert (corp.preset_name, corp.preset, corp.scopes) == ("keycloak", PRESETS["keycloak"], ("openid",))
        assert (corp.account_claim, corp.ca_file) == ("sub", "/etc/corp-ca.pem")
        assert (other.preset_name, other.client_id, other.elevated_client_id) == ("generic", "same", "same")
        assert other.ca_file is None

    def test_evidence_is_the_configs_else_the_presets(self) -> None:
        corp, other = read(CONFIG).providers
        assert corp.evidence_of("mfa") == Evidence(acr=("mfa", "gold"))
        assert corp.evidence_of("critical") == Evidence(acr=("phr",), amr=("hwk",))
        assert corp.evidence_of("other") is None
        assert other.evidence_of("mfa") is None
        text = CONFIG.replace("    evidence: {mfa: {acr: [mfa, gold]}, critical: {acr: phr, amr: [hwk]}}\n", "")
        assert read(text).provider("corp").evidence_of("mfa") == Evidence(acr=("gold", "2"))
        dex = read(text.replace("preset: keycloak", "preset: dex")).provider("corp")
        assert dex.evidence_of("mfa") == Evidence(aud=("kubectl-elevated",))

    def test_clusters(self) -> None:
        prod, lab = read(CONFIG).clusters
        assert (prod.name, prod.context, prod.server) == ("prod-eu", "prod", "https://api.prod.example.com")
        assert (dict(prod.labels), prod.provider, prod.account) == ({"env": "prod"}, "corp", "alice")
        assert prod.pin.ca_sha256 == "9faa00112233445566778899aabbccddeeff00112233445566778899aabbccdd"
        assert (prod.pin.tls_server_name, prod.pin.proxy_url, prod.pin.insecure) == (None, None, False)
        assert (lab.pin.ca_sha256, lab.pin.tls_server_name, lab.pin.insecure) == (None, "lab", True)
        assert lab.pin.proxy_url == "http://proxy.example.com:3128"

    def test_settings(self) -> None:
        config = read(CONFIG)
        assert (config.store, config.unenrolled, config.written) == (
            "kernel",
            "refuse",
            frozenset({"store", "unenrolled"}),
        )
        assert (read(HEAD).store, read(HEAD).unenrolled, read(HEAD).written) == ("auto", "run", frozenset())

    @pytest.mark.parametrize("text", ["", "# nothing yet\n", HEAD, f"{HEAD}providers:\nclusters: []\n"])
    def test_nothing_enrolled(self, text: str) -> None:
        assert read(text) == Config()

    def test_a_preset_can_be_overridden(self) -> None:
        overrides = {
            "strategy": ("param", "strategy", Strategy.PARAM),
            "flows": ("[device, code]", "flows", ("device", "code")),
            "scopes": ("[openid, groups]", "scopes", ("openid", "groups")),
            "elevatedScope": ("admin", "elevated_scope", "admin"),
            "acrValues": ("true", "acr_values", True),
            "claims": ("'{\"id_token\": {}}'", "claims", '{"id_token": {}}'),
            "maxAge": ("true", "max_age", True),
            "prompt": ("login", "prompt", "login"),
            "parameters": ("{kc_idp_hint: corp}", "parameters", {"kc_idp_hint": "corp"}),
            "commandParameter": ("command", "command_parameter", "command"),
            "authTime": ("absent", "auth_time", AuthTime.ABSENT),
            "nonceInDevice": ("false", "nonce_in_device", False),
            "pkceInDevice": ("false", "pkce_in_device", False),
            "signingAlgorithms": ("[ES256]", "signing_algorithms", ("ES256",)),
            "extraAudiences": ("[account]", "extra_audiences", ("account",)),
            "endpointHosts": ("[a.example.com]", "endpoint_hosts", ("a.example.com",)),
            "verificationHosts": ("[b.example.com]", "verification_hosts", ("b.example.com",)),
            "revoke": ("false", "revoke", False),
        }
        assert set(overrides) == set(OVERRIDES)
        lines = "".join(f"    {key}: {text}\n" for key, (text, _, _) in overrides.items())
        preset = read(CONFIG.replace("    caFile: corp-ca.pem\n", lines)).provider("corp").preset
        assert preset.name == "keycloak"
        assert {name: getattr(preset, name) for _, name, _ in overrides.values()} == {
            name: value for _, name, value in overrides.values()
        }

    def test_the_account_claim_of_entra_is_oid(self) -> None:
        entra = CONFIG.replace("preset: keycloak", "preset: entra")
        assert read(entra).provider("corp").account_claim == "oid"
        assert (
            read(entra.replace("preset: entra", "preset: entra\n    accountClaim: sub")).provider("corp").account_claim
            == "sub"
        )


REFUSED = [
    ("- a", "/etc/c.yaml:1: must be a mapping, not a list"),
    ("kind: Config\n", "/etc/c.yaml:1: 'apiVersion' is missing"),
    ("apiVersion: v2\nkind: Config\n",
     "/etc/c.yaml:1: apiVersion: 'v2' is not one of kubectl-stepup.github.io/v1alpha1"),
    (HEAD.replace("Config", "Policy"), "/etc/c.yaml:2: kind: 'Policy' is not one of Config"),
    (f"{HEAD}provider: []\n", "/etc/c.yaml:3: unknown key 'provider'"),
    (f"{HEAD}store: disk\n", "/etc/c.yaml:3: store: 'disk' is not one of auto, keyring, kernel, memory, file"),
    (f"{HEAD}unenrolled: no\n", "/etc/c.yaml:3: unenrolled: must be a text, not true or false"),
]  # fmt: skip
CHANGED = [
    ("    clientID: kubectl\n", "", "6: providers[0]: 'clientID' is missing"),
    ("    elevatedClientID: kubectl-elevated\n", "", "6: providers[0]: 'elevatedClientID' is missing"),
    ("https://login.example.com/realms/prod", "http://login.example.com",
     "7: providers[0].issuer: 'http://login.example.com' must be an https:// URL"),
    ("https://login.example.com/realms/prod", "https://login.example.com?a=b",
     "7: providers[0].issuer: 'https://login.example.com?a=b' must have no user, query or fragment"),
    ("https://login.example.com/realms/prod", "'https://login.example.com#'",
     "7: providers[0].issuer: 'https://login.example.com#' must have no user, query or fragment"),
    ("https://login.example.com/realms/prod", "https://corp@evil.example.com",
     "7: providers[0].issuer: 'https://corp@evil.example.com' must have no user, query or fragment"),
    ("https://login.example.com/realms/prod", "https://l\u043egin.example.com",
     "7: providers[0].issuer: 'https://l\u043egin.example.com' has characters that a URL cannot have"),
    ("https://login.example.com/realms/prod", "https://a:b",
     "7: providers[0].issuer: 'https://a:b' is not a URL: Port could not be cast to integer value as 'b'"),
    ("preset: keycloak", "preset: keyclaok",
     f"10: providers[0].preset: 'keyclaok' is not one of {', '.join(PRESETS)}"),
    ("preset: keycloak", "preset: google",
     f"10: providers[0].preset: google cannot be used: {PRESETS['google'].unsupported}"),
    ("preset: keycloak", "flows: [devise]", "10: providers[0].flows: has 'devise' (known: device, code, ciba)"),
    ("preset: keycloak", "flows: device", "10: providers[0].flows: must be a list of strings, got 'device'"),
    ("preset: keycloak", "authTime: yes", "10: providers[0].authTime: must be a string that is not empty, got True"),
    ("preset: keycloak", "scopes: [email]",
     "10: providers[0].scopes: must contain openid: without it there is no ID token"),
    ("preset: keycloak", "parameters: {max_age: '0'}",
     "10: providers[0].parameters: parameters.max_age must not be 0: "
     "a device endpoint may drop it without a word; use 1"),
    ("preset: keycloak", "flow: [device]", "10: providers[0]: unknown key 'flow'"),
    ("{acr: [mfa, gold]}", "{}",
     "12: providers[0].evidence.mfa: asks for nothing, so any sign-in would prove the level"),
    ("{acr: [mfa, gold]}", "{acr: []}",
     "12: providers[0].evidence.mfa: asks for nothing, so any sign-in would prove the level"),
    ("{acr: [mfa, gold]}", "{acr: [2]}", "12: providers[0].evidence.mfa.acr[0]: must be a text, not a number"),
    ("{acr: [mfa, gold]}", "{arc: [mfa]}", "12: providers[0].evidence.mfa: unknown key 'arc'"),
    ("name: other", "name: corp", "13: providers[1].name: 'corp' is there twice"),
    ("name: lab", "name: prod-eu", "25: clusters[1].name: 'prod-eu' is there twice"),
    ("context: lab", "context: prod", "26: clusters[1].context: 'prod' is there twice"),
    ("provider: corp", "provider: crop",
     "23: clusters[0].provider: 'crop' is not a provider of this config (known: corp, other)"),
    ("account: alice", "", "18: clusters[0]: 'account' is missing"),
    ("account: alice", "account: 1000", "24: clusters[0].account: must be a text, not a number"),
    ("https://api.prod.example.com", "http://api.prod.example.com",
     "21: clusters[0].server: 'http://api.prod.example.com' must be an https:// URL"),
    ("9FAA", "9G", "22: clusters[0].caSHA256: "),
    ("{env: prod}", "{env: [prod]}", "19: clusters[0].labels.env: must be a text, not a list"),
    ("insecureSkipTLSVerify: true", "insecureSkipTLSVerify: 'true'",
     "30: clusters[1].insecureSkipTLSVerify: must be true or false, not a text"),
]  # fmt: skip


class TestWhatIsRefused:
    @pytest.mark.parametrize(("text", "message"), REFUSED)
    def test_documents(self, text: str, message: str) -> None:
        assert message_of(text) == message

    @pytest.mark.parametrize(("old", "new", "message"), CHANGED)
    def test_fields(self, old: str, new: str, message: str) -> None:
        found = message_of(CONFIG.replace(old, new, 1))
        expected = f"/etc/c.yaml:{message}"
        assert found == expected or (message.endswith(": ") and found.startswith(expected))

    def test_an_unknown_provider_of_a_lookup_is_named(self) -> None:
        with pytest.raises(ConfigError, match=r"^provider 'x' is not in the config \(known: corp, other\)$"):
            read(CONFIG).provider("x")


class TestEnrolment:
    def test_a_context_is_found_by_its_name_first(self) -> None:
        found = read(CONFIG).cluster_for("prod", "https://lab.example.com:6443/k8s")
        assert found is not None
        assert found.name == "prod-eu"

    def test_else_by_its_server(self) -> None:
        found = read(CONFIG).cluster_for("renamed", "https://API.prod.example.com:443/")
        assert found is not None
        assert found.name == "prod-eu"

    def test_else_not_at_all(self) -> None:
        assert read(CONFIG).cluster_for("x", "https://api.prod.example.com:6443") is None
        assert read(CONFIG).cluster_for_context("x") is None
        assert read(CONFIG).cluster("x") is None
        assert read(CONFIG).cluster("lab") == read(CONFIG).clusters[1]


CLUSTER = HEAD + "clusters:\n- {name: NAME, context: CONTEXT, server: 'SERVER', provider: corp, account: mallory}\n"


class TestTwoTogether:
    def test_the_users_adds_to_the_systems(self) -> None:
        user = CLUSTER.replace("NAME", "mine").replace("CONTEXT", "mine").replace("SERVER", "https://mine.test")
        config = config_of(parse(CONFIG.encode(), "/etc/c.yaml"), parse(user.encode(), "/home/c.yaml"))
        assert [cluster.name for cluster in config.clusters] == ["prod-eu", "lab", "mine"]
        assert config.provider("corp").issuer == "https://login.example.com/realms/prod"

    def test_either_may_be_missing(self) -> None:
        document = parse(CONFIG.encode(), "c")
        assert config_of(None, None) == Config()
        assert config_of(document, None) == config_of(None, document) == config_from(document)

    @pytest.mark.parametrize(
        ("name", "context", "server", "what"),
        [
            ("prod-eu", "x", "https://x.test", "cluster 'prod-eu'"),
            ("x", "prod", "https://x.test", "cluster 'prod-eu' (as 'x')"),
            ("x", "x", "https://API.prod.example.com:443/", "cluster 'prod-eu' (as 'x')"),
        ],
    )
    def test_the_systems_clusters_cannot_be_redefined(self, name: str, context: str, server: str, what: str) -> None:
        user = CLUSTER.replace("NAME", name).replace("CONTEXT", context).replace("SERVER", server)
        with pytest.raises(ConfigError) as caught:
            config_of(parse(CONFIG.encode(), "/etc/c.yaml"), parse(user.encode(), "/home/c.yaml"))
        assert caught.value.message == f"{what} is set by the system's config and cannot be redefined by yours"

    def test_the_systems_providers_cannot_be_redefined(self) -> None:
        with pytest.raises(ConfigError, match="provider 'corp' is set by the system's config"):
            merge(read(CONFIG), Config(providers=read(CONFIG).providers[:1]))

    @pytest.mark.parametrize(
        ("system", "user", "store", "unenrolled"),
        [
            ("", "store: file\nunenrolled: refuse\n", "file", "refuse"),
            ("store: memory\nunenrolled: refuse\n", "store: file\nunenrolled: run\n", "memory", "refuse"),
            ("store: memory\nunenrolled: run\n", "unenrolled: refuse\n", "memory", "refuse"),
            ("", "", "auto", "run"),
        ],
    )
    def test_settings_of_the_system_win(self, system: str, user: str, store: str, unenrolled: str) -> None:
        config = merge(read(HEAD + system), read(HEAD + user))
        assert (config.store, config.unenrolled) == (store, unenrolled)

    @pytest.mark.parametrize(
        ("system", "user", "expected"),
        [
            ("", "", "tried"),
            ("record: required\n", "", "required"),
            ("record: required\n", "record: tried\n", "required"),
            ("", "record: required\n", "required"),
            ("record: tried\n", "record: required\n", "required"),
        ],
    )
    def test_a_required_record_is_undone_by_nobody(self, system: str, user: str, expected: str) -> None:
        assert merge(read(HEAD + system), read(HEAD + user)).record == expected
        assert merge(read(HEAD + system), Config()).record == read(HEAD + system).record


def test_the_schema_knows_what_the_reader_knows() -> None:
    directory = Path(kubectl_stepup.__file__).parent / "schemas"
    schema = json.loads((directory / "config.schema.json").read_text(encoding="utf-8"))
    provider, cluster = schema["$defs"]["provider"], schema["$defs"]["cluster"]
    assert schema["properties"]["store"]["enum"] == list(STORES)
    assert schema["properties"]["unenrolled"]["enum"] == list(UNENROLLED)
    assert schema["properties"]["record"]["enum"] == list(RECORD)
    assert provider["properties"]["preset"]["enum"] == list(PRESETS)
    assert provider["properties"]["strategy"]["enum"] == list(Strategy)
    assert provider["properties"]["authTime"]["enum"] == list(AuthTime)
    assert set(OVERRIDES) <= provider["properties"].keys()
    for name, thing in (("providers", provider), ("clusters", cluster)):
        item = dict.fromkeys(thing["properties"], "x") | {"nonsense": "x"}
        assert message_of(f"{HEAD}{name}:\n- {json.dumps(item)}\n").endswith("unknown key 'nonsense'")
        for key in thing["required"]:
            others = {other: "x" for other in thing["required"] if other != key}
            assert message_of(f"{HEAD}{name}:\n- {json.dumps(others)}\n").endswith(f"{key!r} is missing")
