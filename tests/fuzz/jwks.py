"""Key sets: whatever is in one, a token passes by it only where its own key is there, and may be used for it."""

from __future__ import annotations

import json
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from kubectl_stepup.errors import TokenRejected
from kubectl_stepup.oidc.claims import Expectation
from kubectl_stepup.oidc.id_token import MAX_KEYS, verify
from kubectl_stepup.secret import Secret
from kubectl_stepup.strict_json import JSONRefused, json_object
from tests.fuzz.oracle import decoded
from tests.fuzz.shown import harmless, refusal
from tests.fuzz.unusual_json import damaged, value_of
from tests.grammar.choices import chance, pick
from tests.support.provider.cases import CLIENT, ISSUER, NOW, payload
from tests.support.provider.keys import PrivateKey, decoy_jwks, ec_key, ed25519_key, public_jwk, rsa_key
from tests.support.provider.tokens import signed

if TYPE_CHECKING:
    from tests.fuzz.watch import Watch
    from tests.grammar.choices import Bytes

KEYS: dict[str, PrivateKey] = {"RS256": rsa_key(), "PS256": rsa_key(), "ES256": ec_key(), "EdDSA": ed25519_key()}
EXPECTED = Expectation(issuer=ISSUER, client_id=CLIENT, algorithms=tuple(KEYS))
OTHERS = tuple(
    public_jwk(key, kid=kid)
    for key in (rsa_key("thief"), rsa_key("small", 1024), ec_key(name="thief"), ec_key("P-384"), ec_key("P-521"))
    for kid in ("main", "other")
)
MEMBERS = ("kty", "use", "key_ops", "alg", "kid", "n", "e", "d", "p", "crv", "x", "y", "k", "x5c", "x5t", "x5u", "oth")
WORDS = (
    *("RSA", "EC", "OKP", "oct", "AKP", "sig", "enc", "verify", "sign", *KEYS, "HS256", "P-256", "P-384", "Ed25519"),
    *("X25519", "secp256k1", "main", "other", "AQAB", "AQ", "Ag", "AA", "AAAA", "A" * 2000, "B" * 43, "____", "A=="),
)


def one(choices: Bytes, watch: Watch) -> str:
    """Check a sound token against one or two key sets."""
    alg = pick(choices, tuple(KEYS))
    kid = pick(choices, ("main", "main", None, "other"))
    sets = [_key_set(choices, alg), _key_set(choices, alg)]
    fetched: list[dict[str, object]] = []

    def jwks(force: bool) -> object:
        fetched.append(json_object(sets[force]))
        return fetched[-1]

    # A set of many keys without names is tried from end to end.
    long = max(map(len, sets)) > 10_000
    check = partial(verify, Secret(_token(alg, kid)), EXPECTED, jwks=jwks, now=NOW)
    evaluated = watch.attempt(check, TokenRejected, JSONRefused, long=long)
    if isinstance(evaluated, TokenRejected):
        return refusal(evaluated)
    if isinstance(evaluated, JSONRefused):
        harmless(str(evaluated))
        return f"the set {str(evaluated)[:30]}"
    assert any(_fits(entry, alg, kid) for entry in _entries(fetched[-1])), "it passes, and its key is not there"
    return f"accepted: {alg} {kid} of {len(fetched)} sets"


def _entries(document: dict[str, object]) -> list[dict[str, Any]]:
    keys = document["keys"]
    assert isinstance(keys, list)
    assert len(keys) <= MAX_KEYS
    return [entry for entry in keys if isinstance(entry, dict)]


def _fits(entry: dict[str, Any], alg: str, kid: str | None) -> bool:
    """Whether an entry is the public half of the token's key, and one that may be used so."""
    own = public_jwk(KEYS[alg])
    try:
        same = all(_number(entry.get(name)) == _number(own[name]) for name in ("n", "e", "x", "y") if name in own)
    except ValueError:
        return False
    named = kid is None or entry.get("kid") in (kid, None)
    usable = entry.get("use", "sig") == "sig" and entry.get("alg", alg) == alg
    operations = entry.get("key_ops")
    return same and named and usable and entry["kty"] == own["kty"] and (operations is None or "verify" in operations)


def _number(text: object) -> int:
    if not isinstance(text, str):
        raise ValueError(text)
    return int.from_bytes(decoded(text), "big")


@cache
def _token(alg: str, kid: str | None) -> str:
    return signed(payload(), KEYS[alg], alg=alg, kid=kid)


def _key_set(choices: Bytes, alg: str) -> bytes:
    own = public_jwk(KEYS[alg], kid=pick(choices, ("main", "other")), use="sig", alg=alg)
    entries = [damaged(choices, own, MEMBERS, WORDS).decode("utf-8", "replace")]
    for _ in range(choices.below(4)):
        kind = choices.below(4)
        if kind == 0:
            entry = damaged(choices, pick(choices, OTHERS), MEMBERS, WORDS).decode("utf-8", "replace")
        elif kind == 1:
            entry = value_of(choices, WORDS)
        else:
            entry = json.dumps(pick(choices, (*decoy_jwks(), *OTHERS)))
        entries.insert(choices.below(2), entry)
    if chance(choices, 32):
        entries += [json.dumps(pick(choices, OTHERS))] * pick(choices, (50, 150, 199, 201, 5000))
    text = f'{{"keys":[{",".join(entries)}]}}'
    if not chance(choices, 8):
        return text.encode("utf-8", "surrogatepass")
    return damaged(choices, {"keys": [own]}, ("keys", "KEYS", "x"), WORDS)
