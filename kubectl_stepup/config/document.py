"""A config document to `Config`, with the file and line of whatever is wrong; and two of them to one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import urlsplit

from kubectl_stepup.config.model import RECORD, STORES, UNENROLLED, Cluster, Config, Provider
from kubectl_stepup.errors import ConfigError
from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin, normal_server
from kubectl_stepup.names import API_VERSION
from kubectl_stepup.oidc.preset import Preset
from kubectl_stepup.oidc.preset_overrides import OVERRIDES
from kubectl_stepup.oidc.presets import PRESETS, preset_with
from kubectl_stepup.oidc.requirement import Evidence
from kubectl_stepup.yaml_edit.node import Node

KIND = "Config"

EVIDENCE_FIELDS = ("acr", "amr", "acrs", "aud", "scope")
_Named = TypeVar("_Named", Provider, Cluster)


def config_of(system: Node | None, user: Node | None) -> Config:
    """Return the config that the system's and the user's document make together; either may be missing.

    Raises:
        ConfigError: a document is wrong, or the user's redefines what the system's says.

    """
    base = Config() if system is None else config_from(system)
    if user is None:
        return base
    return merge(base, config_from(user, known_providers=[provider.name for provider in base.providers]))


def config_from(node: Node, *, known_providers: Iterable[str] = ()) -> Config:
    """Read one document; its clusters may name its own providers and `known_providers` (the system's).

    Raises:
        ConfigError: with `FILE:LINE:` and the path of what is wrong.

    """
    if node.value is None:  # a file with nothing but comments
        return Config()
    settings = ("store", "unenrolled", "record")
    fields = node.mapping(required=("apiVersion", "kind"), optional=("providers", "clusters", *settings))
    fields["apiVersion"].string(choices=(API_VERSION,))
    fields["kind"].string(choices=(KIND,))
    providers = _named(fields.get("providers"), _provider)
    known = {*known_providers, *(provider.name for provider in providers)}
    clusters = _named(fields.get("clusters"), lambda item: _cluster(item, known))
    return Config(
        providers=providers,
        clusters=clusters,
        store=fields["store"].string(choices=STORES) if "store" in fields else "auto",
        unenrolled=fields["unenrolled"].string(choices=UNENROLLED) if "unenrolled" in fields else "run",
        record=fields["record"].string(choices=RECORD) if "record" in fields else "tried",
        written=frozenset(fields.keys() & set(settings)),
    )


def merge(system: Config, user: Config) -> Config:
    """Lay the user's config under the system's, whose names, contexts and servers nobody else may use.

    The system's `store` wins where it is written; `unenrolled: refuse` and `record: required` win wherever they stand.

    Raises:
        ConfigError: the user's redefines something of the system's.

    """
    taken = {provider.name for provider in system.providers}
    for provider in user.providers:
        if provider.name in taken:
            raise _redefined(f"provider {provider.name!r}")
    for cluster in user.clusters:
        for other in system.clusters:
            if cluster.name == other.name:
                raise _redefined(f"cluster {cluster.name!r}")
            # NOTE: a second name for the same cluster would escape the rules that name it or its labels.
            if cluster.context == other.context or normal_server(cluster.server) == normal_server(other.server):
                raise _redefined(f"cluster {other.name!r} (as {cluster.name!r})")
    return Config(
        providers=system.providers + user.providers,
        clusters=system.clusters + user.clusters,
        store=system.store if "store" in system.written else user.store,
        unenrolled="refuse" if "refuse" in (system.unenrolled, user.unenrolled) else "run",
        record="required" if "required" in (system.record, user.record) else "tried",
        written=system.written | user.written,
    )


def default_account_claim(preset: str) -> str:
    """Return the claim that names an account at a provider; Entra ID's `sub` differs from client to client."""
    return "oid" if preset == "entra" else "sub"


def _redefined(what: str) -> ConfigError:
    return ConfigError(f"{what} is set by the system's config and cannot be redefined by yours")


def _named(node: Node | None, read: Callable[[Node], _Named]) -> tuple[_Named, ...]:
    """Read a list of things with names (and, for clusters, contexts) that must differ."""
    found: list[_Named] = []
    taken: set[tuple[str, str]] = set()
    for item in [] if node is None or node.value is None else node.sequence():
        thing = read(item)
        names = [("name", thing.name)]
        if isinstance(thing, Cluster):
            names.append(("context", thing.context))
        for field, name in names:
            if (field, name) in taken:
                raise item.any_mapping()[field].error(f"{name!r} is there twice")
            taken.add((field, name))
        found.append(thing)
    return tuple(found)


def _provider(node: Node) -> Provider:
    fields = node.mapping(
        required=("name", "issuer", "clientID", "elevatedClientID"),
        optional=("preset", "accountClaim", "evidence", "caFile", "caData", *OVERRIDES),
    )
    preset = _preset(node, fields)
    if "caFile" in fields and "caData" in fields:
        raise fields["caData"].error("is there beside caFile", hint="keep one of the two")
    account_claim = fields["accountClaim"].string() if "accountClaim" in fields else default_account_claim(preset.name)
    return Provider(
        name=fields["name"].string(),
        issuer=_url(fields["issuer"]),
        client_id=fields["clientID"].string(),
        elevated_client_id=fields["elevatedClientID"].string(),
        preset=preset,
        account_claim=account_claim,
        evidence=MappingProxyType(_evidence(fields["evidence"]) if "evidence" in fields else {}),
        ca_file=_path(fields["caFile"]) if "caFile" in fields else None,
        ca_data=fields["caData"].string() if "caData" in fields else None,
    )


def _preset(node: Node, fields: dict[str, Node]) -> Preset:
    name = fields["preset"].string(choices=PRESETS) if "preset" in fields else "generic"
    overrides: dict[str, object] = {}
    for key in OVERRIDES:
        if key not in fields:
            continue
        overrides[key] = _plain(fields[key])
        try:
            preset_with(name, {key: overrides[key]})
        except ConfigError as exc:
            raise fields[key].error(exc.message.removeprefix(f"{key} "), hint=exc.hint) from exc
    preset = preset_with(name, overrides)
    if preset.unsupported is not None:
        raise fields.get("preset", node).error(f"{name} cannot be used: {preset.unsupported}")
    return preset


def _evidence(node: Node) -> dict[str, Evidence]:
    levels: dict[str, Evidence] = {}
    for level, item in node.any_mapping().items():
        fields = item.mapping(optional=EVIDENCE_FIELDS)
        values = {
            name: (value.string(),) if isinstance(value.value, str) else value.strings()
            for name, value in fields.items()
        }
        try:
            levels[level] = Evidence(**values)
        except ValueError as exc:
            raise item.error(str(exc), hint=f"name at least one of {', '.join(EVIDENCE_FIELDS)}") from exc
    return levels


def _cluster(node: Node, providers: set[str]) -> Cluster:
    fields = node.mapping(
        required=("name", "context", "server", "provider", "account"),
        optional=("labels", "caSHA256", "tlsServerName", "proxyURL", "insecureSkipTLSVerify"),
    )
    provider = fields["provider"].string()
    if provider not in providers:
        known = ", ".join(sorted(providers)) or "none"
        raise fields["provider"].error(f"{provider!r} is not a provider of this config (known: {known})")
    labels = (
        {name: value.string() for name, value in fields["labels"].any_mapping().items()} if "labels" in fields else {}
    )
    return Cluster(
        name=fields["name"].string(),
        context=fields["context"].string(),
        pin=_pin(fields),
        provider=provider,
        account=fields["account"].string(),
        labels=MappingProxyType(labels),
    )


def _pin(fields: Mapping[str, Node]) -> ClusterPin:
    insecure = fields.get("insecureSkipTLSVerify")
    return ClusterPin(
        server=_url(fields["server"]),
        ca_sha256=_digest(fields["caSHA256"]) if "caSHA256" in fields else None,
        tls_server_name=fields["tlsServerName"].string() if "tlsServerName" in fields else None,
        proxy_url=fields["proxyURL"].string() if "proxyURL" in fields else None,
        insecure=insecure is not None and insecure.boolean(),
    )


def url_fault(text: str) -> str | None:
    """Return what keeps a text from being the URL of a server or an issuer; None: nothing does.

    Over http kubectl sends no credentials, and OpenID Connect forbids it.
    """
    try:
        url = urlsplit(text)
        url.port  # noqa: B018 - raises for a port that is none
    except ValueError as exc:
        return f"is not a URL: {exc}"
    if url.scheme != "https" or not url.hostname:
        return "must be an https:// URL"
    if "?" in text or "#" in text or "@" in url.netloc:
        return "must have no user, query or fragment"
    if not text.isascii() or not text.isprintable() or " " in text:
        return "has characters that a URL cannot have"
    return None


def _url(node: Node) -> str:
    text = node.string()
    fault = url_fault(text)
    if fault is not None:
        raise node.error(f"{text!r} {fault}")
    return text


def _digest(node: Node) -> str:
    text = node.string().lower()
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise node.error(f"{text!r} is not a sha256 in hex (64 digits)")
    return text


def _path(node: Node) -> str:
    """Read a path; a relative one belongs to the directory of the config file."""
    return str(PurePath(node.file).parent / node.string())


def _plain(node: Node) -> object:
    if isinstance(node.value, dict):
        return {key: _plain(value) for key, value in node.value.items()}
    if isinstance(node.value, list):
        return [_plain(value) for value in node.value]
    return node.value
