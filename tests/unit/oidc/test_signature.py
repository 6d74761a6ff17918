"""Which keys and which signatures count, how large anything may be, and what a refusal says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from kubectl_stepup.errors import TokenRejected
from kubectl_stepup.oidc.claims import Expectation
from tests.support.provider.cases import EXPECTED, Published, accept, checked, good, payload
from tests.support.provider.keys import base64url, ec_key, ed25519_key, public_jwk, rsa_key
from tests.support.provider.tokens import compact, signature, signed

MAIN = rsa_key()
EC, ED = ec_key(), ed25519_key()
GOOD = public_jwk(MAIN, kid="main", use="sig", alg="RS256")


def refused(token: str, **options: Any) -> str:
    with pytest.raises(TokenRejected) as caught:
        checked(token, **options)
    return caught.value.message


def made(header: bytes, body: bytes) -> str:
    return compact(header, body, lambda message: signature("RS256", MAIN, message))


def padded(members: dict[str, object], size: int) -> bytes:
    """Return `members` as JSON of that many bytes."""
    text = json.dumps({**members, "padding": ""})
    return json.dumps({**members, "padding": "x" * (size - len(text))}).encode()


def modulus(bits: int) -> dict[str, object]:
    """Return an RSA key of that size; nobody has its other half."""
    number = (1 << (bits - 1)) + 1
    return {"kty": "RSA", "kid": "main", "e": "AQAB", "n": base64url(number.to_bytes((bits + 7) // 8, "big"))}


HEADER: dict[str, object] = {"alg": "RS256", "kid": "main"}
WRONG = "the ID token's signature is wrong"


def test_a_header_and_a_payload_may_be_as_large_as_they_may() -> None:
    body = json.dumps(payload()).encode()
    accept(made(padded(HEADER, 8192), body))
    assert refused(made(padded(HEADER, 8193), body)) == "the ID token's header is too large"
    head = json.dumps(HEADER).encode()
    accept(made(head, padded(payload(), 65_536)))
    assert refused(made(head, padded(payload(), 65_537))) == "the ID token's payload is too large"
    accept(made(padded(HEADER, 8192), padded(payload(), 65_536)))


def test_a_signature_may_be_as_large_as_that_of_the_largest_key() -> None:
    head, body, _ = good().split(".")
    assert refused(f"{head}.{body}.{base64url(bytes(1024))}") == WRONG
    assert refused(f"{head}.{body}.{base64url(bytes(1025))}") == "the ID token's signature is too large"


def test_a_token_is_as_large_as_its_parts_may_be_together() -> None:
    largest = 4 * (8192 + 65_536 + 1024) // 3
    assert refused("A" * largest) == "the ID token is not a signed JWT in compact form"
    assert refused("A" * (largest + 1)) == "the ID token is too large"


@pytest.mark.parametrize(
    ("bits", "message"),
    [
        (2047, "the provider publishes no usable key main for RS256"),
        (2048, WRONG),
        (8192, WRONG),
        (8193, "the provider publishes no usable key main for RS256"),
    ],
)
def test_an_rsa_key_has_from_2048_to_8192_bits(bits: int, message: str) -> None:
    assert refused(good(), jwks=Published(modulus(bits))) == message


def test_as_many_as_two_hundred_keys_are_read() -> None:
    others = [public_jwk(EC, kid="other")] * 199
    accept(good(), jwks=Published(*others, GOOD))
    message = refused(good(), jwks=Published(*others, GOOD, GOOD))
    assert message == "the provider's JWKS has 201 keys, at most 200 are read"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"crit": ["exp"]}, "the ID token's header has crit, which is not supported"),
        ({"b64": True}, "the ID token's header has b64, which is not supported"),
        ({"typ": "at+jwt"}, "the token is of type 'at+jwt', not an ID token"),
        ({"typ": ["JWT"]}, "the token is of type ['JWT'], not an ID token"),
        ({"typ": "x" * 38}, f"the token is of type '{'x' * 38}', not an ID token"),
        ({"typ": "x" * 39}, f"the token is of type '{'x' * 32}...[+8], not an ID token"),
        ({"alg": 5}, "the ID token is signed with 5, accepted are RS256, ES256"),
        ({"alg": "x" * 38}, f"the ID token is signed with '{'x' * 38}', accepted are RS256, ES256"),
        ({"alg": "x" * 39}, f"the ID token is signed with '{'x' * 32}...[+8], accepted are RS256, ES256"),
        ({"kid": 5}, "the ID token's key id is not a string"),
        ({"kid": "x" * 60}, f"the ID token is signed with key {'x' * 60}, which the provider does not publish"),
        ({"kid": "x" * 61}, f"the ID token is signed with key {'x' * 53}...[+8], which the provider does not publish"),
    ],
)
def test_a_header_that_is_refused_says_why(header: dict[str, object], message: str) -> None:
    token = made(json.dumps({**HEADER, **header}).encode(), json.dumps(payload()).encode())
    assert refused(token, expected=replace(EXPECTED, algorithms=("RS256", "ES256"))) == message


def test_an_algorithm_with_a_shared_secret_is_refused_wherever_it_is_enrolled() -> None:
    for alg in ("HS256", "none", "RS1"):
        token = made(json.dumps({**HEADER, "alg": alg}).encode(), json.dumps(payload()).encode())
        expected = replace(EXPECTED, algorithms=(alg,))
        assert refused(token, expected=expected) == f"the ID token is signed with '{alg}', accepted are {alg}"


def test_broken_parts_are_named() -> None:
    head, body, sign = good().split(".")
    assert refused(f"{head}A.{body}.{sign}").startswith("the ID token's header is not")
    assert refused(f"{head}.AAAAA.{sign}") == "the ID token's payload is not base64url"
    assert refused(f"{head}.{body}.AB") == "the ID token's signature is not base64url"
    assert refused(made(b"[]", b"{}")) == "the ID token's header is not a JSON object"
    assert refused(made(json.dumps(HEADER).encode(), b"[]")) == "the ID token's payload is not a JSON object"


class Odd(Published):
    """A provider whose keys are no key set."""

    def __init__(self, document: object) -> None:
        super().__init__()
        self.document = document

    def __call__(self, force: bool) -> object:
        return self.document


@pytest.mark.parametrize("document", [{"keys": {"main": GOOD}}, {"keys": None}, {"Keys": [GOOD]}, [GOOD], None])
def test_a_key_set_that_is_none_is_named(document: object) -> None:
    assert refused(good(), jwks=Odd(document)) == "the provider's JWKS has no list of keys"


def test_a_key_without_a_name_is_told_apart() -> None:
    nameless = good({"kid": None})
    none = Published()
    none.keys = []
    message = "the ID token is signed with key without a name, which the provider does not publish"
    assert refused(nameless, jwks=none) == message
    assert none.calls == [False]
    unusable = Published(public_jwk(EC))
    assert refused(nameless, jwks=unusable) == "the provider publishes no usable key without a name for RS256"


def test_keys_are_fetched_anew_only_for_a_name_that_is_not_there() -> None:
    known, unknown = Published(public_jwk(rsa_key("thief"), kid="old"), GOOD), Published()
    accept(good(), jwks=known)
    refused(good({"kid": "new"}), jwks=unknown)
    assert (known.calls, unknown.calls) == ([False], [False, True])


def test_a_new_key_without_a_name_serves_only_where_none_has_the_name() -> None:
    old = public_jwk(rsa_key("thief"), kid="old")
    accept(good(), jwks=Published(old, after_refetch=[public_jwk(MAIN)]))
    assert refused(good(), jwks=Published(public_jwk(MAIN), after_refetch=[old])) == (
        "the ID token is signed with key main, which the provider does not publish"
    )
    assert refused(good(), jwks=Published(old, after_refetch=[public_jwk(MAIN), {**old, "kid": "main"}])) == WRONG


@pytest.mark.parametrize(
    "members",
    [{"use": "sig"}, {"alg": "RS256"}, {"key_ops": ["verify"]}, {"key_ops": ["sign", "verify"]}, {"key_ops": None}],
    ids=str,
)
def test_a_key_that_may_verify_is_used(members: dict[str, object]) -> None:
    accept(good(), jwks=Published(public_jwk(MAIN, kid="main", **members)))


@pytest.mark.parametrize(
    "spoilt", [{"use": "enc"}, {"alg": "RS512"}, {"key_ops": []}, {"n": "!"}, {"kty": "EC"}], ids=str
)
def test_a_key_that_may_not_does_not_cost_the_next_one(spoilt: dict[str, object]) -> None:
    accept(good(), jwks=Published({**GOOD, **spoilt}, GOOD))
    accept(good(), jwks=Published(public_jwk(rsa_key("thief"), kid="main"), {**GOOD, **spoilt}, GOOD))


@pytest.mark.parametrize(
    "spoilt",
    [
        {"use": "enc"},
        {"use": None},
        {"alg": "RS512"},
        {"key_ops": []},
        {"key_ops": "verify"},
        {"key_ops": ["sign"]},
        {"kty": "EC"},
        {"kty": None},
        {"n": "!"},
        {"n": None},
        {"e": 65537},
    ],
    ids=str,
)
def test_a_key_that_may_not_is_not_used(spoilt: dict[str, object]) -> None:
    message = "the provider publishes no usable key main for RS256"
    assert refused(good(), jwks=Published({**GOOD, **spoilt})) == message


def test_only_the_public_members_of_a_key_are_looked_at() -> None:
    accept(good(), jwks=Published({**GOOD, "d": 5, "x5c": "odd", "oth": [], "k": "AAAA"}))
    okp = {**public_jwk(ED, kid="main"), "d": "odd"}
    expected = replace(EXPECTED, algorithms=("EdDSA",))
    accept(signed(payload(), ED, alg="EdDSA", kid="main"), expected=expected, jwks=Published(okp))


def test_the_account_is_what_the_enrolled_claim_says() -> None:
    expected = replace(EXPECTED, account_claim="oid")
    assert checked(good(sub="0b0b", oid="alice"), expected=expected).account == "alice"


def half(name: str, access_token: str) -> str:
    digest = hashlib.new(name, access_token.encode()).digest()
    return base64url(digest[: len(digest) // 2])


@pytest.mark.parametrize(
    ("alg", "key", "digest"),
    [
        ("RS256", MAIN, "sha256"),
        ("RS384", MAIN, "sha384"),
        ("PS512", MAIN, "sha512"),
        ("ES256", EC, "sha256"),
        ("EdDSA", ED, "sha512"),
        ("Ed25519", ED, "sha512"),
    ],
)
def test_the_hash_of_the_access_token_is_the_algorithms_own(alg: str, key: Any, digest: str) -> None:
    expected: Expectation = replace(EXPECTED, algorithms=(alg,))
    jwks = Published(public_jwk(key, kid="main"))
    for at_hash in (half(digest, "at-1"), half(digest, "at-1") + "=="):
        token = signed(payload(at_hash=at_hash), key, alg=alg, kid="main")
        accept(token, expected=expected, jwks=jwks, access_token="at-1")
        assert refused(token, expected=expected, jwks=jwks, access_token="at-2") == (
            "the access token is not the one that the ID token was given with (at_hash)"
        )


@pytest.mark.parametrize("at_hash", ["", "x", "\u00e9\u0661"], ids=("empty", "short", "foreign"))
def test_an_odd_hash_is_the_hash_of_nothing(at_hash: str) -> None:
    assert "(at_hash)" in refused(good(at_hash=at_hash), access_token="at-1")
    accept(good(at_hash=at_hash))
