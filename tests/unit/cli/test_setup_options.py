from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from kubectl_stepup.cli.setup_options import enrolment_of, evidence_of
from kubectl_stepup.errors import UsageError
from kubectl_stepup.oidc.presets import preset_with
from kubectl_stepup.oidc.requirement import Evidence
from kubectl_stepup.stepup.setup import Enrolment

NOTHING: dict[str, Any] = {
    "name": None,
    "provider": None,
    "issuer": None,
    "client_id": None,
    "elevated_client_id": None,
    "preset": None,
    "account": None,
    "account_claim": None,
    "ca_file": None,
    "elevated_context": None,
    "level": None,
    "evidence": (),
    "overrides": (),
    "labels": (),
}


def enrolled(**options: Any) -> Enrolment:
    return enrolment_of({**NOTHING, **options})


def test_nothing_given_is_nothing_asked() -> None:
    assert enrolled() == Enrolment()


def test_texts_are_taken_as_they_are() -> None:
    given: dict[str, Any] = {
        "name": "n",
        "issuer": "i",
        "client_id": "c",
        "level": "l",
        "elevated_context": "e",
        "account": "a",
    }
    assert enrolled(**given) == Enrolment(**given)


def test_a_relative_ca_file_belongs_to_this_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert enrolled(ca_file="ca.pem").ca_file == os.path.join(tmp_path, "ca.pem")
    assert enrolled(ca_file="/etc/ca.pem").ca_file == "/etc/ca.pem"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((), {}),
        (("mfa:acr=gold",), {"mfa": Evidence(acr=("gold",))}),
        (("mfa:acr=gold,phr",), {"mfa": Evidence(acr=("gold", "phr"))}),
        (("mfa:acr=urn:x:y=z",), {"mfa": Evidence(acr=("urn:x:y=z",))}),
        (
            ("mfa:acr=gold", "mfa:amr=mfa,otp", "critical:acrs=c1"),
            {"mfa": Evidence(acr=("gold",), amr=("mfa", "otp")), "critical": Evidence(acrs=("c1",))},
        ),
        (("mfa:acr=gold", "mfa:acr=phr"), {"mfa": Evidence(acr=("phr",))}),
        (("mfa:aud=a", "mfa:scope=s"), {"mfa": Evidence(aud=("a",), scope=("s",))}),
    ],
)
def test_evidence(texts: tuple[str, ...], expected: dict[str, Evidence]) -> None:
    assert evidence_of(texts) == expected


@pytest.mark.parametrize(
    "text", ["", "acr=gold", "mfa:acr", "mfa:acr=", "mfa:acr=,", ":acr=gold", "mfa:nonsense=x", "mfa"]
)
def test_evidence_of_another_form(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        evidence_of([text])
    assert caught.value.message == (
        f"--evidence {text!r} is not LEVEL:CLAIM=VALUE[,VALUE] with a claim of acr, amr, acrs, aud, scope"
    )
    assert caught.value.hint == "kubectl stepup setup --evidence mfa:acr=gold,phr"


def test_labels_and_overrides_are_pairs() -> None:
    found = enrolled(labels=("env=prod", "owner=a=b"), overrides=("maxAge=false", "acrValues=gold", "prompt=login"))
    assert found.labels == {"env": "prod", "owner": "a=b"}
    assert found.overrides == {"maxAge": False, "acrValues": "gold", "prompt": "login"}


@pytest.mark.parametrize("text", ["scopes=openid,groups", "scopes=openid", "signingAlgorithms=ES256", "flows=device"])
def test_lists_may_have_one_value(text: str) -> None:
    name, _, value = text.partition("=")
    assert enrolled(overrides=(text,)).overrides == {name: value.split(",")}


@pytest.mark.parametrize(
    "text",
    [
        "scopes=openid,groups",
        "flows=device",
        "signingAlgorithms=ES256",
        "endpointHosts=a.example.com",
        "verificationHosts=a.example.com",
        "extraAudiences=kubernetes",
        "maxAge=true",
        "acrValues=a b",
        "acrValues=true",
        "prompt=login",
        "authTime=absent",
    ],
)
def test_what_is_read_is_what_a_preset_takes(text: str) -> None:
    preset_with("generic", dict(enrolled(overrides=(text,)).overrides))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": ("env",)}, "--label 'env' is not KEY=VALUE"),
        ({"labels": ("=prod",)}, "--label '=prod' is not KEY=VALUE"),
        ({"overrides": ("maxAge",)}, "--set 'maxAge' is not KEY=VALUE"),
        ({"overrides": ("nonsense=1",)}, "--set nonsense is no value of a preset (known: "),
    ],
)
def test_pairs_of_another_form(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        enrolled(**options)
    assert caught.value.message.startswith(message)
