"""Tokens in every other form, headers that say something else, members that are there twice."""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from kubectl_stepup.errors import TokenRejected
from tests.support.provider.cases import ISSUER, checked, good, payload
from tests.support.provider.keys import base64url, rsa_key
from tests.support.provider.tokens import compact, signature

MAIN = rsa_key()
NOT_COMPACT = "the ID token is not a signed JWT in compact form"
WRONG = "the ID token's signature is wrong"


def parts() -> tuple[str, str, str]:
    head, body, sign = good().split(".")
    return head, body, sign


def flattened(**members: object) -> str:
    head, body, sign = parts()
    return json.dumps({"protected": head, "payload": body, "signature": sign, **members})


def general(*heads: dict[str, object]) -> str:
    head, body, sign = parts()
    entry = {"protected": head, "signature": sign}
    return json.dumps({"payload": body, "signatures": [{**entry, **more} for more in heads or ({},)]})


def padded() -> str:
    return ".".join(part + "=" * (-len(part) % 4) for part in parts())


JWE_HEAD = base64url(b'{"alg":"RSA-OAEP-256","enc":"A256GCM"}')

FORMS: list[tuple[str, Callable[[], str], str]] = [
    ("flattened JSON serialization", flattened, NOT_COMPACT),
    ("flattened, with an unprotected header", lambda: flattened(header={"alg": "none"}), NOT_COMPACT),
    ("general JSON serialization", general, NOT_COMPACT),
    ("general, two signatures", lambda: general({}, {"header": {"kid": "other"}}), NOT_COMPACT),
    ("general, no signatures", lambda: json.dumps({"payload": parts()[1], "signatures": []}), NOT_COMPACT),
    ("a JSON text", lambda: json.dumps(good()), NOT_COMPACT),
    ("a JSON list", lambda: json.dumps([good()]), NOT_COMPACT),
    ("detached payload", lambda: "{0}..{2}".format(*parts()), NOT_COMPACT),
    ("no header", lambda: ".{1}.{2}".format(*parts()), NOT_COMPACT),
    ("JWE in compact form", lambda: f"{JWE_HEAD}.AAAA.AAAA.AAAA.AAAA", NOT_COMPACT),
    ("JWE with direct encryption", lambda: f"{JWE_HEAD}..AAAA.AAAA.AAAA", NOT_COMPACT),
    ("JWE in three parts", lambda: f"{JWE_HEAD}.AAAA.AAAA", "signed with 'RSA-OAEP-256', accepted are RS256"),
    ("JWE in JSON", lambda: json.dumps({"protected": JWE_HEAD, "ciphertext": "AAAA"}), NOT_COMPACT),
    ("SD-JWT with a disclosure", lambda: good() + "~WyJzYWx0IiwgImFjciIsICJtZmEiXQ~", NOT_COMPACT),
    ("two tokens with a space", lambda: f"{good()} {good()}", NOT_COMPACT),
    ("two tokens with a comma", lambda: f"{good()},{good()}", NOT_COMPACT),
    ("two tokens with a dot", lambda: f"{good()}.{good()}", NOT_COMPACT),
    ("as a header", lambda: f"Bearer {good()}", NOT_COMPACT),
    ("as a form", lambda: f"id_token={good()}", NOT_COMPACT),
    ("percent-encoded", lambda: good().replace(".", "%2E"), NOT_COMPACT),
    ("percent-encoded letters", lambda: "%65" + good()[1:], NOT_COMPACT),
    ("in quotes", lambda: f'"{good()}"', NOT_COMPACT),
    ("wrapped after 64 characters", lambda: good()[:64] + "\r\n" + good()[64:], NOT_COMPACT),
    ("a tab before a dot", lambda: good().replace(".", "\t.", 1), NOT_COMPACT),
    ("a BOM before it", lambda: "\ufeff" + good(), NOT_COMPACT),
    ("a zero-width space in it", lambda: good().replace(".", ".\u200b", 1), NOT_COMPACT),
    ("a NUL behind it", lambda: good() + "\0", NOT_COMPACT),
    ("dots of another script", lambda: good().replace(".", "．"), NOT_COMPACT),
    ("dots of ideographs", lambda: good().replace(".", "。"), NOT_COMPACT),
    ("every part padded", padded, NOT_COMPACT),
    ("a dot behind it", lambda: good() + ".", NOT_COMPACT),
    ("a dot before it", lambda: "." + good(), NOT_COMPACT),
    ("lower case", lambda: good().lower(), "the ID token's header"),
    ("the parts in another order", lambda: "{1}.{0}.{2}".format(*parts()), "signed with None"),
    ("the header twice", lambda: "{0}.{0}.{2}".format(*parts()), WRONG),
    ("null", lambda: "null", NOT_COMPACT),
    ("an object", lambda: "{}", NOT_COMPACT),
    ("a token in a token", lambda: compact({"alg": "RS256", "kid": "main", "cty": "JWT"}, good().encode(), lambda message: signature("RS256", MAIN, message)), "payload is not JSON"),
    ("the payload not encoded", lambda: f"{parts()[0]}.{json.dumps(payload())}.{parts()[2]}", NOT_COMPACT),
]  # fmt: skip


@pytest.mark.parametrize(("make", "reason"), [case[1:] for case in FORMS], ids=[case[0] for case in FORMS])
def test_a_token_in_another_form_is_refused(make: Callable[[], str], reason: str) -> None:
    with pytest.raises(TokenRejected) as caught:
        checked(make())
    assert reason in caught.value.message


UNUSUAL_HEADERS: list[tuple[str, str, tuple[object, ...]]] = [
    ("alg", "the ID token is signed with ", (
        "RS256 ", " RS256", "RS256\n", "RS-256", "RSA256", "SHA256withRSA", "ＲＳ256", "RS256\u200b", "None", "NONE", "", "HS384", "HS512", "RS1", "A256GCM", "dir",
        "RS256,ES256", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", True, 256, {"name": "RS256"},
    )),
    ("typ", "the token is of type ", (
        "JOSE", "JOSE+JSON", "JWE", "jwt+json", "at+JWT", "application/at+jwt", "application/application/jwt", "dpop+jwt", "secevent+jwt", "oauth-authz-req+jwt",
        "token-introspection+jwt", "vc+sd-jwt", "", "JWT ", "ＪＷＴ", ["JWT"], {}, True,
    )),
    ("kid", "which the provider does not publish", ("", "Main", "main ", "mаin", "../../dev/null", "' OR 1=1 --", "https://evil.example/key", "main,other", "*")),
    ("kid", "the ID token's key id is not a string", (0, True, {}, ["main"], 1.5)),
    ("crit", "header has crit, which is not supported", (["b64"], ["alg"], ["https://example.com/x"], None, "exp", {})),
    ("b64", "header has b64, which is not supported", (True, 0, "false")),
]  # fmt: skip
HEADERS: list[tuple[str, object, str]] = [
    (name, value, reason) for name, reason, values in UNUSUAL_HEADERS for value in values
]


@pytest.mark.parametrize(
    ("name", "value", "reason"), HEADERS, ids=[f"{name} {json.dumps(value)}" for name, value, _ in HEADERS]
)
def test_a_header_that_says_something_else_is_refused(name: str, value: object, reason: str) -> None:
    members = {"alg": "RS256", "kid": "main", "typ": "JWT", name: value}
    token = compact(members, payload(), lambda message: signature("RS256", MAIN, message))
    with pytest.raises(TokenRejected) as caught:
        checked(token)
    assert reason in caught.value.message


def twice(text: str, member: str, other: str) -> str:
    """Put a second `member` in front of the object's own."""
    return "{" + f"{member}:{other}," + text[1:]


GOOD_PAYLOAD = json.dumps(payload())
GOOD_HEADER = '{"alg":"RS256","kid":"main","typ":"JWT"}'

TWICE: list[tuple[str, str, str, str]] = [
    *((f"payload {name}", GOOD_HEADER, twice(GOOD_PAYLOAD, json.dumps(name), json.dumps(value)), f"payload has the member '{name}' twice") for name, value in payload().items()),
    *((f"header {name}", twice(GOOD_HEADER, json.dumps(name), json.dumps(value)), GOOD_PAYLOAD, f"header has the member '{name}' twice") for name, value in json.loads(GOOD_HEADER).items()),
    ("payload acr, one escaped", GOOD_HEADER, twice(GOOD_PAYLOAD, '"\\u0061cr"', '"pwd"'), "payload has the member 'acr' twice"),
    ("payload iss, wholly escaped", GOOD_HEADER, twice(GOOD_PAYLOAD, '"\\u0069\\u0073\\u0073"', f'"{ISSUER}"'), "payload has the member 'iss' twice"),
    ("header alg, one escaped", twice(GOOD_HEADER, '"\\u0061lg"', '"none"'), GOOD_PAYLOAD, "header has the member 'alg' twice"),
    ("payload, in an object of an object", GOOD_HEADER, twice(GOOD_PAYLOAD, '"a"', '{"b":{"c":1,"c":1}}'), "payload has the member 'c' twice"),
    ("payload, in an object of a list", GOOD_HEADER, twice(GOOD_PAYLOAD, '"a"', '[[{"c":1,"c":2}]]'), "payload has the member 'c' twice"),
    ("payload, in the address", GOOD_HEADER, twice(GOOD_PAYLOAD, '"address"', '{"country":"DE","country":"FR"}'), "payload has the member 'country' twice"),
    ("header, in a jwk", twice(GOOD_HEADER, '"jwk"', '{"kty":"RSA","kty":"oct"}'), GOOD_PAYLOAD, "header has the member 'kty' twice"),
    ("the empty name", GOOD_HEADER, twice(GOOD_PAYLOAD, '"a"', '{"":1,"":2}'), "payload has the member '' twice"),
    ("a third time", GOOD_HEADER, twice(twice(GOOD_PAYLOAD, '"sub"', '"bob"'), '"sub"', '"eve"'), "payload has the member 'sub' twice"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "body", "reason"), [case[1:] for case in TWICE], ids=[f"IDT-34 {case[0]}" for case in TWICE]
)
def test_a_member_that_is_there_twice_is_refused_at_any_depth(header: str, body: str, reason: str) -> None:
    token = compact(header.encode(), body.encode(), lambda message: signature("RS256", MAIN, message))
    with pytest.raises(TokenRejected) as caught:
        checked(token)
    assert reason in caught.value.message
