"""How many tokens are tried, counted from the tests' own parameters: a case or a table that is lost shows here."""

from __future__ import annotations

import math
from collections.abc import Callable

from tests.attacks import test_id_token_claims as claims
from tests.attacks import test_id_token_forged as forged
from tests.attacks import test_id_token_jwks as jwks
from tests.attacks import test_id_token_malformed as malformed
from tests.attacks import test_id_token_unusual_claims as unusual_claims
from tests.attacks import test_id_token_unusual_keys as unusual_keys
from tests.unit.oidc import test_id_token as right

REFUSED: tuple[Callable[..., None], ...] = (
    claims.test_a_token_that_proves_something_else_is_refused,
    claims.test_a_nonce_that_was_sent_must_come_back,
    claims.test_evidence_that_is_not_there,
    forged.test_a_forged_token_is_refused,
    jwks.test_a_key_set_without_the_key_proves_nothing,
    jwks.test_a_document_that_is_no_key_set_is_refused,
    unusual_claims.test_a_claim_of_an_unexpected_type_is_refused_by_name,
    unusual_claims.test_methods_of_an_unexpected_type_prove_nothing_and_cost_nothing_where_they_are_not_asked_for,
    unusual_claims.test_what_looks_like_the_right_value_is_another,
    unusual_claims.test_an_unusual_time_is_refused,
    unusual_claims.test_an_unusual_audience_is_refused,
    unusual_claims.test_evidence_in_the_wrong_place_is_none,
    malformed.test_a_token_in_another_form_is_refused,
    malformed.test_a_header_that_says_something_else_is_refused,
    malformed.test_a_member_that_is_there_twice_is_refused_at_any_depth,
    unusual_keys.test_a_key_that_does_not_fit_verifies_nothing,
    unusual_keys.test_an_ecdsa_signature_is_two_numbers_of_32_octets,
)
ACCEPTED: tuple[Callable[..., None], ...] = (
    right.test_a_right_token_is_accepted,
    right.test_an_unusual_header_is_accepted,
    right.test_each_kind_of_evidence_can_prove_a_level,
    jwks.test_an_unusual_key_set_with_the_key_serves,
    jwks.test_every_enrolled_algorithm_verifies,
)


def cases(test: Callable[..., None]) -> int:
    """Count the cases that pytest makes of a test with its tables."""
    return math.prod(len(mark.args[1]) for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize")


def test_six_hundred_abnormal_tokens_are_refused() -> None:
    assert sum(map(cases, REFUSED)) >= 620


def test_eighty_unusual_ones_are_accepted() -> None:
    assert sum(map(cases, ACCEPTED)) >= 80
