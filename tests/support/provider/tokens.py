"""Make tokens, good and bad, byte by byte: a library would refuse to make most of the bad ones."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.support.provider.keys import PrivateKey, base64url

_HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def signature(alg: str, key: PrivateKey | bytes, message: bytes) -> bytes:
    """Sign `message` as `alg` says."""
    if isinstance(key, bytes):
        return hmac.new(key, message, getattr(hashlib, f"sha{alg[2:]}")).digest()
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    digest = _HASHES[alg[2:]]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(digest)))
        size = (key.curve.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    assert isinstance(key, rsa.RSAPrivateKey)
    if alg.startswith("PS"):
        return key.sign(message, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    return key.sign(message, padding.PKCS1v15(), digest)


def compact(header: Mapping[str, object] | bytes, payload: object, sign: Callable[[bytes], bytes]) -> str:
    """Return `header.payload.signature`; bytes go in as they are, everything else as JSON."""
    head, body = (
        part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()
        for part in (header, payload)
    )
    message = f"{base64url(head)}.{base64url(body)}"
    return f"{message}.{base64url(sign(message.encode()))}"


def signed(payload: object, key: PrivateKey | bytes, *, alg: str = "RS256", **header: object) -> str:
    """Return a compact JWS; header members with value None are left out."""
    members = {name: value for name, value in {"alg": alg, "typ": "JWT", **header}.items() if value is not None}
    return compact(members, payload, lambda message: signature(alg, key, message))


def at_hash(access_token: str, alg: str = "RS256") -> str:
    """Return the left half of the hash of `access_token` (OpenID Connect Core section 3.1.3.6)."""
    digest = hashlib.new(f"sha{alg[2:]}", access_token.encode()).digest()
    return base64url(digest[: len(digest) // 2])
