"""The stored form as the fast path reads it."""

from __future__ import annotations

import json

import pytest

from kubectl_stepup.digest import sha256_hex
from kubectl_stepup.sessions import stored_session
from tests.support.sessions import SESSION, later, session

INFOS = (b"one\n", b"two\n", b"three\n", b"four\n")
WITH_INFOS = session(exec_info=tuple(sha256_hex(info) for info in INFOS))


def read() -> stored_session.StoredSession:
    found = stored_session.read(WITH_INFOS.to_record(), session_id=WITH_INFOS.id)
    assert found is not None
    return found


def test_an_expected_exec_info_tells_the_version() -> None:
    assert [read().version_expected(info) for info in INFOS] == ["v1", "v1", "v1beta1", "v1beta1"]


@pytest.mark.parametrize("info", [b"", b"one", b"five\n"])
def test_any_other_byte_is_not_expected(info: bytes) -> None:
    assert read().version_expected(info) is None


def test_nothing_is_expected_where_nothing_was_foretold() -> None:
    found = stored_session.read(SESSION.to_record(), session_id=SESSION.id)
    assert found is not None
    assert found.version_expected(b"") is None


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_the_credential_is_an_exec_credential(version: str) -> None:
    data = read().credential(version)
    assert data.endswith(b"}\n")
    assert json.loads(data) == {
        "kind": "ExecCredential",
        "apiVersion": f"client.authentication.k8s.io/{version}",
        "spec": {},
        "status": {"expirationTimestamp": "2027-01-15T08:10:00Z", "token": SESSION.token.reveal()},
    }


def test_its_repr_shows_the_id_alone() -> None:
    assert repr(read()) == f"StoredSession(id={SESSION.id!r})"


def test_it_ends_when_the_session_does() -> None:
    assert read().usable(later(599))
    assert not read().usable(later(600))


def test_a_line_break_is_never_written() -> None:
    values = dict.fromkeys(stored_session.NAMES, "x")
    with pytest.raises(ValueError, match=r"^a record's value holds a line break$"):
        stored_session.write({**values, "facts": "a\nb"})
