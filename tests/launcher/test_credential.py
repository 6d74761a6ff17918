"""The launcher answers `credential` as the Python program does, and nothing that that would not answer."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.fastpath import cached_credential
from kubectl_stepup.kubeconfig import exec_credential
from kubectl_stepup.secret import Secret
from kubectl_stepup.sessions import release_credential, scope, stored_session
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.sessions.stores import keyctl
from kubectl_stepup.sessions.stores.file import FileStore
from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore
from tests.launcher.conftest import HANDED_ON, Launcher
from tests.support.sessions import CA, approved_now, session

NOBODY = 65534
SCOPES: dict[str, Callable[[], str]] = {"this terminal": scope.terminal_scope, "the user": lambda: scope.USER_SCOPE}


def environ(fresh: ElevationSession, number: int = 0, **more: str) -> dict[str, str]:
    info = exec_credential.expected_exec_info(fresh.pin, ca_pem=CA)[number].decode()
    return {"PATH": os.defpath, "KUBERNETES_EXEC_INFO": info, **more}


def by_python(arguments: list[str], variables: dict[str, str]) -> bytes | None:
    """Return what the Python program answers, without a look into an EXEC_INFO that is not the one foretold."""
    return release_credential.answer(arguments, variables, version_for=lambda *_: None)


@pytest.fixture(params=["kernel", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Return a store to put sessions into."""
    if request.param == "file":
        yield Store(FileStore(tmp_path / "sessions"), ["--store-directory", str(tmp_path / "sessions")], [])
        return
    found = Store(KernelKeyringStore(), [], [])
    try:
        KernelKeyringStore().probe()
    except StoreUnavailable as error:
        pytest.skip(f"no kernel keyring: {error.message}")
    yield found
    for key in found.keys:
        found.of.delete(key)


@dataclass(frozen=True, slots=True)
class Store:
    of: FileStore | KernelKeyringStore
    arguments: list[str]
    keys: list[str]

    def put(self, fresh: ElevationSession, of_scope: str, value: bytes | None = None) -> list[str]:
        """Keep a session, or another value under its name; give the arguments that find it."""
        key = scope.key(fresh.id, of_scope)
        self.keys.append(key)
        self.of.put(key, fresh.to_record() if value is None else value, scope.moment().wall + 3600)
        return ["--session", fresh.id, *self.arguments]


@pytest.mark.parametrize("whose", SCOPES)
@pytest.mark.parametrize("number", range(4))
def test_a_hit_is_answered_in_the_version_that_was_asked_for(
    launcher: Launcher, store: Store, whose: str, number: int
) -> None:
    fresh = approved_now()
    arguments = store.put(fresh, SCOPES[whose]())
    found = launcher.answer(arguments, environ(fresh, number))
    assert found is not None
    assert found == by_python(arguments, environ(fresh, number))
    assert json.loads(found)["status"]["token"] == fresh.token.reveal()


def test_the_terminals_own_session_comes_first(launcher: Launcher, store: Store) -> None:
    fresh = approved_now()
    other = session(**{name: getattr(fresh, name) for name in fresh.__slots__} | {"reuse_until": fresh.approved.wall})
    store.put(fresh, scope.USER_SCOPE)
    arguments = store.put(fresh, scope.terminal_scope(), other.to_record())
    assert launcher.answer(arguments, environ(fresh)) == by_python(arguments, environ(fresh))
    assert launcher.answer(arguments, environ(fresh)) is not None  # the first one is over, the second is not


def test_of_two_that_may_be_used_the_terminals_own_is_answered(launcher: Launcher, store: Store) -> None:
    fresh = approved_now()
    store.put(approved_now(issuer=fresh.issuer, token=Secret("of the user")), scope.USER_SCOPE)
    arguments = store.put(fresh, scope.terminal_scope())
    assert launcher.answer(arguments, environ(fresh)) == by_python(arguments, environ(fresh)) is not None


UNFORETOLD: dict[str, Callable[[bytes], bytes]] = {
    "for another request": lambda data: data,
    "in a form that Python alone reads": lambda data: re.sub(rb"\nuntil=(\S+) ", rb"\nuntil=\1e0 ", data),
}


@pytest.mark.parametrize("form", UNFORETOLD)
def test_the_first_one_that_python_could_use_decides(launcher: Launcher, store: Store, form: str) -> None:
    fresh = approved_now()
    other = session(**{name: getattr(fresh, name) for name in fresh.__slots__} | {"exec_info": ("0" * 64,) * 4})
    store.put(fresh, scope.USER_SCOPE)
    arguments = store.put(fresh, scope.terminal_scope(), UNFORETOLD[form](other.to_record()))
    assert by_python(arguments, environ(fresh)) is None
    assert launcher.answer(arguments, environ(fresh)) is None


def test_an_unusual_file_of_the_terminal_is_left_to_python(launcher: Launcher, tmp_path: Path) -> None:
    fresh = approved_now()
    store = FileStore(tmp_path / "sessions")
    store.put(scope.key(fresh.id, scope.USER_SCOPE), fresh.to_record(), fresh.reuse_until)
    key = scope.key(fresh.id, scope.terminal_scope())
    (tmp_path / "sessions" / f"{key.replace(':', ',')}.session").symlink_to("nothing")
    arguments = ["--session", fresh.id, "--store-directory", str(tmp_path / "sessions")]
    assert launcher.answer(arguments, environ(fresh)) is None  # Python removes it


def test_the_sessions_of_another_terminal_are_not_found(launcher: Launcher, store: Store) -> None:
    fresh = approved_now()
    arguments = store.put(fresh, "tty-34816-1234-5678")
    assert launcher.answer(arguments, environ(fresh)) is None


def test_a_new_login_on_the_same_terminal_is_another_scope(launcher: Launcher, store: Store) -> None:
    fresh = approved_now()
    arguments = store.put(fresh, scope.terminal_scope())
    command = ["setsid", "--wait", str(launcher.path), "credential", *arguments]
    done = subprocess.run(
        command, env={**environ(fresh), "ASAN_OPTIONS": "detect_leaks=0"}, capture_output=True, check=False
    )
    assert done.stdout.startswith(b"python program:")


def test_what_was_handed_to_the_process_tree_is_found_there_alone(launcher: Launcher) -> None:
    fresh = approved_now()
    code = (
        "import subprocess, sys; from kubectl_stepup.sessions.stores import keyctl; keyctl.join_new_session_keyring(); "
        "keyctl.add_key(sys.argv[1], sys.stdin.buffer.read(), keyctl.SESSION_KEYRING); "
        "sys.exit(subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL).returncode)"
    )
    name = scope.key(fresh.id, scope.HANDED_OVER)
    words = [os.fspath(launcher.path), "credential", "--session", fresh.id]
    variables = {**os.environ, **environ(fresh), "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run(
        [sys.executable, "-c", code, name, *words], env=variables, input=fresh.to_record(), capture_output=True
    )
    if b"Errno" in done.stderr:
        pytest.skip(f"no kernel keyring: {done.stderr.decode().splitlines()[-1]}")
    assert json.loads(done.stdout)["status"]["token"] == fresh.token.reveal()
    for whose in SCOPES.values():
        other = approved_now(issuer=fresh.issuer, token=Secret("of the user"))
        KernelKeyringStore().put(scope.key(fresh.id, whose()), other.to_record(), other.reuse_until)
    try:
        nearest = subprocess.run(
            [sys.executable, "-c", code, name, *words], env=variables, input=fresh.to_record(), capture_output=True
        )
    finally:
        for whose in SCOPES.values():
            KernelKeyringStore().delete(scope.key(fresh.id, whose()))
    assert nearest.stdout == done.stdout
    assert launcher.answer(["--session", fresh.id], environ(fresh)) is None


def test_the_login_sessions_keyring_is_asked_where_the_variable_says_so(launcher: Launcher) -> None:
    fresh = approved_now()
    key = scope.key(fresh.id, scope.USER_SCOPE)
    store = KernelKeyringStore(keyring=keyctl.SESSION_KEYRING)
    try:
        store.put(key, fresh.to_record(), fresh.reuse_until)
    except StoreUnavailable as error:
        pytest.skip(f"no kernel keyring: {error.message}")
    try:
        arguments = ["--session", fresh.id]
        assert launcher.answer(arguments, environ(fresh, KUBECTL_STEPUP_KEYRING="session")) is not None
        assert launcher.answer(arguments, environ(fresh)) is None
    finally:
        store.delete(key)


def test_other_arguments_are_left_to_python(launcher: Launcher, store: Store) -> None:
    fresh = approved_now()
    arguments = store.put(fresh, scope.USER_SCOPE)
    assert launcher.answer(arguments, environ(fresh)) is not None
    assert launcher.answer([*arguments, "--store", "keyring"], environ(fresh)) is not None
    for others in (
        [],
        ["--help"],
        ["--session"],
        arguments[1:],
        [*arguments, "--verbose"],
        [*arguments, "--scope", "user"],
        [*arguments, *arguments],
        [*arguments, "--store", "kernel"],
        [*arguments, "--handover", "/nowhere"],
        ["--session", fresh.id.upper(), *arguments[2:]],
        ["--session", fresh.id[:-1], *arguments[2:]],
        ["--session", f"../{fresh.id}", *arguments[2:]],
        ["--session", "0" * 32, *arguments[2:]],
    ):
        assert launcher.answer(others, environ(fresh)) is None, others


@pytest.mark.parametrize(
    "change",
    [
        lambda info: info.replace("https://api.prod", "https://api.evil"),
        lambda info: info.replace('"interactive":false', '"interactive":true ').strip(),
        lambda info: info + "\n",
        lambda info: info[:-2],
        lambda _: "{}",
        lambda _: "",
    ],
)
def test_another_request_than_the_foretold_is_left_to_python(
    launcher: Launcher, store: Store, change: Callable[[str], str]
) -> None:
    fresh = approved_now()
    arguments = store.put(fresh, scope.USER_SCOPE)
    variables = environ(fresh)
    changed = change(variables["KUBERNETES_EXEC_INFO"])
    assert changed != variables["KUBERNETES_EXEC_INFO"]
    assert launcher.answer(arguments, {**variables, "KUBERNETES_EXEC_INFO": changed}) is None
    del variables["KUBERNETES_EXEC_INFO"]
    assert launcher.answer(arguments, variables) is None


ENDED: dict[str, Callable[[stored_session.Moment], dict[str, object]]] = {
    "reuse over": lambda now: {"reuse_until": now.wall},
    "token about to expire": lambda now: {"token_expires_at": now.wall + stored_session.MIN_REMAINING_S - 0.5},
    "clock set back": lambda now: {
        "approved": stored_session.Moment(wall=now.wall + 8, boottime=now.boottime, boot_id=now.boot_id)
    },
    "more time since boot than by the wall clock": lambda now: {
        "approved": stored_session.Moment(wall=now.wall, boottime=now.boottime - 601, boot_id=now.boot_id)
    },
    "more time by the wall clock than since boot": lambda now: {
        "approved": stored_session.Moment(wall=now.wall - 100, boottime=now.boottime, boot_id=now.boot_id),
        "reuse_until": now.wall - 1,
    },
    "approved after this boot time": lambda now: {
        "approved": stored_session.Moment(wall=now.wall, boottime=now.boottime + 60, boot_id=now.boot_id)
    },
    "another boot": lambda now: {
        "approved": stored_session.Moment(
            wall=now.wall, boottime=now.boottime, boot_id="0b6f1b1c-2f5d-4f25-9b39-0d6f5d8f3d10"
        )
    },
    "a boot that was not told": lambda now: {
        "approved": stored_session.Moment(wall=now.wall, boottime=now.boottime, boot_id="")
    },
    "no request foretold": lambda _: {"exec_info": ()},
}


@pytest.mark.parametrize("ended", ENDED)
def test_a_session_that_may_not_be_used(launcher: Launcher, store: Store, ended: str) -> None:
    fresh = approved_now()
    values = {name: getattr(fresh, name) for name in fresh.__slots__}
    stored = session(**{**values, **ENDED[ended](fresh.approved)})
    arguments = store.put(fresh, scope.USER_SCOPE, stored.to_record())
    assert by_python(arguments, environ(fresh)) is None
    assert launcher.answer(arguments, environ(fresh)) is None


@pytest.mark.parametrize("backwards_s", [0, 4])
def test_a_clock_that_was_put_right_ends_nothing(launcher: Launcher, store: Store, backwards_s: float) -> None:
    now = scope.moment()
    fresh = approved_now(
        approved=stored_session.Moment(wall=now.wall + backwards_s, boottime=now.boottime, boot_id=now.boot_id)
    )
    arguments = store.put(fresh, scope.USER_SCOPE)
    assert launcher.answer(arguments, environ(fresh)) == by_python(arguments, environ(fresh)) is not None


def of_requests(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    """Change the digests of the requests that are foretold."""

    def changed(data: bytes) -> bytes:
        head, name, tail = data.partition(b"\nexec_info=")
        digests, end, rest = tail.partition(b"\n")
        return head + name + b" ".join(change(digests.split(b" "))) + end + rest

    return changed


MALFORMED_RECORDS: dict[str, Callable[[bytes], bytes]] = {
    "a line too many": lambda data: data + b"more=1\n",
    "the begin of a line too many": lambda data: data + b"m",
    "no end": lambda data: data[:-1],
    "not ASCII": lambda data: data.replace(b"\nfacts=", b"\nfacts=\x80"),
    "another magic": lambda data: data.replace(b"session 2", b"session 3", 1),
    "lines in another order": lambda data: data.replace(b"\ncluster=", b"\nfacts=", 1),
    "three requests": of_requests(lambda digests: digests[:3]),
    "five requests": of_requests(lambda digests: [*digests, digests[0]]),
    "requests that begin alike": of_requests(lambda digests: [one[:63] + b"-" for one in digests]),
    "other requests that begin alike": of_requests(
        lambda digests: [one[:63] + (b"0" if one[63:] != b"0" else b"1") for one in digests]
    ),
}


@pytest.mark.parametrize("unusual", MALFORMED_RECORDS)
def test_a_malformed_record_is_left_to_python(launcher: Launcher, store: Store, unusual: str) -> None:
    fresh = approved_now()
    data = MALFORMED_RECORDS[unusual](fresh.to_record())
    assert data != fresh.to_record()
    arguments = store.put(fresh, scope.USER_SCOPE, data)
    assert by_python(arguments, environ(fresh)) is None
    assert launcher.answer(arguments, environ(fresh)) is None


def test_the_whole_id_names_a_session(launcher: Launcher, tmp_path: Path) -> None:
    fresh = approved_now()
    other = fresh.id[:-1] + ("0" if fresh.id[-1] != "0" else "1")
    FileStore(tmp_path / "sessions").put(scope.key(other, scope.USER_SCOPE), fresh.to_record(), fresh.reuse_until)
    arguments = ["--session", other, "--store-directory", str(tmp_path / "sessions")]
    assert launcher.answer(arguments, environ(fresh)) is None


def test_brackets_in_the_name_of_the_program_change_no_scope(launcher: Launcher, store: Store, tmp_path: Path) -> None:
    fresh = approved_now()
    arguments = store.put(fresh, scope.terminal_scope())
    program = tmp_path / ") S 1 2 (3) 4"
    shutil.copy(launcher.path, program)
    assert Launcher(program, launcher.system_policy).answer(arguments, environ(fresh)) is not None


@pytest.mark.parametrize(("place", "unusual"), [(0, " "), (63, " "), (64, "\t"), (64, "0"), (100, "\x1c"), (258, " ")])
def test_requests_that_are_not_four_digests_are_left_to_python(
    launcher: Launcher, tmp_path: Path, place: int, unusual: str
) -> None:
    fresh = approved_now()
    store = FileStore(tmp_path / "sessions")
    head, name, tail = fresh.to_record().partition(b"exec_info=")
    stored = head + name + tail[:place] + unusual.encode() + tail[place + 1 :]
    assert stored != fresh.to_record()
    store.put(scope.key(fresh.id, scope.USER_SCOPE), stored, fresh.reuse_until)
    arguments = ["--session", fresh.id, "--store-directory", str(tmp_path / "sessions")]
    assert [launcher.answer(arguments, environ(fresh, number)) for number in range(4)] == [None] * 4


def test_a_session_of_another_identity_is_not_given_out(launcher: Launcher, store: Store) -> None:
    fresh = approved_now()
    other = session(**{name: getattr(fresh, name) for name in fresh.__slots__} | {"level": "critical"})
    arguments = store.put(fresh, scope.USER_SCOPE, other.to_record())
    assert by_python(arguments, environ(fresh)) is None
    assert launcher.answer(arguments, environ(fresh)) is None


PIECES = st.sampled_from([b"", b" ", b"\n", b"0", b"1e3", b"nan", b"inf", b"-1", b"+5", b"0x10", b"1_0", b".5", b"5.",
                          b"=", b"\xff", b"\x00", b"status=", b"until=", b"v1", b"%n%s", b"9" * 400])  # fmt: skip


CHANGES = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.one_of(PIECES, st.binary(max_size=4), st.none())),
    min_size=1,
    max_size=2,
)


def changed(data: bytes, changes: list[tuple[float, int, bytes | None]]) -> bytes:
    """Cut so many bytes out of a record, so far into it, and put others in; None: the same ones twice."""
    for place, length, others in changes:
        start = int(place * len(data))
        cut = data[start : start + length]
        data = data[:start] + (cut * 2 if others is None else others) + data[start + length :]
    return data


@pytest.fixture(scope="module")
def malformed_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("malformed") / "sessions"


@settings(max_examples=400, deadline=None)
@given(changes=CHANGES)
@example(changes=[(0.5, 25, b""), (0.5, 25, None)])  # the same length again, with a fifth digest of a request in it
def test_no_changed_record_is_answered_where_python_would_not(
    launcher: Launcher, malformed_records: Path, changes: list[tuple[float, int, bytes | None]]
) -> None:
    fresh = approved_now()
    store = FileStore(malformed_records)
    key = scope.key(fresh.id, scope.USER_SCOPE)
    store.put(key, changed(fresh.to_record(), changes), fresh.reuse_until)
    arguments = ["--session", fresh.id, "--store-directory", str(malformed_records)]
    found = launcher.answer(arguments, environ(fresh))
    assert found is None or found == by_python(arguments, environ(fresh))
    store.delete(key)


@pytest.mark.parametrize(
    "head",
    [b"", b"x\n", b"-1\n", b"1\n", b"99999999999.5\n", b"1e12\n", b" 99999999999\n", b"9" * 400, b"9" * 40 + b"\n"],
)
def test_a_file_with_another_head_is_left_to_python(launcher: Launcher, tmp_path: Path, head: bytes) -> None:
    fresh = approved_now()
    store = FileStore(tmp_path / "sessions")
    store.put(scope.key(fresh.id, scope.USER_SCOPE), fresh.to_record(), fresh.reuse_until)
    file = next((tmp_path / "sessions").iterdir())
    arguments = ["--session", fresh.id, "--store-directory", str(tmp_path / "sessions")]
    assert launcher.answer(arguments, environ(fresh)) is not None
    file.write_bytes(head + file.read_bytes().partition(b"\n")[2])
    assert launcher.answer(arguments, environ(fresh)) is None


@pytest.mark.parametrize(
    "unusual",
    ["file of others", "directory of others", "link to a directory", "link", "directory", "fifo", "too large"],
)
def test_files_that_others_could_have_written_are_left_to_python(
    launcher: Launcher, tmp_path: Path, unusual: str
) -> None:
    fresh = approved_now()
    directory = tmp_path / "sessions"
    store = FileStore(directory)
    store.put(scope.key(fresh.id, scope.USER_SCOPE), fresh.to_record(), fresh.reuse_until)
    file = next(directory.iterdir())
    arguments = ["--session", fresh.id, "--store-directory", str(directory)]
    assert launcher.answer(arguments, environ(fresh)) is not None
    if unusual == "file of others":
        file.chmod(0o640)
    elif unusual == "directory of others":
        directory.chmod(0o755)
    elif unusual == "link to a directory":
        directory.rename(tmp_path / "elsewhere")
        directory.symlink_to("elsewhere")
    elif unusual == "too large":
        file.write_bytes(file.read_bytes() + b"x" * (1 << 17))
    else:
        file.rename(tmp_path / "elsewhere")
        if unusual == "link":
            file.symlink_to(tmp_path / "elsewhere")
        elif unusual == "directory":
            file.mkdir()
        else:
            os.mkfifo(file, 0o600)
            with os.fdopen(os.open(file, os.O_RDWR), "wb", buffering=0) as pipe:
                pipe.write((tmp_path / "elsewhere").read_bytes())
                assert launcher.answer(arguments, environ(fresh)) is None
    assert launcher.answer(arguments, environ(fresh)) is None


@pytest.fixture
def public_place(launcher: Launcher) -> Iterator[Path]:
    """Return a directory that every user can look into, with the launcher in it."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        for file in (launcher.path, launcher.path.with_name("kubectl_stepup-python")):
            shutil.copy(file, place)
        yield place


def long_session(directory: Path) -> tuple[ElevationSession, list[str]]:
    """Keep one whose answer fills a pipe; give it and the arguments that find it."""
    fresh = approved_now(token=Secret("x" * 90_000))
    store = FileStore(directory)
    store.put(scope.key(fresh.id, scope.USER_SCOPE), fresh.to_record(), fresh.reuse_until)
    return fresh, ["credential", "--session", fresh.id, "--store-directory", str(directory)]


def test_the_token_is_kept_out_of_core_files(public_place: Path) -> None:
    """PROC-12: while a slow reader holds the answer up, its process can be looked into by nobody."""
    fresh, arguments = long_session(public_place / "sessions")
    words = [str(public_place / "kubectl-stepup"), *arguments]
    # Of what root runs everything is root's, so that root sees no difference.
    user = NOBODY if os.geteuid() == 0 else os.geteuid()
    if user == NOBODY:
        for path in (public_place / "sessions", *(public_place / "sessions").iterdir()):
            os.chown(path, NOBODY, NOBODY)
    with subprocess.Popen(
        words, env=environ(fresh), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        user=user if user == NOBODY else None, extra_groups=[] if user == NOBODY else None,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        first = process.stdout.read(1)
        owner = Path(f"/proc/{process.pid}/mem").stat().st_uid
        rest = process.stdout.read()
    assert json.loads(first + rest)["status"]["token"] == fresh.token.reveal()
    assert (process.returncode, owner) == (0, 0)  # root's, as of a program that may not be dumped


def test_a_reader_that_takes_a_part_alone_is_a_failure(launcher: Launcher, tmp_path: Path) -> None:
    fresh, arguments = long_session(tmp_path / "sessions")
    read, write = os.pipe()
    os.set_blocking(write, False)
    done = subprocess.run(
        [launcher.path, *arguments], env=environ(fresh), stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    os.close(read)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_limit_to_what_may_be_written_is_a_failure(launcher: Launcher, tmp_path: Path) -> None:
    fresh, arguments = long_session(tmp_path / "sessions")
    with (tmp_path / "answer").open("wb") as answer:
        done = subprocess.run(
            [launcher.path, *arguments], env=environ(fresh), stdout=answer, stderr=subprocess.PIPE, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a program for one user as another")
def test_for_one_user_as_another_nothing_is_answered(public_place: Path) -> None:
    fresh = approved_now()
    store = FileStore(public_place / "sessions")
    store.put(scope.key(fresh.id, scope.USER_SCOPE), fresh.to_record(), fresh.reuse_until)
    words = [str(public_place / "kubectl-stepup"), "credential", "--session", fresh.id]
    words += ["--store-directory", str(public_place / "sessions")]
    ours = subprocess.run(words, env=environ(fresh), capture_output=True, check=False)
    assert json.loads(ours.stdout)["status"]["token"] == fresh.token.reveal()
    for owner, real, effective in ((0, NOBODY, 0), (0, 0, NOBODY), (0, NOBODY, NOBODY), (NOBODY, NOBODY, 0)):
        for path in (public_place / "sessions", *(public_place / "sessions").iterdir()):
            os.chown(path, owner, owner)
        done = subprocess.run(
            words, env=environ(fresh), capture_output=True, check=False,
            preexec_fn=partial(os.setreuid, real, effective),
        )  # fmt: skip
        assert done.stdout.startswith(b"python program:"), (owner, real, effective)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take /dev away")
def test_without_a_stream_or_its_stand_in_nothing_is_answered(launcher: Launcher, tmp_path: Path) -> None:
    """PROC-19: else the connection to a bus would be the standard output."""
    fresh, arguments = long_session(tmp_path / "sessions")
    take_away = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /dev || exit 9; exec "$0" "$@" >&-']
    variables = {**environ(fresh), "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run([*take_away, str(launcher.path), *arguments], env=variables, capture_output=True, check=False)
    if b"mount" in done.stderr or b"unshare" in done.stderr:
        pytest.skip(f"no mount namespace: {done.stderr.decode()}")
    assert done.returncode == HANDED_ON


def test_nobody_reading_is_no_crash(launcher: Launcher, store: Store) -> None:
    fresh = approved_now()
    arguments = store.put(fresh, scope.USER_SCOPE)
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [launcher.path, "credential", *arguments], env=environ(fresh), stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_python_would_answer_too(launcher: Launcher, store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    fresh = approved_now()
    arguments = store.put(fresh, scope.USER_SCOPE)
    assert cached_credential.serve(["credential", *arguments], environ(fresh)) == 0
    assert capfd.readouterr().out.encode() == launcher.answer(arguments, environ(fresh))
