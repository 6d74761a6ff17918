from __future__ import annotations

import pytest

from kubectl_stepup.strict_json import JSONRefused, json_object


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"{}", {}),
        (b' {"a": [1, 2.5, -3e2, true, null, {"b": "\xc3\xa5"}]} ', {"a": [1, 2.5, -300.0, True, None, {"b": "å"}]}),
        (b'{"a":{"x":1},"b":{"x":1}}', {"a": {"x": 1}, "b": {"x": 1}}),
        (b'{"a":"\\ud83e\\udd8a"}', {"a": "\U0001f98a"}),
    ],
)
def test_an_object_with_one_meaning_is_read(data: bytes, value: object) -> None:
    assert json_object(data) == value


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b"5", "is not a JSON object"),
        (b"{} {}", "is not JSON"),
        (b'{"a":1,}', "is not JSON"),
        (b'{"a":1,"a":1}', "has the member 'a' twice"),
        (b'{"\\u0061":1,"a":1}', "has the member 'a' twice"),
        (b'{"a":-Infinity}', "has -Infinity, which is not JSON"),
        (b'{"a":' + b"1" * 33 + b"}", "has a number that is too long"),
        (b'{"a":1e400}', "has a number that is too large"),
        (b'{"a":"\\u0000"}', "has a NUL character"),
        (b'{"\\udc00":1}', "has half a surrogate pair"),
        (b'{"a":"\xff"}', "is not UTF-8"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "is nested too deeply"),
        (b"[" * 100_000, "is nested too deeply"),
    ],
)
def test_everything_else_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(JSONRefused) as caught:
        json_object(data)
    assert str(caught.value) == reason
