"""Verify an ID token's signature and read it; the only importer of joserfc.

The library is asked one question, whether these bytes carry a signature of this key, and is given no choice: which
algorithm, which key, how large, is decided here. It would accept HMAC keys from a JWKS, 1024-bit RSA and duplicate
members, and would reject a whole JWKS for one key it does not know.

Spec: RFC 7515 sections 4 and 5.2; RFC 7517 section 5; RFC 8725 sections 3.1 to 3.11; OpenID Connect Core 1.0
sections 3.1.3.6 and 3.1.3.7.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from joserfc import jwk, jws
from joserfc.errors import SecurityWarning

from kubectl_stepup.errors import TokenRejected
from kubectl_stepup.oidc.claims import Expectation, IDTokenClaims, refuse_unexpected
from kubectl_stepup.oidc.metadata import ASYMMETRIC_ALGORITHMS
from kubectl_stepup.sanitise import compared, safe
from kubectl_stepup.secret import Secret
from kubectl_stepup.strict_json import JSONRefused, json_object

MAX_HEADER, MAX_PAYLOAD, MAX_SIGNATURE = 8 * 1024, 64 * 1024, 1024
MAX_TOKEN = 4 * (MAX_HEADER + MAX_PAYLOAD + MAX_SIGNATURE) // 3
MAX_KEYS = 200
MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192
# Possessive, so that a hostile token costs one pass.
_COMPACT = re.compile(r"([A-Za-z0-9_-]++)\.([A-Za-z0-9_-]++)\.([A-Za-z0-9_-]++)")
_PUBLIC_MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_KEY_TYPE = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_KNOWN = frozenset({*ASYMMETRIC_ALGORITHMS, "EdDSA", "Ed25519"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """A compact JWS taken apart; nothing in it is believed yet."""

    compact: str
    alg: str
    kid: str | None
    payload: bytes


def verify(
    id_token: Secret,
    expected: Expectation,
    *,
    jwks: Callable[[bool], object],
    now: float,
    access_token: Secret | None = None,
) -> IDTokenClaims:
    """Return the claims of `id_token` once everything but the level's own requirement is checked.

    `jwks(False)` gives the provider's JWKS, `jwks(True)` fetches it anew (it may refuse by giving the same); the
    second is called at most once, for a key id that is not in the first. `now` is seconds since the epoch.
    `access_token` is the one that came along, for `at_hash`.

    Raises:
        TokenRejected: with one plain reason; what `jwks` raises goes through.

    """
    parts = _take_apart(id_token.reveal(), expected)
    _refuse_signature(parts, jwks)
    try:
        payload = json_object(parts.payload)
    except JSONRefused as exc:
        raise TokenRejected(f"the ID token's payload {exc}") from exc
    claims = IDTokenClaims.from_payload(payload, account_claim=expected.account_claim)
    refuse_unexpected(claims, expected, now=now)
    _refuse_at_hash(claims.at_hash, access_token, parts.alg)
    return claims


def _take_apart(compact: str, expected: Expectation) -> _Parts:
    if len(compact) > MAX_TOKEN:
        raise TokenRejected("the ID token is too large")
    match = _COMPACT.fullmatch(compact)
    if match is None:
        raise TokenRejected("the ID token is not a signed JWT in compact form")
    header_bytes, payload, _ = (
        _decoded(part, name, limit)
        for part, name, limit in zip(
            match.groups(), ("header", "payload", "signature"), (MAX_HEADER, MAX_PAYLOAD, MAX_SIGNATURE), strict=True
        )
    )
    try:
        header = json_object(header_bytes)
    except JSONRefused as exc:
        raise TokenRejected(f"the ID token's header {exc}") from exc
    return _Parts(compact=compact, alg=_algorithm(header, expected), kid=_key_id(header), payload=payload)


def _decoded(part: str, name: str, limit: int) -> bytes:
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError as exc:
        raise TokenRejected(f"the ID token's {name} is not base64url") from exc
    # One value, one text: stray bits in the last character would give the same token many spellings.
    if base64.urlsafe_b64encode(data).rstrip(b"=") != part.encode("ascii"):
        raise TokenRejected(f"the ID token's {name} is not base64url")
    if len(data) > limit:
        raise TokenRejected(f"the ID token's {name} is too large")
    return data


def _algorithm(header: Mapping[str, object], expected: Expectation) -> str:
    for name in ("crit", "b64"):
        if name in header:
            raise TokenRejected(f"the ID token's header has {name}, which is not supported")
    typ = header.get("typ")
    # RFC 7515 section 4.1.9: a type without a slash means application/ before it, so both are the same.
    if typ is not None and (not isinstance(typ, str) or typ.upper().removeprefix("APPLICATION/") != "JWT"):
        raise TokenRejected(f"the token is of type {safe(ascii(typ), 40)}, not an ID token")
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in _KNOWN or alg not in expected.algorithms:
        accepted = ", ".join(expected.algorithms)
        raise TokenRejected(f"the ID token is signed with {safe(ascii(alg), 40)}, accepted are {accepted}")
    return alg


def _key_id(header: Mapping[str, object]) -> str | None:
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise TokenRejected("the ID token's key id is not a string")
    return kid


def _refuse_signature(parts: _Parts, jwks: Callable[[bool], object]) -> None:
    published = _published(jwks(False))
    named = [key for key in published if key.get("kid") == parts.kid] if parts.kid is not None else published
    if not named and parts.kid is not None:
        published = _published(jwks(True))
        named = [key for key in published if key.get("kid") == parts.kid]
        # A provider with one key may publish it without a name.
        named = named or [key for key in published if key.get("kid") is None]
    if not named:
        raise TokenRejected(f"the ID token is signed with key {_shown(parts.kid)}, which the provider does not publish")
    usable = False
    for key in _usable(named, parts.alg):
        usable = True
        if _is_signed_by(parts, key):
            return
    if not usable:
        raise TokenRejected(f"the provider publishes no usable key {_shown(parts.kid)} for {parts.alg}")
    raise TokenRejected("the ID token's signature is wrong")


def usable_algorithms(document: object, algorithms: Sequence[str]) -> tuple[str, ...]:
    """Return those of `algorithms` for which a JWKS has a key that is used.

    Raises:
        TokenRejected: it has no list of keys, or too many.

    """
    published = _published(document)
    return tuple(alg for alg in algorithms if alg in _KNOWN and any(True for _ in _usable(published, alg)))


def _shown(kid: str | None) -> str:
    return "without a name" if kid is None else compared(kid, 60)


def _published(document: object) -> list[Mapping[str, object]]:
    keys = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(keys, list):
        raise TokenRejected("the provider's JWKS has no list of keys")
    if len(keys) > MAX_KEYS:
        raise TokenRejected(f"the provider's JWKS has {len(keys)} keys, at most {MAX_KEYS} are read")
    return [key for key in keys if isinstance(key, Mapping)]


def _usable(keys: list[Mapping[str, object]], alg: str) -> Iterator[jwk.Key]:
    """Import one by one: a key of a kind that is not known must not cost the others."""
    for key in keys:
        kty = key.get("kty")
        if kty != _KEY_TYPE[alg[:2]] or key.get("use", "sig") != "sig" or key.get("alg", alg) != alg:
            continue
        operations = key.get("key_ops")
        if operations is not None and not (isinstance(operations, list) and "verify" in operations):
            continue
        imported = _imported({name: value for name in ("kty", *_PUBLIC_MEMBERS[kty]) if (value := key.get(name))})
        if imported is not None:
            yield imported


def _imported(public: dict[str, object]) -> jwk.Key | None:
    texts: jwk.DictKey = {name: value for name, value in public.items() if isinstance(value, str)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            key = jwk.import_key(texts)
        if isinstance(key, jwk.RSAKey) and not MIN_RSA_BITS <= key.public_key.key_size <= MAX_RSA_BITS:
            return None
        # The import is lazy; only this shows whether the numbers make a key.
        key.get_op_key("verify")
    except Exception:  # noqa: BLE001 - foreign data makes the library raise nearly anything (KeyError, TypeError, …)
        return None
    return key if isinstance(key, jwk.RSAKey | jwk.ECKey | jwk.OKPKey) else None


def _is_signed_by(parts: _Parts, key: jwk.Key) -> bool:
    registry = jws.JWSRegistry(algorithms=[parts.alg], strict_check_header=False)
    registry.max_header_length = 2 * MAX_HEADER
    registry.max_payload_length = 2 * MAX_PAYLOAD
    registry.max_signature_length = 2 * MAX_SIGNATURE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            verified = jws.deserialize_compact(parts.compact, key, registry=registry)
    except Exception:  # noqa: BLE001 - foreign data: whatever the library raises, the token is not signed by this key
        return False
    return verified.payload == parts.payload


def _refuse_at_hash(at_hash: str | None, access_token: Secret | None, alg: str) -> None:
    """Spec: OpenID Connect Core 1.0 section 3.1.3.6."""
    if at_hash is None or access_token is None:
        return
    digest = hashlib.new("sha512" if alg.startswith("Ed") else f"sha{alg[2:]}", access_token.reveal().encode()).digest()
    wanted = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not hmac.compare_digest(wanted, at_hash.rstrip("=").encode()):
        raise TokenRejected("the access token is not the one that the ID token was given with (at_hash)")
