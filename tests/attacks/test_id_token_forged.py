"""Tokens whose signature, header or form is not what it seems; every one is refused with one plain reason."""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kubectl_stepup.errors import TokenRejected
from tests.support.provider.cases import EXPECTED, Published, checked, good, payload
from tests.support.provider.keys import base64url, ec_key, ed25519_key, public_jwk, rsa_key
from tests.support.provider.tokens import compact, signature, signed

MAIN = rsa_key()
THIEF = rsa_key("thief")


def _pem() -> bytes:
    return MAIN.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _swapped(part: int, text: str) -> str:
    parts = good().split(".")
    parts[part] = text
    return ".".join(parts)


def _raw_header(header: bytes) -> str:
    return compact(header, payload(), lambda message: signature("RS256", MAIN, message))


def _raw_payload(body: bytes) -> str:
    return compact({"alg": "RS256", "kid": "main"}, body, lambda message: signature("RS256", MAIN, message))


def _as_json(text: str) -> str:
    head, body, sign = text.split(".")
    return json.dumps({"payload": body, "signatures": [{"protected": head, "signature": sign}]})


NOT_COMPACT = "the ID token is not a signed JWT in compact form"
WRONG = "the ID token's signature is wrong"
PAYLOAD = "the ID token's payload "

FORGED: list[tuple[str, Callable[[], str], str]] = [
    ("IDT-01 alg none, no signature", lambda: compact({"alg": "none"}, payload(), lambda _: b""), NOT_COMPACT),
    ("IDT-01 alg none, old signature", lambda: _swapped(0, base64url(b'{"alg":"none"}')), "signed with 'none', accepted are RS256"),
    ("IDT-01 alg nOnE", lambda: compact({"alg": "nOnE"}, payload(), lambda _: b"x"), "signed with 'nOnE', accepted are RS256"),
    ("alg missing", lambda: compact({"kid": "main"}, payload(), lambda _: b"x"), "signed with None, accepted are RS256"),
    ("alg null", lambda: _raw_header(b'{"alg":null}'), "signed with None"),
    ("alg list", lambda: _raw_header(b'{"alg":["RS256"]}'), "signed with ['RS256']"),
    ("alg lower case", lambda: good({"alg": "rs256"}), "signed with 'rs256'"),
    ("IDT-01 empty signature", lambda: _swapped(2, ""), NOT_COMPACT),
    ("IDT-02 HS256 with the public PEM", lambda: signed(payload(), _pem(), alg="HS256"), "signed with 'HS256'"),
    (
        "IDT-02 HS256 with the JWK's text",
        lambda: signed(payload(), json.dumps(public_jwk(MAIN, kid="main")).encode(), alg="HS256", kid="main"),
        "signed with 'HS256'",
    ),
    ("IDT-03 another key", lambda: signed(payload(), THIEF, kid="main"), WRONG),
    ("IDT-03 payload changed", lambda: _swapped(1, base64url(json.dumps(payload(sub="bob")).encode())), WRONG),
    ("header changed", lambda: _swapped(0, base64url(b'{"alg":"RS256","kid":"main","x":1}')), WRONG),
    ("IDT-03 signature cut", lambda: _swapped(2, good().split(".")[2][:-6]), WRONG),
    ("IDT-03 signature all zero", lambda: _swapped(2, base64url(bytes(256))), WRONG),
    ("signature of another token", lambda: _swapped(2, good(sub="bob").split(".")[2]), WRONG),
    ("signature too large", lambda: _swapped(2, base64url(bytes(2000))), "signature is too large"),
    ("IDT-04 ES256 where RS256 is enrolled", lambda: signed(payload(), ec_key(), alg="ES256", kid="main"), "signed with 'ES256'"),
    ("IDT-04 RS512 where RS256 is enrolled", lambda: signed(payload(), MAIN, alg="RS512", kid="main"), "signed with 'RS512'"),
    ("IDT-04 EdDSA where it is not enrolled", lambda: signed(payload(), ed25519_key(), alg="EdDSA"), "signed with 'EdDSA'"),
    ("IDT-05 jwk header of the thief", lambda: signed(payload(), THIEF, kid="main", jwk=public_jwk(THIEF)), WRONG),
    ("IDT-05 jwk header of a small EC key", lambda: signed(payload(), ec_key("P-256", "thief"), alg="ES256", kid="main", jwk=public_jwk(ec_key("P-256", "thief"))), "signed with 'ES256', accepted are RS256"),
    ("IDT-06 jku header", lambda: signed(payload(), THIEF, kid="main", jku="https://127.0.0.1:1/jwks"), WRONG),
    ("IDT-06 x5u header", lambda: signed(payload(), THIEF, kid="main", x5u="https://127.0.0.1:1/cert"), WRONG),
    ("IDT-07 crit", lambda: good({"crit": ["exp"], "exp": 1}), "header has crit, which is not supported"),
    ("IDT-07 crit empty", lambda: good({"crit": []}), "header has crit"),
    ("IDT-07 b64 false", lambda: good({"b64": False}), "header has b64"),
    ("IDT-33 typ at+jwt", lambda: good({"typ": "at+jwt"}), "the token is of type 'at+jwt', not an ID token"),
    ("IDT-33 typ logout+jwt", lambda: good({"typ": "logout+jwt"}), "the token is of type 'logout+jwt'"),
    ("IDT-33 an access token", lambda: signed({"iss": "https://login.example.com", "sub": "alice", "aud": "https://api.example.com", "client_id": "kubectl-elevated", "iat": 1, "exp": 1_800_000_300}, MAIN, kid="main"), "the ID token is for https://api.example.com, not for"),
    ("typ a number", lambda: good({"typ": 1}), "the token is of type 1"),
    ("kid a number", lambda: good({"kid": 1}), "the ID token's key id is not a string"),
    ("kid a list", lambda: good({"kid": ["main"]}), "the ID token's key id is not a string"),
    ("IDT-08 kid unknown", lambda: good({"kid": "other"}), "signed with key other, which the provider does not publish"),
    ("kid with ESC", lambda: good({"kid": "\x1b[2J"}), "signed with key '\\x1b[2J'"),
    ("header twice alg", lambda: _raw_header(b'{"alg":"none","alg":"RS256","kid":"main"}'), "header has the member 'alg' twice"),
    ("header a list", lambda: _raw_header(b'["RS256"]'), "header is not a JSON object"),
    ("header not JSON", lambda: _raw_header(b"RS256"), "header is not JSON"),
    ("header not UTF-8", lambda: _raw_header(b'{"alg":"\xff"}'), "header is not UTF-8"),
    ("header too large", lambda: good({"x5c": ["A" * 9000]}), "header is too large"),
    ("IDT-34 payload twice iss", lambda: _raw_payload(b'{"iss":"https://evil.example","iss":"https://login.example.com"}'), PAYLOAD + "has the member 'iss' twice"),
    ("IDT-34 payload twice acr", lambda: _raw_payload(b'{"acr":"pwd","acr":"mfa"}'), PAYLOAD + "has the member 'acr' twice"),
    ("payload nested twice", lambda: _raw_payload(b'{"a":{"b":1,"b":2}}'), PAYLOAD + "has the member 'b' twice"),
    ("IDT-35 payload list", lambda: _raw_payload(b"[]"), PAYLOAD + "is not a JSON object"),
    ("payload text", lambda: _raw_payload(b'"alice"'), PAYLOAD + "is not a JSON object"),
    ("IDT-35 payload not JSON", lambda: _raw_payload(b"alice"), PAYLOAD + "is not JSON"),
    ("IDT-35 payload depth 5000", lambda: _raw_payload(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"), PAYLOAD + "is nested too deeply"),
    ("payload depth 33", lambda: _raw_payload(b'{"a":' + b"[" * 33 + b"]" * 33 + b"}"), PAYLOAD + "is nested too deeply"),
    ("IDT-35 payload integer of 5000 digits", lambda: _raw_payload(b'{"exp":' + b"9" * 5000 + b"}"), PAYLOAD + "has a number that is too long"),
    ("payload 1e999", lambda: _raw_payload(b'{"exp":1e999}'), PAYLOAD + "has a number that is too large"),
    ("payload NaN", lambda: _raw_payload(b'{"exp":NaN}'), PAYLOAD + "has NaN, which is not JSON"),
    ("payload Infinity", lambda: _raw_payload(b'{"exp":Infinity}'), PAYLOAD + "has Infinity, which is not JSON"),
    ("IDT-35 payload NUL", lambda: _raw_payload(b'{"sub":"alice\\u0000"}'), PAYLOAD + "has a NUL character"),
    ("IDT-35 payload half a surrogate", lambda: _raw_payload(b'{"sub":"\\ud800"}'), PAYLOAD + "has half a surrogate pair"),
    ("payload UTF-16", lambda: _raw_payload('{"sub":"alice"}'.encode("utf-16")), PAYLOAD + "is not UTF-8"),
    ("payload with a BOM", lambda: _raw_payload(b'\xef\xbb\xbf{"sub":"alice"}'), PAYLOAD + "is not JSON"),
    ("IDT-35 payload 1 MB", lambda: good(padding="x" * (1 << 20)), "the ID token is too large"),
    ("payload 65 KB", lambda: good(padding="x" * 65_536), "payload is too large"),
    ("IDT-37 five parts", lambda: good() + ".AAAA.AAAA", NOT_COMPACT),
    ("IDT-37 four parts", lambda: good() + ".AAAA", NOT_COMPACT),
    ("two parts", lambda: good().rpartition(".")[0], NOT_COMPACT),
    ("IDT-37 empty", lambda: "", NOT_COMPACT),
    ("dots", lambda: "..", NOT_COMPACT),
    ("IDT-37 JSON serialisation", lambda: _as_json(good()), NOT_COMPACT),
    ("IDT-37 space around", lambda: f" {good()}", NOT_COMPACT),
    ("newline behind", lambda: f"{good()}\n", NOT_COMPACT),
    ("IDT-37 padding", lambda: good() + "==", NOT_COMPACT),
    ("standard base64", lambda: _swapped(2, "++//" + good().split(".")[2][4:]), NOT_COMPACT),
    ("base64 with one character too many", lambda: _swapped(2, "A" * 5), "signature is not base64url"),
    ("base64 with stray bits", lambda: _swapped(2, "AB"), "signature is not base64url"),
    ("letters of another script", lambda: _swapped(2, "АААА"), NOT_COMPACT),
]  # fmt: skip


@pytest.mark.parametrize(("make", "reason"), [case[1:] for case in FORGED], ids=[case[0] for case in FORGED])
def test_a_forged_token_is_refused(make: Callable[[], str], reason: str) -> None:
    with pytest.raises(TokenRejected) as caught:
        checked(make())
    assert reason in caught.value.message
    assert "\n" not in caught.value.message


def test_at_hash_of_another_access_token_is_refused() -> None:
    """IDT-32."""
    with pytest.raises(TokenRejected, match="access token is not the one"):
        checked(good(at_hash="AAAAAAAAAAAAAAAAAAAAAA"), access_token="at-1")


def test_an_all_zero_ecdsa_signature_is_refused() -> None:
    """IDT-03."""
    head, body, _ = signed(payload(), ec_key(), alg="ES256", kid="ec").split(".")
    published = Published(public_jwk(ec_key(), kid="ec"))
    with pytest.raises(TokenRejected, match="signature is wrong"):
        checked(
            f"{head}.{body}.{base64url(bytes(64))}", expected=replace(EXPECTED, algorithms=("ES256",)), jwks=published
        )


def test_an_ecdsa_signature_in_der_form_is_refused() -> None:
    token = compact(
        {"alg": "ES256", "kid": "ec"}, payload(), lambda message: ec_key().sign(message, ec.ECDSA(hashes.SHA256()))
    )
    with pytest.raises(TokenRejected, match="signature is wrong"):
        checked(
            token,
            expected=replace(EXPECTED, algorithms=("ES256",)),
            jwks=Published(public_jwk(ec_key(), kid="ec")),
        )
