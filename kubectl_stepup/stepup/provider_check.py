"""What can be seen of a provider before anybody signs in: whether a step-up there can succeed at all."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.errors import ProviderError, TokenRejected
from kubectl_stepup.sanitise import quoted
from kubectl_stepup.stepup.device_flow import wrong_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kubectl_stepup.config.model import Provider
    from kubectl_stepup.oidc.metadata import ProviderMetadata
    from kubectl_stepup.oidc.provider import OIDCProvider
    from kubectl_stepup.policy.model import Level

    UsableAlgorithms = Callable[[object, Sequence[str]], tuple[str, ...]]
    """Return those of the `alg` values for which a JWKS has a key (oidc/id_token.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What stands in the way of a step-up, and what to do; `is_certain`: each one will fail."""

    sentence: str
    fix: str
    is_certain: bool = True


def provider_problems(
    provider: Provider, client: OIDCProvider, usable: UsableAlgorithms, levels: Sequence[Level]
) -> Iterator[Problem]:
    """List what is wrong with a provider that answers, as far as its documents show it.

    Raises:
        ProviderError: it does not answer, is another, or has no device flow.
    """
    metadata = client.metadata()
    metadata.device_endpoint()
    off = None if client.clock_ahead_s is None else wrong_clock(client.clock_ahead_s, metadata.host)
    if off is not None:
        yield Problem(sentence=off.message, fix=off.hint or "")
    yield from _signatures(provider, client, metadata, usable)
    for level in levels:
        evidence = provider.evidence_of(level.name)
        if evidence and evidence.acr and metadata.acr_values and not set(evidence.acr) & set(metadata.acr_values):
            yield Problem(
                sentence=f"{provider.name} does not name acr {' or '.join(evidence.acr)} among those it can prove "
                f"(acr_values_supported): commands that need level {level.name} may be refused after the sign-in",
                fix=f"kubectl stepup setup --provider {provider.name} --evidence {level.name}:acr=VALUE",
                is_certain=False,
            )


def _signatures(
    provider: Provider, client: OIDCProvider, metadata: ProviderMetadata, usable: UsableAlgorithms
) -> Iterator[Problem]:
    accepted = client.algorithms(provider.preset.signing_algorithms)
    offered = metadata.offered_algorithms
    common = accepted if offered is None else tuple(alg for alg in accepted if alg in offered)
    if not common:
        shown = ", ".join(quoted(alg, 40) for alg in (offered or ())[:10]) or "nothing"
        yield Problem(
            sentence=f"{metadata.host} signs ID tokens with {shown}, accepted are {', '.join(accepted)}",
            fix=f"have client {provider.elevated_client_id} sign its ID tokens with one of them at the provider",
        )
        return
    try:
        found = usable(client.jwks(), common)
    except (ProviderError, TokenRejected) as exc:
        look = f"look at what is there: curl {shlex.quote(metadata.jwks_uri)}"
        yield Problem(sentence=exc.message, fix=exc.hint or look)
        return
    if not found:
        yield Problem(
            sentence=f"{metadata.jwks_uri} publishes no key that can be used with {', '.join(common)}",
            fix="publish the provider's signing key there: RSA of 2048 to 8192 bits, or P-256, P-384, P-521",
        )
