"""Keys that do not fit the algorithm or are none, and ECDSA signatures that are not two numbers."""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed448

from kubectl_stepup.errors import TokenRejected
from tests.support.provider.cases import EXPECTED, Published, accept, checked, payload
from tests.support.provider.keys import base64url, ec_key, ed25519_key, public_jwk, rsa_key
from tests.support.provider.tokens import signed

MAIN = rsa_key()
WRONG = "the ID token's signature is wrong"
P256, P384, P521, ED = ec_key("P-256"), ec_key("P-384"), ec_key("P-521"), ed25519_key()
ED448: dict[str, object] = {
    "kty": "OKP",
    "crv": "Ed448",
    "x": base64url(ed448.Ed448PrivateKey.generate().public_key().public_bytes_raw()),
}
NO_KEY = "the provider publishes no usable key main for "


def changed(key: dict[str, object], **members: object) -> dict[str, object]:
    return {**key, **members}


def ones(length: int) -> str:
    return base64url(b"\x01" * length)


# The algorithm enrolled and named, who signs, what is published, and why not.
MISFITS: list[tuple[str, str, Any, dict[str, object], str]] = [
    ("P-384 for ES256", "ES256", P256, public_jwk(P384), WRONG),
    ("P-521 for ES256", "ES256", P256, public_jwk(P521), WRONG),
    ("P-256 for ES384", "ES384", P384, public_jwk(P256), WRONG),
    ("P-256 for ES512", "ES512", P521, public_jwk(P256), WRONG),
    ("signed by P-256 as ES384", "ES384", P256, public_jwk(P256), WRONG),
    ("signed by P-521 as ES256", "ES256", P521, public_jwk(P521), WRONG),
    ("an RSA key for ES256", "ES256", P256, public_jwk(MAIN), NO_KEY),
    ("an EC key for RS256", "RS256", MAIN, public_jwk(P256), NO_KEY),
    ("an Ed25519 key for RS256", "RS256", MAIN, public_jwk(ED), NO_KEY),
    ("an RSA key for EdDSA", "EdDSA", ED, public_jwk(MAIN), NO_KEY),
    ("an Ed448 key for EdDSA", "EdDSA", ED, ED448, WRONG),
    ("an Ed448 key for Ed25519", "Ed25519", ED, ED448, WRONG),
    ("an X25519 key for EdDSA", "EdDSA", ED, changed(public_jwk(ED), crv="X25519"), WRONG),
    ("kty says EC, members say RSA", "RS256", MAIN, changed(public_jwk(MAIN), kty="EC"), NO_KEY),
    ("kty says RSA, members say EC", "RS256", MAIN, changed(public_jwk(P256), kty="RSA"), NO_KEY),
    ("kty oct with the RSA members", "RS256", MAIN, changed(public_jwk(MAIN), kty="oct"), NO_KEY),
    ("the alg of another algorithm", "RS256", MAIN, public_jwk(MAIN, alg="PS256"), NO_KEY),
    ("the alg of encryption", "RS256", MAIN, public_jwk(MAIN, alg="RSA-OAEP"), NO_KEY),
    ("the alg HS256", "RS256", MAIN, public_jwk(MAIN, alg="HS256"), NO_KEY),
    ("the alg a list", "RS256", MAIN, public_jwk(MAIN, alg=["RS256"]), NO_KEY),
    ("the use a list", "RS256", MAIN, public_jwk(MAIN, use=["sig"]), NO_KEY),
    ("the use in upper case", "RS256", MAIN, public_jwk(MAIN, use="SIG"), NO_KEY),
    ("no operations", "RS256", MAIN, public_jwk(MAIN, key_ops=[]), NO_KEY),
    ("the operation encrypt", "RS256", MAIN, public_jwk(MAIN, key_ops=["encrypt", "wrapKey"]), NO_KEY),
    ("the exponent 1", "RS256", MAIN, changed(public_jwk(MAIN), e="AQ"), NO_KEY),
    ("the exponent 0", "RS256", MAIN, changed(public_jwk(MAIN), e="AA"), NO_KEY),
    ("an even exponent", "RS256", MAIN, changed(public_jwk(MAIN), e="AQAA"), NO_KEY),
    ("the modulus 1", "RS256", MAIN, changed(public_jwk(MAIN), n="AQ"), NO_KEY),
    ("the modulus in base64 with padding", "RS256", MAIN, changed(public_jwk(MAIN), n="+/=="), NO_KEY),
    ("a point that is not on the curve", "ES256", P256, changed(public_jwk(P256), y=ones(32)), NO_KEY),
    ("the point 0, 0", "ES256", P256, changed(public_jwk(P256), x=base64url(bytes(32)), y=base64url(bytes(32))), NO_KEY),
    ("a point without y", "ES256", P256, {name: value for name, value in public_jwk(P256).items() if name != "y"}, NO_KEY),
    ("a curve of Bitcoin's", "ES256", P256, changed(public_jwk(P256), crv="secp256k1"), NO_KEY),
    ("a curve that is none", "ES256", P256, changed(public_jwk(P256), crv="P-255"), NO_KEY),
    ("an Ed25519 point of 31 octets", "EdDSA", ED, changed(public_jwk(ED), x=ones(31)), NO_KEY),
    ("an Ed25519 point of 33 octets", "EdDSA", ED, changed(public_jwk(ED), x=ones(33)), NO_KEY),
]  # fmt: skip


@pytest.mark.parametrize(
    ("alg", "signer", "key", "reason"), [case[1:] for case in MISFITS], ids=[case[0] for case in MISFITS]
)
def test_a_key_that_does_not_fit_verifies_nothing(alg: str, signer: Any, key: dict[str, object], reason: str) -> None:
    token = signed(payload(), signer, alg=alg, kid="main")
    with pytest.raises(TokenRejected) as caught:
        checked(token, expected=replace(EXPECTED, algorithms=(alg,)), jwks=Published({**key, "kid": "main"}))
    assert reason in caught.value.message


def half(token: str, part: int) -> bytes:
    octets = base64.urlsafe_b64decode(token.split(".")[2] + "==")
    middle = len(octets) // 2
    return octets[:middle] if part == 0 else octets[middle:]


ES256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

# What becomes of the two numbers of an ECDSA signature.
SIGNATURES: list[tuple[str, Callable[[bytes, bytes], bytes]]] = [
    ("IDT-03 all zero", lambda r, s: bytes(64)),
    ("r zero", lambda r, s: bytes(32) + s),
    ("s zero", lambda r, s: r + bytes(32)),
    ("r and s the order of the curve", lambda r, s: ES256_ORDER.to_bytes(32, "big") * 2),
    ("all ones", lambda r, s: b"\xff" * 64),
    ("r and s exchanged", lambda r, s: s + r),
    ("one octet short", lambda r, s: r + s[:-1]),
    ("one octet more", lambda r, s: r + s + b"\0"),
    ("a zero before each", lambda r, s: b"\0" + r + b"\0" + s),
    ("r alone", lambda r, s: r),
    ("twice", lambda r, s: r + s + r + s),
    ("of 48 octets each, as ES384", lambda r, s: bytes(16) + r + bytes(16) + s),
]


@pytest.mark.parametrize("change", [case[1] for case in SIGNATURES], ids=[case[0] for case in SIGNATURES])
def test_an_ecdsa_signature_is_two_numbers_of_32_octets(change: Callable[[bytes, bytes], bytes]) -> None:
    token = signed(payload(), P256, alg="ES256", kid="ec")
    options: dict[str, Any] = {
        "expected": replace(EXPECTED, algorithms=("ES256",)),
        "jwks": Published(public_jwk(P256, kid="ec")),
    }
    accept(token, **options)
    octets = change(half(token, 0), half(token, 1))
    with pytest.raises(TokenRejected, match=WRONG):
        checked(f"{token.rpartition('.')[0]}.{base64url(octets)}", **options)
