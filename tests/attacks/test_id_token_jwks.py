"""Key sets that are broken, hostile, rotated or endless."""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

import base64
import time
from dataclasses import replace
from typing import Any

import pytest

from kubectl_stepup.errors import TokenRejected
from tests.support.provider.cases import EXPECTED, Published, accept, checked, good, payload
from tests.support.provider.keys import decoy_jwks, ec_key, ed25519_key, public_jwk, rsa_key
from tests.support.provider.tokens import signed

MAIN, THIEF = rsa_key(), rsa_key("thief")
GOOD = public_jwk(MAIN, kid="main", use="sig", alg="RS256")
UNUSABLE = "publishes no usable key main for RS256"


KEY_SETS: list[tuple[list[Any], str]] = [
    ([[]], "which the provider does not publish"),
    ([{"kty": "oct", "k": "AAAA", "kid": "main"}], UNUSABLE),
    ([{**GOOD, "use": "enc"}], UNUSABLE),
    ([{**GOOD, "use": None}], UNUSABLE),
    ([{**GOOD, "alg": "RS512"}], UNUSABLE),
    ([{**GOOD, "key_ops": ["sign"]}], UNUSABLE),
    ([{**GOOD, "key_ops": "verify"}], UNUSABLE),
    ([{**GOOD, "kty": "rsa"}], UNUSABLE),
    ([{**GOOD, "kty": ["RSA"]}], UNUSABLE),
    ([{**GOOD, "n": "!!!"}], UNUSABLE),
    ([{**GOOD, "n": ""}], UNUSABLE),
    ([{**GOOD, "n": 17}], UNUSABLE),
    ([{**GOOD, "e": "AA"}], UNUSABLE),
    ([{**GOOD, "e": "Ag"}], UNUSABLE),
    ([{name: value for name, value in GOOD.items() if name != "e"}], UNUSABLE),
    ([public_jwk(ec_key(), kid="main")], UNUSABLE),
    ([public_jwk(THIEF, kid="main")], "signature is wrong"),
    ([GOOD] * 5001, "has 5001 keys, at most 200 are read"),
]


@pytest.mark.parametrize(("keys", "message"), KEY_SETS)
def test_a_key_set_without_the_key_proves_nothing(keys: list[Any], message: str) -> None:
    """IDT-13, IDT-15 (use: enc)."""
    with pytest.raises(TokenRejected) as caught:
        checked(good(), jwks=Published(*keys))
    assert message in caught.value.message


def test_an_rsa_key_of_1024_bits_is_never_used() -> None:
    """IDT-15."""
    small = rsa_key("small", 1024)
    with pytest.raises(TokenRejected, match=UNUSABLE):
        checked(signed(payload(), small, kid="main"), jwks=Published(public_jwk(small, kid="main")))


def test_an_hmac_key_of_the_key_set_is_never_used() -> None:
    """IDT-13."""
    secret = b"s" * 32
    published = {
        "kty": "oct",
        "k": base64.urlsafe_b64encode(secret).decode().rstrip("="),
        "kid": "main",
        "alg": "HS256",
    }
    with pytest.raises(TokenRejected, match="signed with 'HS256'"):
        checked(
            signed(payload(), secret, alg="HS256", kid="main"),
            expected=replace(EXPECTED, algorithms=("RS256", "HS256")),
            jwks=Published(published),
        )


@pytest.mark.parametrize("document", [None, [], {}, {"keys": None}, {"keys": {}}, {"keys": "main"}, 5])
def test_a_document_that_is_no_key_set_is_refused(document: object) -> None:
    """IDT-13."""

    class Malformed(Published):
        def __call__(self, force: bool) -> object:
            return document

    with pytest.raises(TokenRejected, match="JWKS has no list of keys"):
        checked(good(), jwks=Malformed())


UNUSUAL_KEY_SETS: list[tuple[str, list[Any]]] = [
    ("IDT-12 unusable keys beside it", [*decoy_jwks(), GOOD]),
    ("IDT-12 unusable keys behind it", [GOOD, *decoy_jwks()]),
    *((f"IDT-12 {decoy}", [decoy, GOOD]) for decoy in decoy_jwks()),
    ("IDT-14 the wrong key of the same name first", [public_jwk(THIEF, kid="main"), GOOD]),
    ("IDT-14 keys of other kinds of the same name", [public_jwk(ec_key(), kid="main"), public_jwk(ed25519_key(), kid="main"), GOOD]),
    ("the same key twice", [GOOD, GOOD]),
    ("the only key without a name", [public_jwk(MAIN)]),
    ("an HMAC key of the same name", [{"kty": "oct", "k": "AAAA", "kid": "main"}, GOOD]),
    ("a key for encryption of the same name", [{**GOOD, "use": "enc"}, GOOD]),
    ("a private key published by mistake", [{**GOOD, "d": "AAAA", "p": "AAAA"}]),
    ("without use and alg", [public_jwk(MAIN, kid="main")]),
    ("with key_ops", [{**GOOD, "key_ops": ["verify"]}]),
    ("with certificates", [{**GOOD, "x5c": ["AAAA"], "x5t": "AAAA", "x5u": "https://login.example.com/cert"}]),
    ("with members that nobody knows", [{**GOOD, "nbf": 0, "revoked": {"reason": "none"}}]),
    ("a 3072-bit key", [public_jwk(rsa_key("large", 3072), kid="main")]),
]  # fmt: skip


@pytest.mark.parametrize(
    "keys", [case[1] for case in UNUSUAL_KEY_SETS], ids=[case[0][:60] for case in UNUSUAL_KEY_SETS]
)
def test_an_unusual_key_set_with_the_key_serves(keys: list[Any]) -> None:
    """One key of a kind that this program does not know, published beside the good one, must lock nobody out."""
    key = rsa_key("large", 3072) if keys[0] == public_jwk(rsa_key("large", 3072), kid="main") else MAIN
    published = Published(*keys)
    accept(signed(payload(), key, kid="main"), jwks=published)


def test_unusable_keys_do_not_matter_to_a_token_without_a_key_id() -> None:
    """IDT-12."""
    accept(good({"kid": None}), jwks=Published(*decoy_jwks(), GOOD))


def test_without_a_key_id_every_key_is_tried_and_nothing_is_refetched() -> None:
    """IDT-11."""
    published = Published(public_jwk(THIEF, kid="1"), public_jwk(ec_key(), kid="2"), GOOD)
    accept(good({"kid": None}), jwks=published)
    assert published.calls == [False]
    with pytest.raises(TokenRejected, match="signature is wrong"):
        checked(good({"kid": None}), jwks=Published(public_jwk(THIEF, kid="1")))


def test_an_unknown_key_id_costs_exactly_one_refetch() -> None:
    """IDT-08."""
    published = Published()
    with pytest.raises(TokenRejected, match="key other, which the provider does not publish"):
        checked(good({"kid": "other"}), jwks=published)
    assert published.calls == [False, True]


def test_a_key_that_was_rotated_a_moment_ago_is_found() -> None:
    """IDT-09."""
    published = Published(after_refetch=[public_jwk(THIEF, kid="next")])
    accept(signed(payload(), THIEF, kid="next"), jwks=published)
    assert published.calls == [False, True]


def test_a_known_key_id_is_not_refetched() -> None:
    published = Published()
    checked(good(), jwks=published)
    assert published.calls == [False]


ALGORITHMS: list[tuple[str, Any]] = [
    *(("RS384", MAIN), ("RS512", MAIN), ("PS256", MAIN), ("PS384", MAIN), ("PS512", MAIN)),
    *(("ES256", ec_key("P-256")), ("ES384", ec_key("P-384")), ("ES512", ec_key("P-521"))),
    *(("EdDSA", ed25519_key()), ("Ed25519", ed25519_key())),
]


@pytest.mark.parametrize(("alg", "key"), ALGORITHMS)
def test_every_enrolled_algorithm_verifies(alg: str, key: Any) -> None:
    accept(
        signed(payload(), key, alg=alg, kid="main"),
        expected=replace(EXPECTED, algorithms=(alg,)),
        jwks=Published(public_jwk(key, kid="main")),
    )


def test_a_curve_that_does_not_fit_the_algorithm_is_refused() -> None:
    with pytest.raises(TokenRejected):
        checked(
            signed(payload(), ec_key("P-256"), alg="ES256", kid="main"),
            expected=replace(EXPECTED, algorithms=("ES256",)),
            jwks=Published(public_jwk(ec_key("P-384"), kid="main")),
        )


def test_two_hundred_keys_are_tried_in_no_time() -> None:
    keys = [public_jwk(THIEF, kid=str(number)) for number in range(199)]
    started = time.perf_counter()
    accept(good({"kid": None}), jwks=Published(*keys, GOOD))
    assert time.perf_counter() - started < 2
