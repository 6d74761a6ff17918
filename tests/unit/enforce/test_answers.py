"""What kubectl's answers mean; the texts are those of kubectl 1.37 and Kubernetes 1.36."""

from __future__ import annotations

import pytest

from kubectl_stepup.enforce.verify import answers
from kubectl_stepup.enforce.verify.answers import KubectlAnswer

DENIED = (
    'Error from server (Forbidden): configmaps "a" is forbidden: ValidatingAdmissionPolicy '
    "'kubectl-stepup-deletes' with binding 'kubectl-stepup-deletes' denied request: step-up to mfa needed"
)
ANOTHER = DENIED.replace("kubectl-stepup-", "company-")
RBAC = (
    'Error from server (Forbidden): configmaps "a" is forbidden: User "alice" cannot delete resource "configmaps" '
    'in API group "" in the namespace "shop"'
)
LOOK = RBAC.replace("cannot delete", "cannot get")
CORDON = "error: unable to cordon node " + DENIED
WARNED = (
    "Warning: Validation failed for ValidatingAdmissionPolicy 'kubectl-stepup-deletes' with binding "
    "'kubectl-stepup-deletes': step-up to mfa needed"
)


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        (KubectlAnswer(code=1, err=DENIED), "deletes"),
        # kubectl cordon prints the denial, and exits with 0.
        (KubectlAnswer(code=0, err=CORDON), "deletes"),
        (KubectlAnswer(code=1, err=ANOTHER), None),
        (KubectlAnswer(code=1, err=RBAC), None),
        (KubectlAnswer(code=0, err=WARNED), None),
    ],
)
def test_who_denied(answer: KubectlAnswer, rule: str | None) -> None:
    assert answers.denied_by(answer) == rule


@pytest.mark.parametrize(
    ("answer", "write", "look"),
    [
        (KubectlAnswer(code=1, err=RBAC), True, False),
        (KubectlAnswer(code=1, err=LOOK), False, True),
        (KubectlAnswer(code=1, err=DENIED), False, False),
        (
            KubectlAnswer(code=0, err="error: unable to cordon node: nodes is forbidden: cannot patch resource"),
            True,
            False,
        ),
        (KubectlAnswer(code=0, err=RBAC), False, False),
        (
            KubectlAnswer(code=1, err="x is forbidden: attempting to grant RBAC permissions not currently held"),
            True,
            False,
        ),
    ],
)
def test_what_rbac_refused(answer: KubectlAnswer, write: bool, look: bool) -> None:
    assert (answers.refused_by_rbac(answer), answers.not_allowed_to_look(answer)) == (write, look)


def test_a_warning_counts_where_the_request_passed() -> None:
    assert answers.warned_by(KubectlAnswer(code=0, err=WARNED)) == ("deletes",)
    assert answers.warned_by(KubectlAnswer(code=1, err=WARNED)) == ()


@pytest.mark.parametrize(
    ("err", "expected"),
    [
        ("error: You must be logged in to the server (Unauthorized)", True),
        ("Unable to connect to the server: getting credentials: exec: executable x failed with exit code 1", True),
        ("Unable to connect to the server: dial tcp: connection refused", False),
    ],
)
def test_who_is_not_known(err: str, expected: bool) -> None:
    assert answers.unauthenticated(KubectlAnswer(code=1, err=err)) is expected
    assert answers.unauthenticated(KubectlAnswer(code=0)) is False


def test_objects_that_follow_each_other() -> None:
    assert list(answers.documents('{"a": 1}\n{"a": 2}\n[3] nonsense {"a": 4}')) == [{"a": 1}, {"a": 2}]
    assert answers.document(KubectlAnswer(code=0, out='{"a": 1}')) == {"a": 1}
    assert answers.document(KubectlAnswer(code=1, out='{"a": 1}')) is None
    assert answers.document(KubectlAnswer(code=0, out="nothing")) is None


def test_the_last_line_is_what_is_said() -> None:
    assert KubectlAnswer(code=1, err="first\n  last \n\n").said == "last"
    assert KubectlAnswer(code=7).said == "kubectl ended with exit code 7"
