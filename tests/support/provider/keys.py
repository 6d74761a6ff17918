"""Signing keys, made once a process, and the JWKs of their public halves."""

from __future__ import annotations

import base64
import functools

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_CURVES: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}


def base64url(data: bytes) -> str:
    """Encode without padding, as JOSE does."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


@functools.cache
def rsa_key(name: str = "main", bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return the RSA key called `name`, the same each time."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@functools.cache
def ec_key(curve: str = "P-256", name: str = "main") -> ec.EllipticCurvePrivateKey:
    """Return the EC key called `name`."""
    return ec.generate_private_key(_CURVES[curve])


@functools.cache
def ed25519_key(name: str = "main") -> ed25519.Ed25519PrivateKey:
    """Return the Ed25519 key called `name`."""
    return ed25519.Ed25519PrivateKey.generate()


def _number(value: int, length: int | None = None) -> str:
    return base64url(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


def public_jwk(key: PrivateKey, **members: object) -> dict[str, object]:
    """Return the public JWK of `key` with `members` (kid, use, alg, …) added."""
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        return {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e), **members}
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url(key.public_key().public_bytes_raw()), **members}
    curve = next(name for name, made in _CURVES.items() if made.name == key.curve.name)
    point = key.public_key().public_numbers()
    size = (key.curve.key_size + 7) // 8
    return {"kty": "EC", "crv": curve, "x": _number(point.x, size), "y": _number(point.y, size), **members}


def decoy_jwks() -> list[object]:
    """Return keys that no client can use and that must not stop it from using the others."""
    return [
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "kid": "post-quantum"},
        {"kty": "RSA", "alg": "RS1", "n": "AQAB", "e": "AQAB", "kid": "unknown-alg"},
        {"kty": "EC", "crv": "P-1024", "x": "AAAA", "y": "AAAA", "kid": "unknown-crv"},
        {"kid": "no-kty"},
        {"kty": "RSA", "n": "!!!", "e": "AQAB", "kid": "broken-n"},
        {"kty": "OKP", "crv": "X25519", "x": "AAAA", "kid": "no-signatures"},
        {"kty": "RSA", "n": 5, "e": None, "kid": "wrong-types"},
        None,
        "a string",
        [],
    ]
