"""Which identity provider `setup` is about: a new one, or an enrolled one with changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kubectl_stepup.config.document import default_account_claim
from kubectl_stepup.config.model import Provider
from kubectl_stepup.errors import ConfigError, UsageError
from kubectl_stepup.oidc.preset_overrides import OVERRIDES
from kubectl_stepup.oidc.presets import preset_with
from kubectl_stepup.oidc.url import host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_stepup.stepup.setup import Enrolment, EnrolPorts


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenProvider:
    """The provider, whether it must be written, and the preset's values that the config overrides, as written there."""

    provider: Provider
    is_changed: bool
    overrides: Mapping[str, object] = field(default_factory=dict)


def choose_provider(wanted: Enrolment, ports: EnrolPorts) -> ChosenProvider:
    """Return the provider that the flags mean.

    Raises:
        UsageError: the flags do not say which, or contradict what is enrolled.
        ConfigError: the provider is the system's and cannot be changed.
    """
    known = _enrolled_provider(wanted, ports)
    if known is not None:
        return _with_changes(known, wanted, ports)
    if wanted.issuer is None or wanted.client_id is None:
        missing = "--issuer or --provider is needed" if wanted.issuer is None else "--client-id is needed with --issuer"
        raise UsageError(missing, hint="kubectl stepup setup --issuer URL --client-id ID")
    preset = preset_with(wanted.preset or "generic", dict(wanted.overrides))
    provider = Provider(
        name=wanted.provider or _free_name(wanted.issuer, ports),
        issuer=wanted.issuer,
        client_id=wanted.client_id,
        elevated_client_id=wanted.elevated_client_id or f"{wanted.client_id}-elevated",
        preset=preset,
        account_claim=wanted.account_claim or default_account_claim(preset.name),
        evidence=wanted.evidence,
        ca_file=wanted.ca_file,
    )
    return ChosenProvider(provider=provider, is_changed=True, overrides=wanted.overrides)


def _with_changes(known: Provider, wanted: Enrolment, ports: EnrolPorts) -> ChosenProvider:
    changed = _changed(known, wanted)
    if changed == known:
        return ChosenProvider(provider=known, is_changed=False)
    written = _as_written(known.name, ports)
    if written is None:
        raise ConfigError(f"provider {known.name} stands in the system's config and cannot be changed here")
    overrides = {name: value for name, value in written.items() if name in OVERRIDES}
    return ChosenProvider(provider=changed, is_changed=True, overrides=overrides)


def _as_written(name: str, ports: EnrolPorts) -> Mapping[str, object] | None:
    """Return the provider's entry in the user's own config; None where it stands in the system's."""
    data = ports.read(ports.config_path)
    document = None if data is None else ports.parse(data, ports.config_path)
    providers = document.get("providers") if isinstance(document, dict) else None
    for item in providers if isinstance(providers, list) else []:
        if isinstance(item, dict) and item.get("name") == name:
            return item
    return None


def _enrolled_provider(wanted: Enrolment, ports: EnrolPorts) -> Provider | None:
    """Find the enrolled provider that the flags mean: by name, by issuer, or because there is only one."""
    providers = ports.config.providers
    if wanted.provider is not None:
        named = next((one for one in providers if one.name == wanted.provider), None)
        if named is None and wanted.issuer is None:
            return ports.config.provider(wanted.provider)  # says which there are
        if named is not None and wanted.issuer not in (None, named.issuer):
            raise UsageError(f"provider {named.name} is enrolled with the issuer {named.issuer}, not {wanted.issuer}")
        return named
    if wanted.issuer is not None:
        return next((one for one in providers if one.issuer == wanted.issuer), None)
    return providers[0] if len(providers) == 1 else None


def _changed(known: Provider, wanted: Enrolment) -> Provider:
    """Return an enrolled provider with what the flags change; what they do not name stays."""
    asked_for = preset_with(wanted.preset or known.preset_name, dict(wanted.overrides))
    if (wanted.preset is not None or wanted.overrides) and asked_for != known.preset:
        raise UsageError(
            f"the preset of provider {known.name} is changed in the config file",
            hint=f"kubectl stepup setup --provider NAME   (a new name), or edit provider {known.name}",
        )
    return replace(
        known,
        client_id=wanted.client_id or known.client_id,
        elevated_client_id=wanted.elevated_client_id or known.elevated_client_id,
        account_claim=wanted.account_claim or known.account_claim,
        ca_file=wanted.ca_file or known.ca_file,
        ca_data=None if wanted.ca_file else known.ca_data,
        evidence={**known.evidence, **wanted.evidence},
    )


def _free_name(issuer: str, ports: EnrolPorts) -> str:
    """Name a new provider after its host; a second issuer on that host needs a name of the person's choice."""
    name = host(issuer)
    if any(one.name == name for one in ports.config.providers):
        raise UsageError(
            f"provider {name} is another issuer on the same host", hint="kubectl stepup setup --provider NAME ..."
        )
    return name
