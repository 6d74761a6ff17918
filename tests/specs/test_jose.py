"""Spec: RFC 7515 appendix A; RFC 7519 sections 3.1 and 6.1; RFC 8037 appendix A.4.

None of these objects is an ID token, so each is refused; the reason tells how far it came. A reason about the payload
or a claim means that its signature was found to be good.
"""

from __future__ import annotations

import base64
import hmac
import json

import pytest

from kubectl_stepup.errors import TokenRejected
from kubectl_stepup.oidc.claims import Expectation
from kubectl_stepup.oidc.id_token import verify
from kubectl_stepup.secret import Secret
from tests.specs import jose

NOT_COMPACT = "the ID token is not a signed JWT in compact form"


def reason(token: str, *keys: dict[str, object], alg: str) -> str:
    expected = Expectation(issuer="joe", client_id="any", algorithms=(alg,))
    with pytest.raises(TokenRejected) as caught:
        verify(Secret(token), expected, jwks=lambda force: {"keys": list(keys)}, now=1300819000)
    return caught.value.message


SIGNED = [
    ("A.2 RS256", jose.A2_RS256, jose.A2_KEY, "RS256", "the ID token has no sub"),
    ("A.3 ES256", jose.A3_ES256, jose.A3_KEY, "ES256", "the ID token has no sub"),
    ("A.4 ES512", jose.A4_ES512, jose.A4_KEY, "ES512", "the ID token's payload is not JSON"),
    ("RFC 8037 A.4 EdDSA", jose.ED25519, jose.ED25519_KEY, "EdDSA", "the ID token's payload is not JSON"),
]


@pytest.mark.parametrize(
    ("token", "key", "alg", "later"), [case[1:] for case in SIGNED], ids=[case[0] for case in SIGNED]
)
def test_a_published_signature_verifies_with_its_published_key(
    token: str, key: dict[str, object], alg: str, later: str
) -> None:
    assert reason(token, key, alg=alg) == later


@pytest.mark.parametrize(("token", "key", "alg"), [case[1:4] for case in SIGNED], ids=[case[0] for case in SIGNED])
def test_one_bit_of_a_published_signature_decides(token: str, key: dict[str, object], alg: str) -> None:
    message, _, text = token.rpartition(".")
    signature = bytearray(base64.urlsafe_b64decode(text + "=="))
    signature[-1] ^= 1
    changed = base64.urlsafe_b64encode(signature).decode().rstrip("=")
    assert reason(f"{message}.{changed}", key, alg=alg) == "the ID token's signature is wrong"


def test_a_good_hmac_proves_nothing_even_where_somebody_enrolled_it() -> None:
    """RFC 7515 A.1 and RFC 7519 3.1: the signature is right, and the key could be anybody's who knows the client."""
    message, _, signature = jose.A1_HS256.rpartition(".")
    key = base64.urlsafe_b64decode(jose.A1_SECRET + "==")
    assert hmac.digest(key, message.encode(), "sha256") == base64.urlsafe_b64decode(signature + "==")
    published: dict[str, object] = {"kty": "oct", "k": jose.A1_SECRET}
    assert reason(jose.A1_HS256, published, alg="HS256") == "the ID token is signed with 'HS256', accepted are HS256"
    assert reason(jose.A1_HS256, published, alg="RS256") == "the ID token is signed with 'HS256', accepted are RS256"


def test_an_unsecured_object_is_not_even_read() -> None:
    """RFC 7515 A.5 and RFC 7519 6.1."""
    assert reason(jose.A5_NONE, alg="RS256") == NOT_COMPACT


def test_the_json_serializations_are_not_even_read() -> None:
    """RFC 7515 A.6 (general, two signatures) and A.7 (flattened): right signatures in a form no ID token has."""
    head, payload, rs256 = jose.A2_RS256.split(".")
    head_es256, _, es256 = jose.A3_ES256.split(".")
    general = {
        "payload": payload,
        "signatures": [
            {"protected": head, "header": {"kid": "2010-12-29"}, "signature": rs256},
            {
                "protected": head_es256,
                "header": {"kid": "e9bc097a-ce51-4036-9562-d2ade882db0d"},
                "signature": es256,
            },
        ],
    }
    flattened = {
        "payload": payload,
        "protected": head_es256,
        "header": {"kid": "e9bc097a-ce51-4036-9562-d2ade882db0d"},
        "signature": es256,
    }
    for document, key, alg in ((general, jose.A2_KEY, "RS256"), (flattened, jose.A3_KEY, "ES256")):
        assert reason(json.dumps(document), key, alg=alg) == NOT_COMPACT
