"""How the objects on a cluster were compiled: by what they say themselves, and by what the command line insists on."""

from __future__ import annotations

import pytest

from kubectl_stepup.enforce import names
from kubectl_stepup.stepup.verify import VerifyOptions, _compile_options
from tests.flows import CLUSTER


@pytest.mark.parametrize(
    ("given", "said", "found"),
    [
        (None, {}, True),
        (None, {names.ELEVATED_PROXY: names.REFUSED}, False),
        (None, {names.ELEVATED_PROXY: "anything else"}, True),
        (False, {}, False),
        (False, {names.ELEVATED_PROXY: names.REFUSED}, False),
    ],
)
def test_whoever_takes_the_annotation_away_cannot_hide_that_from_a_job_that_names_the_option(
    given: bool | None, said: dict[str, str], found: bool
) -> None:
    options = VerifyOptions(cluster=CLUSTER, elevated_proxy=given)
    assert _compile_options(options, said).elevated_proxy is found
