"""From `setup`'s options to the enrolment that they ask for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from kubectl_stepup.config.document import EVIDENCE_FIELDS
from kubectl_stepup.errors import UsageError
from kubectl_stepup.oidc.preset_overrides import OVERRIDES
from kubectl_stepup.oidc.requirement import Evidence
from kubectl_stepup.stepup.setup import Enrolment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TEXTS = (
    "name", "provider", "issuer", "client_id", "elevated_client_id", "preset", "account", "account_claim",
    "elevated_context", "level",
)  # fmt: skip


def enrolment_of(options: Mapping[str, Any]) -> Enrolment:
    """Read the options.

    Raises:
        UsageError: an option's value has another form than its help says.
    """
    ca_file = options["ca_file"]
    return Enrolment(
        **{name: options[name] for name in _TEXTS},
        # The config is read from other directories than this one.
        ca_file=None if ca_file is None else os.path.abspath(ca_file),
        evidence=evidence_of(options["evidence"]),
        overrides=dict(_override(text) for text in options["overrides"]),
        labels=dict(_pair("--label", text) for text in options["labels"]),
    )


def evidence_of(texts: Iterable[str]) -> dict[str, Evidence]:
    """Read `LEVEL:CLAIM=VALUE[,VALUE]`, repeated for more claims or levels."""
    levels: dict[str, dict[str, tuple[str, ...]]] = {}
    for text in texts:
        level, colon, rest = text.partition(":")
        claim, equals, values = rest.partition("=")
        split = tuple(value for value in values.split(",") if value)
        if not (level and colon and equals and split) or claim not in EVIDENCE_FIELDS:
            raise UsageError(
                f"--evidence {text!r} is not LEVEL:CLAIM=VALUE[,VALUE] with a claim of {', '.join(EVIDENCE_FIELDS)}",
                hint="kubectl stepup setup --evidence mfa:acr=gold,phr",
            )
        levels.setdefault(level, {})[claim] = split
    return {level: Evidence(**claims) for level, claims in levels.items()}


def _override(text: str) -> tuple[str, object]:
    name, value = _pair("--set", text)
    if name not in OVERRIDES:
        raise UsageError(f"--set {name} is no value of a preset (known: {', '.join(sorted(OVERRIDES))})")
    if value in ("true", "false"):
        return name, value == "true"
    return name, value.split(",") if "," in value or name in _LISTS else value


_LISTS = frozenset({"scopes", "flows", "signingAlgorithms", "endpointHosts", "verificationHosts", "extraAudiences"})


def _pair(option: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(f"{option} {text!r} is not KEY=VALUE")
    return name, value
