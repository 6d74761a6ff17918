"""A step-up request survives its JSON; its digest stands for what a person approves."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from kubectl_stepup.errors import ConfigError, PolicyError
from kubectl_stepup.stepup.request import StepUpRequest
from kubectl_stepup.stepup.request_json import digest_of, request_from_json, request_to_json
from tests.flows import CLUSTER, CONFIG, POLICY, asked, provider_with
from tests.support.values import TERMINAL_SCOPE, repinned

REQUEST = asked("delete", "pod", "web-0", reason="INC-42", published_rules=(("prod-eu", "their"),))


def read(text: str) -> StepUpRequest:
    return request_from_json(text, config=CONFIG, policy=POLICY, scope=TERMINAL_SCOPE)


def test_it_is_read_as_it_was_written() -> None:
    found = read(request_to_json(REQUEST))
    assert request_to_json(found) == request_to_json(REQUEST)
    assert found == replace(REQUEST, options=found.options)
    assert (found.options.level, found.options.reason) == ("mfa", "INC-42")


def test_the_json_is_compact_sorted_and_of_one_version() -> None:
    text = request_to_json(REQUEST)
    fields = json.loads(text)
    assert fields["v"] == 1
    assert text == json.dumps(fields, separators=(",", ":"), sort_keys=True)
    assert fields["command"] == ["delete", "pod", "web-0"]


def test_the_digest_is_the_same_for_the_same_request_alone() -> None:
    assert digest_of(REQUEST) == digest_of(replace(REQUEST)) == digest_of(read(request_to_json(REQUEST)))
    others = [
        replace(REQUEST, command=("delete", "pod", "web-1")),
        replace(REQUEST, level=POLICY.level("strong")),
        replace(REQUEST, rules=("deletes", "another")),
        replace(REQUEST, published_rules=()),
        replace(REQUEST, summary="delete pods in shop, twice"),
        replace(REQUEST, context="another"),
        replace(REQUEST, cluster=replace(CLUSTER, account="bob")),
        replace(REQUEST, cluster=repinned(CLUSTER, server="https://other.example.com")),
        replace(REQUEST, provider=provider_with(issuer="https://other.example.com")),
        asked("delete", "pod", "web-0", reason="INC-43", published_rules=(("prod-eu", "their"),)),
        asked("delete", "pod", "web-0", reason="INC-42", fresh=True, published_rules=(("prod-eu", "their"),)),
        asked("delete", "pod", "web-0", reason="INC-42", once=True, published_rules=(("prod-eu", "their"),)),
    ]
    assert len({digest_of(one) for one in (REQUEST, *others)}) == len(others) + 1


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"more": 1},
        {"command": "delete pod"},
        {"command": [1]},
        {"rules": None},
        {"publishedRules": [["prod-eu"]]},
        {"publishedRules": [["prod-eu", 1]]},
        {"fresh": 1},
        {"reason": 1},
        {"cluster": "gone"},
        {"account": "bob"},
        {"issuer": "https://other.example.com"},
        {"server": "https://other.example.com"},
        {"client": "other"},
    ],
)
def test_what_is_malformed_or_enrolled_otherwise_is_refused(changes: dict[str, Any]) -> None:
    fields = {**json.loads(request_to_json(REQUEST)), **changes}
    with pytest.raises(ConfigError):
        read(json.dumps(fields, separators=(",", ":"), sort_keys=True))


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "[" * 100_000, "null"])
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        read(text)


def test_a_level_that_is_gone_is_refused() -> None:
    fields = {**json.loads(request_to_json(REQUEST)), "level": "gold"}
    with pytest.raises(PolicyError):
        read(json.dumps(fields, separators=(",", ":"), sort_keys=True))


def test_a_member_that_is_missing_is_refused() -> None:
    fields = json.loads(request_to_json(REQUEST))
    del fields["summary"]
    with pytest.raises(ConfigError):
        read(json.dumps(fields, separators=(",", ":"), sort_keys=True))
