"""Whatever an object holds, it is evaluated or said to be wrong."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_stepup.errors import RbacInvalid
from kubectl_stepup.policy.load import load as load_policy
from kubectl_stepup.policy.model import Target
from kubectl_stepup.rbac.findings import audit
from kubectl_stepup.rbac.fix import fixes
from kubectl_stepup.rbac.model import FileLocation
from kubectl_stepup.rbac.reading import Manifest, objects_of
from kubectl_stepup.rbac.report import document
from kubectl_stepup.rbac.sarif import sarif
from tests.rbac.weaknesses import WEAKNESSES

OBJECTS: list[Any] = list(yaml.safe_load_all(WEAKNESSES.read_text(encoding="utf-8")))
POLICY = load_policy(None, None)
WORDS = st.sampled_from(
    ["*", "*/*", "pods/*", "/", "", "secrets", "stepup:", "stepup:mfa:", "system:masters", "a" * 300]
)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), WORDS, st.text(max_size=5), st.lists(WORDS, max_size=3), st.just({})
)


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside another."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, one in pairs for found in ((*path, key), *places(one, (*path, key)))]


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_malformed_values_anywhere(data: st.DataObject) -> None:
    objects = copy.deepcopy(data.draw(st.lists(st.sampled_from(OBJECTS), min_size=2, max_size=6)))
    for one in objects:
        *way, last = data.draw(st.sampled_from(places(one)))
        inner = one
        for key in way:
            inner = inner[key]
        inner[last] = data.draw(VALUES)
    location = FileLocation(file="f.yaml", line=1)
    with contextlib.suppress(RbacInvalid):
        read = objects_of(Manifest(content=one, location=location) for one in objects)
        found = audit(read, POLICY, Target())
        assert len(document(found, cluster=None, notes=())["items"]) == len(found)
        assert len(sarif(found, version="1")["runs"][0]["results"]) == len(found)
        for piece in fixes(found, read, POLICY, Target()):
            rules = (piece.manifest or {}).get("rules", ())
            assert not [word for rule in rules for words in rule.values() for word in words if word == "*"]
