"""A session handed to one process tree: its children read it, nobody else does, and afterwards nobody at all.

Every test runs in a process of its own: joining a session keyring cannot be undone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions import hand_over_socket
from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore

PROLOGUE = """
import os, subprocess, sys, time
from contextlib import contextmanager
from pathlib import Path
from kubectl_stepup.sessions import hand_over, hand_over_socket, scope
from kubectl_stepup.sessions.stores import kernel, keyctl
from tests.support.sessions import SESSION, session

directory = Path(sys.argv[1])
now = lambda: SESSION.approved.wall

@contextmanager
def handed_over(session, **where):
    with hand_over.prepared(**where) as offer:
        yield offer.give(session)

fresh = session(issuer="https://" + os.urandom(8).hex())
NOTHING = b"[]"  # the reader ran, and was given nothing

def answer(one):
    return b"[" + one.for_process_tree().to_record() + b"]"

expected = answer(fresh)

READ = (
    "import sys; from kubectl_stepup.sessions.release_credential import _handed_over, parse\\n"
    "options = parse(sys.argv[1:])\\n"
    "sys.stdout.buffer.write(b'[' + b''.join(_handed_over(options['--session'], options)) + b']')"
)

def child(arguments, code=READ, **options):
    command = [sys.executable, "-c", code, "--session", fresh.id, *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, **options).stdout
"""

KERNEL = [True, False]


def run(code: str, directory: Path) -> None:
    """Run code that checks by assertions."""
    text = PROLOGUE + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", text, str(directory)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "run"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture(params=["keyring", "socket"])
def kernel(request: pytest.FixtureRequest) -> str:
    if request.param == "keyring":
        try:
            KernelKeyringStore().probe()
        except StoreUnavailable as error:
            pytest.skip(f"no kernel keyring: {error.message}")
    return f"kernel={request.param == 'keyring'}"


def test_children_and_their_children_read_it_again_and_again(kernel: str, directory: Path) -> None:
    code = f"""
    with handed_over(fresh, directory=directory, {kernel}, now=now) as arguments:
        assert [child(arguments) for _ in range(3)] == [expected] * 3
        start = f"subprocess.run([sys.executable, '-c', {{READ!r}}, *sys.argv[1:]], check=True)"
        through = f"import subprocess, sys; {{start}}"
        assert child(arguments, through) == expected
        assert child(arguments, start_new_session=True) == expected
    """
    run(code, directory)


def test_afterwards_nobody_reads_it(kernel: str, directory: Path) -> None:
    code = f"""
    left = "import sys; sys.stdin.read()\\n" + READ
    with handed_over(fresh, directory=directory, {kernel}, now=now) as arguments:
        behind = subprocess.Popen(
            [sys.executable, "-c", left, "--session", fresh.id, *arguments], stdin=-1, stdout=-1, start_new_session=True
        )
    assert child(arguments) == NOTHING
    assert behind.communicate()[0] == NOTHING
    assert list(directory.iterdir()) == []
    """
    run(code, directory)


def test_it_ends_with_an_exception_too(kernel: str, directory: Path) -> None:
    code = f"""
    try:
        with handed_over(fresh, directory=directory, {kernel}, now=now) as arguments:
            raise KeyError("x")
    except KeyError:
        pass
    assert child(arguments) == NOTHING
    """
    run(code, directory)


def test_a_process_outside_the_tree_does_not_read_it(kernel: str, directory: Path) -> None:
    # The helper is started before the hand-over: a sibling, as another terminal's processes are.
    code = f"""
    sibling = "import sys; sys.argv[3:] = sys.stdin.readline().split()\\n" + READ
    outside = subprocess.Popen(["setsid", "--fork", "sh", "-c", 'exec "$@"', "sh", sys.executable, "-c", sibling,
        "--session", fresh.id], stdin=-1, stdout=-1)
    with handed_over(fresh, directory=directory, {kernel}, now=now) as arguments:
        outside.wait()
        assert outside.communicate((" ".join(arguments) + "\\n").encode())[0] == NOTHING
        assert child(arguments) == expected
    """
    run(code, directory)


def test_the_wrappers_own_store_works_on(directory: Path) -> None:
    code = """
    store = kernel.KernelKeyringStore()
    key = scope.key(fresh.id, "user")
    store.put(key, b"before", time.time() + 60)
    with handed_over(fresh, directory=directory, now=now):
        assert store.get(key) == b"before"
        store.put(key, b"during", time.time() + 60)
        assert child((), "from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore as S; import sys;"
            f"sys.stdout.buffer.write(S().get({key!r}))") == b"during"
    assert store.delete(key)
    """
    run(code, directory)


def test_what_is_in_the_old_session_keyring_stays_within_reach(directory: Path) -> None:
    code = """
    keyctl.join_new_session_keyring()
    ticket = keyctl.add_key("kerberos-ticket", b"ticket", keyctl.SESSION_KEYRING)
    find = ("from kubectl_stepup.sessions.stores import keyctl; import sys\\n"
        "sys.stdout.buffer.write(keyctl.read(keyctl.search(keyctl.SESSION_KEYRING, 'kerberos-ticket')))")
    with handed_over(fresh, directory=directory, now=now):
        assert child((), find) == b"ticket"
        assert keyctl.search(keyctl.PROCESS_KEYRING, "kerberos-ticket") is None
    """
    run(code, directory)


def test_the_nearest_hand_over_wins(directory: Path) -> None:
    code = """
    inner = session(issuer=fresh.issuer, command="inner")
    with handed_over(fresh, directory=directory, now=now):
        with handed_over(inner, directory=directory, now=now):
            assert child(()) == answer(inner)
        assert child(()) == expected
    """
    run(code, directory)


def test_where_the_kernel_refuses_the_socket_serves(directory: Path) -> None:
    code = """
    keyctl._NUMBER = None
    with handed_over(fresh, directory=directory, now=now) as arguments:
        assert arguments[0] == "--handover"
        assert child(arguments) == expected
    """
    run(code, directory)


def test_an_expired_token_is_not_handed_over(directory: Path) -> None:
    code = """
    from kubectl_stepup.errors import StoreUnavailable
    try:
        with handed_over(fresh, directory=directory, now=lambda: fresh.token_expires_at):
            raise SystemExit("handed over")
    except StoreUnavailable as error:
        assert error.message == "the token to hand over has expired"
    """
    run(code, directory)


def test_the_socket_is_for_this_user_alone(directory: Path) -> None:
    path = directory / "x.sock"
    with hand_over_socket.Offer(b"value", str(path)):
        assert path.stat().st_mode & 0o777 == 0o600
        assert hand_over_socket.receive(str(path)) == b"value"
    assert not path.exists()


@pytest.mark.skipif(os.getuid() != 0 or sys.platform != "linux", reason="needs root, to become another user")
def test_another_user_gets_nothing_even_with_the_way_open(directory: Path) -> None:
    path = directory / "x.sock"
    code = (
        "import os, sys, _socket; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "s = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM); s.connect(sys.argv[1]); print(s.recv(10))"
    )
    with hand_over_socket.Offer(b"value", str(path)):
        path.chmod(0o777)
        for parent in [directory, *directory.parents][:-2]:
            parent.chmod(parent.stat().st_mode | 0o011)
        done = subprocess.run([sys.executable, "-I", "-S", "-c", code, str(path)], capture_output=True, text=True)
    assert done.stdout == "b''\n", done.stderr


def test_a_caller_that_goes_away_does_not_stop_the_service(directory: Path) -> None:
    import socket

    path = str(directory / "x.sock")
    with hand_over_socket.Offer(b"x" * 60_000, path):
        for _ in range(3):
            rude = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            rude.connect(path)
            rude.close()
        assert hand_over_socket.receive(path) == b"x" * 60_000
    assert "handover" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("name", ["missing.sock", "x" * 200])
def test_a_socket_that_is_gone_gives_nothing(directory: Path, name: str) -> None:
    assert hand_over_socket.receive(str(directory / name)) is None


def test_a_socket_that_cannot_be_made_says_so(directory: Path) -> None:
    path = directory / ("x" * 200)
    with pytest.raises(StoreUnavailable, match=r"^the hand-over socket .* cannot be made: "):
        hand_over_socket.Offer(b"value", str(path)).__enter__()


def test_a_path_that_is_too_long_for_a_socket_is_not_used(directory: Path) -> None:
    code = """
    import tempfile
    tempfile.tempdir = str(directory / ("long" * 20))  # too long, and not even there
    deep = directory / ("deep" * 25)
    deep.mkdir(mode=0o700)
    with handed_over(fresh, directory=deep, kernel=False, now=now) as arguments:
        place = Path(arguments[1]).parent
        assert (place.parent, place.stat().st_mode & 0o777) == (Path("/tmp"), 0o700)
        assert child(arguments) == expected
    assert not place.exists()
    assert list(deep.iterdir()) == []
    """
    run(code, directory)


def test_until_a_session_is_given_the_socket_serves_nothing(directory: Path) -> None:
    code = """
    with hand_over.prepared(directory=directory, kernel=False, now=now) as offer:
        (socket,) = directory.iterdir()
        assert child(("--handover", str(socket))) == NOTHING
        assert child(offer.give(fresh)) == expected
    """
    run(code, directory)


def test_what_leaves_is_outside_and_keeps_what_was_there_before(directory: Path) -> None:
    code = """
    keyctl.join_new_session_keyring()
    keyctl.add_key("kerberos-ticket", b"ticket", keyctl.SESSION_KEYRING)
    look = ("import sys; from kubectl_stepup.sessions import hand_over\\n"
        "from kubectl_stepup.sessions.stores import keyctl\\n"
        "hand_over.leave()\\n"
        "found = keyctl.search(keyctl.SESSION_KEYRING, sys.argv[2])\\n"
        "assert keyctl.search(keyctl.PROCESS_KEYRING, 'kerberos-ticket') is None\\n"
        "ticket = keyctl.read(keyctl.search(keyctl.SESSION_KEYRING, 'kerberos-ticket'))\\n"
        "sys.stdout.buffer.write(b'%r %r' % (found, ticket))")
    name = scope.key(fresh.id, "handover")
    inner = session(issuer=fresh.issuer, command="inner")
    with handed_over(fresh, directory=directory, now=now):
        ended = subprocess.run([sys.executable, "-c", look, "x", name], capture_output=True, check=True)
        assert ended.stdout == b"None b'ticket'", ended
        with handed_over(inner, directory=directory, now=now):
            ended = subprocess.run([sys.executable, "-c", look, "x", name], capture_output=True, check=True)
            assert ended.stdout == b"None b'ticket'", ended
        assert child(()) == expected
    """
    run(code, directory)


def test_outside_of_a_hand_over_there_is_nothing_to_leave(directory: Path) -> None:
    code = """
    keyctl.join_new_session_keyring()
    before = keyctl.serial_number(keyctl.SESSION_KEYRING)
    hand_over.leave()
    assert keyctl.serial_number(keyctl.SESSION_KEYRING) == before
    keyctl._NUMBER = None
    hand_over.leave()
    """
    run(code, directory)
