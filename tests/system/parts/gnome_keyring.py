"""gnome-keyring on a D-Bus session of its own: the Secret Service of a desktop, unlocked, locked or absent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import jeepney
from jeepney.io.blocking import open_dbus_connection

from tests.system.parts.cache import MACHINE, program
from tests.system.parts.processes import Server, running, wait_until

PART = "gnome-keyring"
HOW = "apt-get install gnome-keyring dbus"
SECRETS = "org.freedesktop.secrets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desktop:
    """A session bus; `environ` is what a program on this desktop gets."""

    environ: dict[str, str]
    bus: Server
    keyring: Server | None = None


def install() -> None:
    """Raise `Missing` where the Debian packages are not there."""
    for name in ("dbus-daemon", "gnome-keyring-daemon"):
        program(name, PART, HOW)


@contextmanager
def session_bus(directory: Path) -> Iterator[Desktop]:
    """Start a session bus; the home is `directory`/home, and nothing answers for secrets."""
    install()
    for name in ("home", "runtime"):
        (directory / name).mkdir(mode=0o700, exist_ok=True)
    environ = {
        "HOME": str(directory / "home"),
        "XDG_RUNTIME_DIR": str(directory / "runtime"),
        "PATH": MACHINE["PATH"],
        "LANG": "C.UTF-8",
    }
    # Without service files the bus starts nothing by itself: who is absent stays absent.
    settings = directory / "bus.conf"
    settings.write_text(_BUS)
    command = [program("dbus-daemon", PART, HOW), "--nofork", "--nopidfile", "--print-address=1"]
    command = [*command, f"--config-file={settings}"]
    with running("dbus-daemon", command, directory=directory, environ=environ) as bus:
        wait_until(lambda: bus.log.read_text().startswith("unix:"), "address of the bus", within_s=10, server=bus)
        address = bus.log.read_text().splitlines()[0]
        yield Desktop(environ={**environ, "DBUS_SESSION_BUS_ADDRESS": address}, bus=bus)


@contextmanager
def gnome_keyring(directory: Path, *, unlocked: bool = True) -> Iterator[Desktop]:
    """Start the bus and gnome-keyring; an unlocked one makes its keyring where there is none yet."""
    with session_bus(directory) as desktop:
        command = [program("gnome-keyring-daemon", PART, HOW), "--foreground", "--components=secrets"]
        words, stdin = ([*command, "--unlock"], b"password") if unlocked else (command, b"")
        started = running(PART, words, directory=directory, environ=desktop.environ, stdin=stdin)
        with started as keyring:
            wait_until(lambda: _is_served(desktop), "Secret Service on the bus", within_s=15, server=keyring)
            yield Desktop(environ=desktop.environ, bus=desktop.bus, keyring=keyring)


def _is_served(desktop: Desktop) -> bool:
    with suppress(OSError), open_dbus_connection(desktop.environ["DBUS_SESSION_BUS_ADDRESS"]) as connection:
        asked = jeepney.message_bus.NameHasOwner(SECRETS)
        return bool(connection.send_and_get_reply(asked, timeout=5).body[0])
    return False


_BUS = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <keep_umask/>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
