"""Places in a list that a JSON patch names: digits alone, as the API server reads them."""

from __future__ import annotations

import pytest

from kubectl_stepup.demo.patches import patched
from kubectl_stepup.demo.statuses import StatusError

JSON_PATCH = "application/json-patch+json"


@pytest.mark.parametrize("step", ["-1", "+1", "1_0", " 1", "01", "x", "", "\u0661", "9" * 20, "9" * 5000])
@pytest.mark.parametrize("name", ["add", "remove", "replace", "test"])
def test_what_is_no_plain_number_is_no_place_in_a_list(name: str, step: str) -> None:
    operation = {"op": name, "path": f"/items/{step}", "value": "b"}
    with pytest.raises(StatusError) as caught:
        patched({"items": ["a", "b"]}, [operation], JSON_PATCH)
    assert caught.value.code == 422


def test_plain_numbers_are() -> None:
    operations = [{"op": "remove", "path": "/items/0"}, {"op": "add", "path": "/items/-", "value": "c"}]
    assert patched({"items": ["a", "b"]}, operations, JSON_PATCH) == {"items": ["b", "c"]}
