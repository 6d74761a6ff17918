"""Write enrolment into the user's config.yaml: one provider or cluster at a time, and leave everything else unchanged.

Works on bytes; whoever writes them does it under a lock (`yaml_edit.edited_file`), after showing the difference.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubectl_stepup.config.document import EVIDENCE_FIELDS, KIND, default_account_claim
from kubectl_stepup.config.model import Cluster, Provider
from kubectl_stepup.names import API_VERSION
from kubectl_stepup.yaml_edit.splice import Parse, with_item, without_item

SCHEMA = "https://kubectl-stepup.github.io/schemas/config.schema.json"
_NEW_FILE = f"# yaml-language-server: $schema={SCHEMA}\napiVersion: {API_VERSION}\nkind: {KIND}\n"


def with_provider(
    data: bytes | None, file: str, provider: Provider, *, overrides: Mapping[str, object] | None = None, parse: Parse
) -> bytes:
    """Return the config with `provider`, in place of the one of its name; the same bytes if it is there already.

    `data` is None where there is no file yet. `overrides` are those of the preset, by their keys in the config
    (`acrValues`, …): what `provider.preset` holds is no longer told apart from the preset's own.

    Raises:
        ConfigError: the file is written in a way that cannot be edited in place.

    """
    item = _provider_item(provider, overrides or {})
    return with_item(data or _NEW_FILE.encode(), file, key="providers", item=item, parse=parse)


def with_cluster(data: bytes | None, file: str, cluster: Cluster, *, parse: Parse) -> bytes:
    """Return the config with `cluster`, in place of the one of its name; the same bytes if it is there already.

    Raises:
        ConfigError: the file is written in a way that cannot be edited in place.

    """
    return with_item(data or _NEW_FILE.encode(), file, key="clusters", item=_cluster_item(cluster), parse=parse)


def without_provider(data: bytes, file: str, name: str, *, parse: Parse) -> bytes:
    """Return the config without the provider called `name`; the same bytes if there is none.

    Raises:
        ConfigError: the file is written in a way that cannot be edited in place.

    """
    return without_item(data, file, key="providers", name=name, parse=parse)


def without_cluster(data: bytes, file: str, name: str, *, parse: Parse) -> bytes:
    """Return the config without the cluster called `name`; the same bytes if there is none.

    Raises:
        ConfigError: the file is written in a way that cannot be edited in place.

    """
    return without_item(data, file, key="clusters", name=name, parse=parse)


def _provider_item(provider: Provider, overrides: Mapping[str, object]) -> dict[str, object]:
    item: dict[str, object] = {
        "name": provider.name,
        "issuer": provider.issuer,
        "clientID": provider.client_id,
        "elevatedClientID": provider.elevated_client_id,
        "preset": provider.preset_name,
    }
    if provider.account_claim != default_account_claim(provider.preset_name):
        item["accountClaim"] = provider.account_claim
    if provider.ca_file is not None:
        item["caFile"] = provider.ca_file
    if provider.ca_data is not None:
        item["caData"] = provider.ca_data
    item.update(overrides)
    if provider.evidence:
        item["evidence"] = {
            level: {name: list(getattr(evidence, name)) for name in EVIDENCE_FIELDS if getattr(evidence, name)}
            for level, evidence in provider.evidence.items()
        }
    return item


def _cluster_item(cluster: Cluster) -> dict[str, object]:
    pin = cluster.pin
    item: dict[str, object] = {"name": cluster.name}
    if cluster.labels:
        item["labels"] = dict(cluster.labels)
    item |= {"context": cluster.context, "server": pin.server}
    optional = {
        "caSHA256": pin.ca_sha256,
        "tlsServerName": pin.tls_server_name,
        "proxyURL": pin.proxy_url,
        "insecureSkipTLSVerify": pin.insecure or None,
    }
    item |= {key: value for key, value in optional.items() if value is not None}
    return item | {"provider": cluster.provider, "account": cluster.account}
