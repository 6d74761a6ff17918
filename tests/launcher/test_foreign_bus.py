"""A session bus that another local user serves is told nothing, and nothing that it says is believed."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.secret import Secret
from kubectl_stepup.sessions import scope
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.sessions.stores import dbus, keyring, secret_service
from tests.launcher.conftest import Launcher
from tests.launcher.test_secret_service import answers, items
from tests.support.sessions import approved_now
from tests.unit.sessions.bus import ForeignBus, SecretService, bus

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the Secret Service is on Linux")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")


@pytest.fixture
def fresh() -> ElevationSession:
    return approved_now(token=Secret("of-the-other-user"))


@pytest.fixture(params=["abstract", "path"])
def foreign(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, fresh: ElevationSession) -> (
    Iterator[ForeignBus]
):  # fmt: skip
    """Serve a session that nobody here approved, under an abstract name or in a directory of the other user."""
    where = f"kubectl-stepup-foreign-{os.getpid()}-{os.urandom(4).hex()}"
    if request.param == "path":
        directory = tmp_path_factory.mktemp("foreign")
        os.chown(directory, 65534, 65534)
        for above in directory.parents:
            if above.stat().st_mode & 0o001 == 0:
                above.chmod(above.stat().st_mode | 0o011)
        where = str(directory)
    server = ForeignBus(items(fresh), where)
    yield server
    if not server.heard:
        server.end()


@as_root
def test_another_users_bus_answers_nothing(launcher: Launcher, fresh: ElevationSession, foreign: ForeignBus) -> None:
    assert answers(launcher, fresh, foreign.address) == (None, None)
    assert secret_service.read(foreign.address, scope.key(fresh.id, scope.USER_SCOPE)) is None
    foreign.end()
    assert foreign.heard == []


@as_root
def test_the_keyring_library_is_not_let_near_it(foreign: ForeignBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path=/nonexistent;{foreign.address}")
    with pytest.raises(StoreUnavailable, match=r"Secret Service cannot be used: the session bus belongs to user id 65"):
        keyring.open_os_keyring(platform="linux")
    foreign.end()
    assert foreign.heard == []


@as_root
def test_a_bus_that_is_replaced_after_it_was_looked_at_is_told_nothing_of_a_session(
    foreign: ForeignBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", foreign.address)
    monkeypatch.setattr(keyring, "reason_not_ours", lambda *_, **__: None)
    with pytest.raises(StoreUnavailable, match="Secret Service cannot be used: the session bus belongs to another"):
        keyring.open_os_keyring(platform="linux")
    foreign.end()
    assert foreign.heard
    assert not {"SearchItems", "CreateItem", "GetSecret"} & set(foreign.heard)


@pytest.mark.parametrize(
    "address",
    ["unixexec:path=./evil", "tcp:host=127.0.0.1,port=1", "nonce-tcp:host=x", "autolaunch:", "unix:path=%zz", "x"],
)
def test_an_address_that_is_no_socket_is_used_by_nobody(
    launcher: Launcher, tmp_path: Path, fresh: ElevationSession, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answers(launcher, fresh, address) == (None, None)
    with bus(tmp_path, SecretService({})) as own:
        for listed in (address, f"{address};{own}", f"{own};{address}"):
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", listed)
            with pytest.raises(StoreUnavailable, match="the session bus is on no socket of this"):
                keyring.open_os_keyring(platform="linux")


def test_ones_own_bus_is_let_through(tmp_path: Path) -> None:
    with bus(tmp_path, SecretService({})) as address:
        for listed in (address, f"unix:abstract=gone-{os.getpid()};{address};"):
            assert dbus.reason_not_ours(listed, timeout_s=1) is None


def test_nobody_at_the_address_is_the_librarys_to_say(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as closed:
        closed.bind(str(tmp_path / "bus"))
        assert dbus.reason_not_ours(f"unix:path={tmp_path}/bus", timeout_s=1) is None
    assert dbus.reason_not_ours("", timeout_s=1) is None
