"""`policy compile --no-elevated-proxy`: one more policy, and nothing else is different."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.enforce.targets.admission import Gate, objects
from kubectl_stepup.errors import PolicyError
from tests.unit.enforce.policies import PROD, policy

NAME = "kubectl-stepup-elevated-proxy"


def compiled(*rules: str, elevated_proxy: bool) -> list[dict[str, Any]]:
    gate = Gate(
        cluster=PROD,
        policy=policy(*rules),
        acr_values={},
        annotations={"digest": "d"},
        break_glass="sre",
        elevated_proxy=elevated_proxy,
    )
    return list(objects(gate))


RULES = ("name: a, do: [shell], needs: mfa", "name: b, do: [delete], needs: mfa")


def test_all_other_objects_stay_as_they_are() -> None:
    without, with_it = compiled(*RULES, elevated_proxy=True), compiled(*RULES, elevated_proxy=False)

    assert [one for one in with_it if one["metadata"]["name"] != NAME] == without
    assert [one["kind"] for one in with_it if one["metadata"]["name"] == NAME] == [
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ]


def test_it_is_about_proxies_and_every_level_whatever_the_rules() -> None:
    spec = next(one["spec"] for one in compiled(RULES[1], elevated_proxy=False) if one["metadata"]["name"] == NAME)

    (about,) = spec["matchConstraints"]["resourceRules"]
    assert about["resources"] == ["pods/proxy", "services/proxy", "nodes/proxy"]
    assert about["operations"] == ["CONNECT"]
    assert "group.startsWith('stepup:')" in spec["variables"][0]["expression"]
    assert spec["failurePolicy"] == "Fail"


def test_a_rule_of_that_name_is_refused_and_only_then() -> None:
    named = "name: elevated-proxy, do: [delete], needs: mfa"
    with pytest.raises(PolicyError, match="rule elevated-proxy has the name"):
        compiled(named, elevated_proxy=False)
    assert compiled(named, elevated_proxy=True)
