"""ID tokens: whatever is in one, it is refused with a reason, or is rightly signed and keeps every rule."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from kubectl_stepup.errors import TokenRejected
from kubectl_stepup.oidc.claims import Expectation, IDTokenClaims
from kubectl_stepup.oidc.id_token import verify
from kubectl_stepup.secret import Secret
from tests.fuzz.oracle import breaks_a_rule, is_signed, methods_of
from tests.fuzz.shown import harmless, refusal
from tests.fuzz.unusual_json import damaged, value_of
from tests.grammar.choices import chance, pick
from tests.support.provider.cases import CLIENT, ISSUER, NOW, payload
from tests.support.provider.keys import PrivateKey, base64url, ec_key, ed25519_key, public_jwk, rsa_key
from tests.support.provider.tokens import at_hash, compact, signature

if TYPE_CHECKING:
    from tests.fuzz.watch import Watch
    from tests.grammar.choices import Bytes

KEYS: dict[str, PrivateKey] = {
    **{alg: rsa_key() for alg in ("RS256", "RS384", "PS256", "PS512")},
    **{"ES256": ec_key(), "ES384": ec_key("P-384"), "EdDSA": ed25519_key()},
}
FOREIGN: dict[str, PrivateKey] = {
    **{alg: rsa_key("thief") for alg in ("RS256", "RS384", "PS256", "PS512")},
    **{"ES256": ec_key(name="thief"), "ES384": ec_key("P-384", "thief"), "EdDSA": ed25519_key("thief")},
}
"""Keys of somebody else: nothing that they sign may ever pass."""

JWKS = {"keys": [public_jwk(key, kid=f"{alg[:2]}{alg[-3:]}") for alg, key in KEYS.items()]}
NONCE, ACCESS_TOKEN = "n-0S6_WzA2Mj", "at-1"
EXPECTED = (
    Expectation(issuer=ISSUER, client_id=CLIENT, algorithms=tuple(KEYS)),
    Expectation(issuer=ISSUER, client_id=CLIENT, algorithms=("RS256",)),
    Expectation(issuer=ISSUER, client_id=CLIENT, algorithms=tuple(KEYS), nonce=NONCE, extra_audiences=("account",)),
    Expectation(issuer=ISSUER, client_id=CLIENT, algorithms=("ES256", "HS256", "none"), account_claim="oid"),
)
CLAIMS = (
    *("iss", "sub", "aud", "exp", "iat", "nbf", "auth_time", "azp", "nonce", "acr", "amr", "acrs", "jti", "at_hash"),
    *("oid", "email", "preferred_username", "upn", "name", "groups", "c_hash", "cnf", "events", "_claim_sources"),
)
HEADERS = ("alg", "kid", "typ", "cty", "crit", "b64", "jwk", "jku", "x5c", "x5u", "x5t", "zip", "enc", "p2c", "epk")
ALGS = (
    *KEYS,
    "none",
    "None",
    "NONE",
    "HS256",
    "HS512",
    "RS1",
    "ES256K",
    "Ed25519",
    "Ed448",
    "dir",
    "RSA-OAEP",
    "rs256",
)
WORDS = (
    ISSUER,
    f"{ISSUER}/",
    CLIENT,
    "account",
    "alice",
    "mfa",
    "pwd",
    NONCE,
    *ALGS,
    *JWKS["keys"][0],
    "JWT",
    "at+jwt",
    "application/jwt",
)


def one(choices: Bytes, watch: Watch) -> str:
    """Check one token."""
    expected = pick(choices, EXPECTED)
    kind = choices.below(8)
    keys = FOREIGN if kind < 2 else KEYS
    token = _signed(choices, keys, expected, sound=kind == 7)
    if kind in {2, 3}:
        token = _spoilt(choices, token)
    access_token = Secret(ACCESS_TOKEN) if chance(choices, 2) else None
    check = partial(verify, Secret(token), expected, jwks=lambda force: JWKS, now=NOW, access_token=access_token)
    claims = watch.attempt(check, TokenRejected)
    if isinstance(claims, TokenRejected):
        assert kind != 7 or "signed with" in claims.message, f"a sound token is refused: {claims.message}"
        return refusal(claims)
    assert keys is KEYS, "a token of somebody else passes"
    _check(token, claims, expected, access_token)
    return f"accepted: {' '.join(sorted(name for name in CLAIMS if getattr(claims, name, None)))}"


def _check(token: str, claims: IDTokenClaims, expected: Expectation, access_token: Secret | None) -> None:
    """Ask again whether it may pass, with another library and other words."""
    alg = is_signed(token, KEYS)
    assert alg in expected.algorithms, "it passes, and its signature is wrong"
    broken = breaks_a_rule(token, expected, now=NOW)
    assert broken is None, f"it passes, and {broken}"
    for name, found in (("amr", claims.amr), ("acrs", claims.acrs)):
        assert found == methods_of(token, name), f"it passes, and proves by {name} what it does not say"
    for shown in claims.unreadable.values():
        harmless(shown)
    if access_token is not None and claims.at_hash:
        wanted = at_hash(ACCESS_TOKEN, "RS512" if alg == "EdDSA" else alg)
        assert claims.at_hash.rstrip("=") == wanted, "it passes with the access token of another"


def _signed(choices: Bytes, keys: dict[str, PrivateKey], expected: Expectation, *, sound: bool) -> str:
    """Sign a header and a payload, both unusual unless `sound`."""
    alg = pick(choices, tuple(keys))
    claims = payload(oid="alice")
    if expected.nonce:
        claims["nonce"] = expected.nonce
    if chance(choices, 3):
        hashed = ACCESS_TOKEN if sound else pick(choices, (ACCESS_TOKEN, "at-2"))
        claims["at_hash"] = at_hash(hashed, "RS512" if alg == "EdDSA" else alg)
    if chance(choices, 4):
        claims |= {"aud": [CLIENT, "account"], "azp": CLIENT} if expected.extra_audiences else {"aud": [CLIENT]}
    header: dict[str, object] = {"alg": alg, "typ": "JWT", "kid": f"{alg[:2]}{alg[-3:]}"}
    if chance(choices, 4):
        del header["kid"]
    head, body = json.dumps(header).encode(), json.dumps(claims).encode()
    if not sound:
        body = damaged(choices, claims, CLAIMS, WORDS)
        if chance(choices, 3):
            if chance(choices, 3):
                header["jwk"] = public_jwk(FOREIGN[alg])
            if chance(choices, 2):
                header["alg"] = pick(choices, ALGS)
            head = damaged(choices, header, HEADERS, WORDS)
    return compact(head, body, lambda message: signature(alg, keys[alg], message))


def _spoilt(choices: Bytes, token: str) -> str:
    """Damage the text of a token, or put its parts together in another way."""
    parts = token.split(".")
    at = choices.below(3)
    kind = choices.below(8)
    if kind == 0:
        parts[at] = pick(
            choices, ("", "=", "AA", "A", "AAAAA", "A" * 100_000, "\u0430", parts[at - 1], parts[at] + "=")
        )
    elif kind == 1:
        parts[at] = base64url(value_of(choices, WORDS).encode("utf-8", "surrogatepass"))
    elif kind == 2:
        parts[2] = base64url(bytes(choices.below(1200)))
    elif kind == 3:
        parts.insert(at, pick(choices, ("", "AAAA")))
    elif kind == 4:
        del parts[at]
    elif kind == 5:
        return pick(choices, (" {}", "{}\n", "Bearer {}", "{}\x00", '"{}"', "{}.", ".{}")).format(token)
    else:
        cut = choices.below(len(parts[at]) + 1)
        unusual = (
            chr(choices.below(256)) if kind == 6 else pick(choices, ("", "_", "-", "+", "/", "\n", "\ud800", "\uff21"))
        )
        parts[at] = parts[at][:cut] + unusual + parts[at][cut + 1 :]
    return ".".join(parts)
