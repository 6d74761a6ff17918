"""The rules of an ID token once more, in a few lines that share nothing with the product: what passes is held to them.

Spec: RFC 7515 section 5.2; RFC 7518 section 3; OpenID Connect Core 1.0 section 3.1.3.7.
"""

from __future__ import annotations

import base64
import json
import math
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_stepup.oidc.claims import Expectation
    from tests.support.provider.keys import PrivateKey

_HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def decoded(part: str) -> bytes:
    """Decode base64url, with or without padding."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def is_signed(token: str, keys: Mapping[str, PrivateKey]) -> str | None:
    """Return the algorithm of `token`, or None where the signature is not one of that algorithm's key."""
    head, body, sign = token.split(".")
    alg = json.loads(decoded(head))["alg"]
    message, data, key = f"{head}.{body}".encode(), decoded(sign), keys.get(alg)
    try:
        if isinstance(key, rsa.RSAPrivateKey):
            digest = _HASHES[alg[2:]]
            pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
            key.public_key().verify(data, message, pss if alg[0] == "P" else padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePrivateKey):
            half = len(data) // 2
            r, s = (int.from_bytes(part, "big") for part in (data[:half], data[half:]))
            key.public_key().verify(encode_dss_signature(r, s), message, ec.ECDSA(_HASHES[alg[2:]]))
        elif key is not None:
            key.public_key().verify(data, message)
    except InvalidSignature:
        return None
    return alg if key is not None else None


def breaks_a_rule(token: str, expected: Expectation, *, now: float) -> str | None:
    """Say which rule a token breaks, None where it keeps all of them."""
    header, claims = (json.loads(decoded(part), object_pairs_hook=_once) for part in token.split(".")[:2])
    aud = [claims["aud"]] if isinstance(claims["aud"], str) else claims["aud"]
    texts = [claims[name] for name in ("iss", "sub", expected.account_claim)]
    texts += [claims[name] for name in ("acr", "azp", "nonce", "jti") if claims.get(name) is not None]
    times = [claims[name] for name in ("exp", "iat", "nbf", "auth_time") if claims.get(name) is not None]
    rules = {
        "its header has crit or b64": not header.keys() & {"crit", "b64"},
        "it is of another type": str(header.get("typ") or "JWT").upper() in {"JWT", "APPLICATION/JWT"},
        "a text is none": all(isinstance(text, str) for text in texts),
        "a time is none": all(type(time) in {int, float} and math.isfinite(time) and time >= 0 for time in times),
        "somebody else issued it": claims["iss"] == expected.issuer,
        "it names nobody": min(map(len, texts[1:3])) > 0 and max(map(len, texts[1:3])) <= 255,
        "it is for somebody else": expected.client_id in aud
        and {*aud} <= {expected.client_id, *expected.extra_audiences},
        "it was given to somebody else": claims.get("azp") in (None, expected.client_id),
        "it does not say who of many it was given to": len({*aud}) == 1 or claims.get("azp") is not None,
        "it is over": claims["exp"] > now,
        "it has not begun": max(claims["iat"], claims.get("nbf") or 0) <= now + 60,
        "it lives too long": 0 < claims["exp"] - claims["iat"] <= 86_400,
        "it is of another request": claims.get("nonce") == expected.nonce,
    }
    return next((broken for broken, kept in rules.items() if not kept), None)


def methods_of(token: str, name: str) -> tuple[str, ...]:
    """Return what a token's claim proves: one text, or a list of texts and of nothing else."""
    value = json.loads(decoded(token.split(".")[1])).get(name)
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(value) if isinstance(value, list) and all(type(item) is str for item in value) else ()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({name for name, _ in pairs}) == len(pairs), "it passes, and has a member twice"
    return dict(pairs)
