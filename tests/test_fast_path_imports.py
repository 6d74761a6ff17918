"""The fast path imports the listed modules and nothing else, both ways it is entered; what it answers and to whom.

The list is tested, not the time: a module that creeps in is found here, on any machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.fastpath import cached_credential
from kubectl_stepup.kubeconfig import exec_credential
from kubectl_stepup.sessions import scope, stored_session
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.sessions.stores.file import FileStore
from kubectl_stepup.sessions.stores.item_values import ItemValues
from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore
from kubectl_stepup.stepup import own_programs
from kubectl_stepup.stepup.native_launcher import launcher
from tests.support.sessions import CA, approved_now, session
from tests.unit.sessions.bus import SecretService, Texts, bus

FILE = str(Path(cached_credential.__file__))
ENTRY = "import sys; from kubectl_stepup.__main__ import main; sys.exit(main())"

INTERPRETER = {
    # `os` and what it stands on: loaded by `site` anyway, unless -S is given.
    "os",
    "stat",
    "_stat",
    "posixpath",
    "genericpath",
    "_collections_abc",
    "__future__",
}
HIT = INTERPRETER | {
    "errno",
    "_ctypes",
    # One of the two, by Python's version.
    "_sha2",
    "_sha256",
    "kubectl_stepup",
    "kubectl_stepup.digest",
    "kubectl_stepup.environment",
    "kubectl_stepup.posix_calls",
    "kubectl_stepup.sessions",
    "kubectl_stepup.sessions.stores",
    "kubectl_stepup.sessions.stores.kernel",
    "kubectl_stepup.sessions.stores.keyctl",
    "kubectl_stepup.sessions.stored_session",
    "kubectl_stepup.sessions.release_credential",
    "kubectl_stepup.sessions.rests_on",
    "kubectl_stepup.sessions.scope",
}
THROUGH_MAIN = {
    "kubectl_stepup.__main__",
    "kubectl_stepup.fastpath",
    "kubectl_stepup.fastpath.cached_credential",
    "kubectl_stepup.isolation",
}
PARSED = HIT | {
    "binascii",
    "kubectl_stepup.errors",
    "kubectl_stepup.kubeconfig",
    "kubectl_stepup.kubeconfig.cluster_pin",
    "kubectl_stepup.kubeconfig.exec_credential",
    # json and what it stands on
    "json",
    "json.decoder",
    "json.encoder",
    "json.scanner",
    "_json",
    "re",
    "re._casefix",
    "re._compiler",
    "re._constants",
    "re._parser",
    "_sre",
    "copyreg",
    "enum",
    "types",
    "operator",
    "_operator",
    "functools",
    "_functools",
    "collections",
    "_collections",
    "itertools",
    "keyword",
    "reprlib",
    # hashlib, for the CA's digest
    "hashlib",
    "_hashlib",
    "_blake2",
    "_sha3",
}
ORDINARY = {"click", "cryptography", "jeepney", "joserfc", "keyring", "rich", "secretstorage", "urllib3", "yaml"}
FROM_A_FILE = {"kubectl_stepup.private_file", "kubectl_stepup.sessions.stores.file"}
FROM_SECRET_SERVICE = {
    "_socket",
    "binascii",
    "kubectl_stepup.sessions.stores.dbus",
    "kubectl_stepup.sessions.stores.item_values",
    "kubectl_stepup.sessions.peer",
    "kubectl_stepup.sessions.stores.secret_service",
}
SOCKET = {"_socket", "kubectl_stepup.sessions.hand_over_socket", "kubectl_stepup.sessions.peer"}


@pytest.fixture
def fresh() -> ElevationSession:
    """Return a session approved now, on a cluster whose KUBERNETES_EXEC_INFO is foretold."""
    return approved_now()


@pytest.fixture(params=["kernel", "file"])
def arguments(request: pytest.FixtureRequest, fresh: ElevationSession, tmp_path: Path) -> Iterator[list[str]]:
    """Store the session under this terminal's scope and give the arguments of `credential` that find it."""
    key = scope.key(fresh.id, scope.terminal_scope())
    if request.param == "file":
        FileStore(tmp_path / "sessions").put(key, fresh.to_record(), fresh.reuse_until)
        yield ["--session", fresh.id, "--store-directory", str(tmp_path / "sessions")]
        return
    store = KernelKeyringStore()
    try:
        store.put(key, fresh.to_record(), fresh.reuse_until)
    except StoreUnavailable as error:
        pytest.skip(f"no kernel keyring: {error.message}")
    yield ["--session", fresh.id]
    store.delete(key)


def exec_info(fresh: ElevationSession, cluster: Mapping[str, object] | None = None, *, number: int = 0) -> str:
    """Return one of the expected values, or one whose `cluster` has these fields changed."""
    value = exec_credential.expected_exec_info(fresh.pin, ca_pem=CA)[number].decode()
    if not cluster:
        return value
    parsed = json.loads(value)
    parsed["spec"]["cluster"].update(cluster)
    return json.dumps(parsed)


def run(
    command: list[str], info: str, *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return started([sys.executable, *command], info, cwd=cwd, env=env)


def started(
    command: list[str], info: str, *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    environ = {**os.environ, **(env or {}), "KUBERNETES_EXEC_INFO": info}
    return subprocess.run(command, env=environ, cwd=cwd, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)


def imported(command: list[str], info: str) -> tuple[set[str], bytes]:
    """Return every module that Python imported, or tried to, and stdout."""
    done = run(["-X", "importtime", *command], info)
    lines = [line for line in done.stderr.decode().splitlines() if line.startswith("import time:")]
    assert len(lines) == len(done.stderr.decode().splitlines()), done.stderr.decode()
    assert done.returncode == 0
    return {line.rpartition("|")[2].strip() for line in lines[1:]}, done.stdout


def by_file(arguments: list[str], info: str) -> tuple[set[str], bytes]:
    bare, _ = imported(["-I", "-S", "-c", ""], info)
    modules, stdout = imported(["-I", "-S", FILE, "credential", *arguments], info)
    return modules - bare, stdout


def by_entry_point(arguments: list[str], info: str) -> tuple[set[str], bytes]:
    bare, _ = imported(["-I", "-c", ""], info)
    modules, stdout = imported(["-I", "-c", ENTRY, "credential", *arguments], info)
    return modules - bare, stdout


def allowed(modules: set[str], arguments: list[str]) -> set[str]:
    return modules | (FROM_A_FILE if "--store-directory" in arguments else set())


def token_in(stdout: bytes) -> str:
    return str(json.loads(stdout)["status"]["token"])


def test_a_hit_by_file(arguments: list[str], fresh: ElevationSession) -> None:
    modules, stdout = by_file(arguments, exec_info(fresh))
    assert modules <= allowed(HIT, arguments)
    assert token_in(stdout) == fresh.token.reveal()
    # It is a tenth of the time, and only files need it.
    assert ("os" in modules) is ("--store-directory" in arguments)


def test_a_hit_by_the_entry_point(arguments: list[str], fresh: ElevationSession) -> None:
    modules, stdout = by_entry_point(arguments, exec_info(fresh))
    assert modules <= allowed(HIT | THROUGH_MAIN, arguments)
    assert token_in(stdout) == fresh.token.reveal()


def test_a_hit_in_the_secret_service(fresh: ElevationSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts: dict[str, str] = {}
    values = ItemValues(Texts(texts), item_characters=60_000, now=time.time)
    values.write(scope.key(fresh.id, scope.terminal_scope()), fresh.to_record(), int(fresh.reuse_until))
    with bus(tmp_path, SecretService(texts)) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        modules, stdout = by_file(["--session", fresh.id, "--store", "keyring"], exec_info(fresh))
    assert modules <= HIT | FROM_SECRET_SERVICE
    assert token_in(stdout) == fresh.token.reveal()


def test_the_secret_service_is_only_asked_where_the_arguments_say_so(
    fresh: ElevationSession, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    service = SecretService({})
    with bus(tmp_path, service) as address:
        environ = {"KUBERNETES_EXEC_INFO": exec_info(fresh), "DBUS_SESSION_BUS_ADDRESS": address}
        assert cached_credential.serve(["credential", "--session", fresh.id], environ) is None
        assert service.calls == []
        assert cached_credential.serve(["credential", "--session", fresh.id, "--store", "keyring"], environ) is None
        assert service.calls
        assert cached_credential.serve(["credential", "--session", fresh.id, "--store", "kernel"], environ) is None
    assert capfd.readouterr().out == ""


def test_a_parsed_value_by_file(arguments: list[str], fresh: ElevationSession) -> None:
    modules, stdout = by_file(arguments, exec_info(fresh, {"config": {"anything": 1}}))
    assert modules <= allowed(PARSED, arguments)
    assert token_in(stdout) == fresh.token.reveal()


def test_a_hit_through_the_socket(arguments: list[str], fresh: ElevationSession, tmp_path: Path) -> None:
    from kubectl_stepup.sessions import hand_over

    with hand_over.prepared(directory=tmp_path, kernel=False) as offer:
        handed = offer.give(fresh)
        modules, stdout = by_file(["--session", fresh.id, *handed], exec_info(fresh))
    assert modules <= (HIT | SOCKET) - {"_ctypes", "kubectl_stepup.sessions.stores.keyctl"}
    assert token_in(stdout) == fresh.token.reveal()


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_hit_leaves_no_core_file(arguments: list[str], fresh: ElevationSession) -> None:
    """PROC-12."""
    show = "import ctypes, os, sys; from kubectl_stepup import __main__; "
    show += "os._exit = lambda code: sys.exit(print(code, ctypes.CDLL(None).prctl(3), file=sys.stderr)); "
    show += "__main__.main()"
    done = run(["-I", "-c", show, "credential", *arguments], exec_info(fresh))
    assert token_in(done.stdout) == fresh.token.reveal()
    assert done.stderr == b"0 0\n"


@pytest.mark.parametrize(("number", "version"), [(0, "v1"), (1, "v1"), (2, "v1beta1"), (3, "v1beta1")])
def test_the_answer_has_the_version_that_was_asked_for(
    arguments: list[str], fresh: ElevationSession, number: int, version: str
) -> None:
    done = run(["-I", "-S", FILE, "credential", *arguments], exec_info(fresh, number=number))
    assert json.loads(done.stdout)["apiVersion"] == f"client.authentication.k8s.io/{version}"
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Return a directory whose modules have the names of everything that either path imports, and end the program."""
    directory = tmp_path / "hostile"
    names = {name.partition(".")[0] for name in PARSED | SOCKET | FROM_SECRET_SERVICE | ORDINARY} - {"__future__"}
    for name in names | {"sitecustomize", "usercustomize"}:
        (directory / name).mkdir(parents=True)
        for file in (directory / name / "__init__.py", directory / f"{name}.py"):
            file.write_text("import posix\nposix.write(2, b'hostile code ran')\nposix._exit(99)\n")
    return directory


def in_hostile_directory(command: list[str], info: str, hostile: Path) -> subprocess.CompletedProcess[bytes]:
    env = {"PYTHONPATH": str(hostile), "PYTHONHOME": "", "PYTHONSTARTUP": str(hostile / "os.py")}
    return started(command, info, cwd=hostile, env=env)


@pytest.fixture(params=["launcher", "python"])
def credential(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the words that start `credential`, as the overlay and the static entry write them, in either form."""
    if request.param == "python":
        monkeypatch.setattr(own_programs, "launcher", lambda: None)
    elif launcher() is None:
        pytest.skip("no launcher was compiled for this installation")
    return list(own_programs.credential_command())


def test_nothing_beside_the_caller_is_imported(
    arguments: list[str], fresh: ElevationSession, hostile: Path, credential: list[str]
) -> None:
    """PROC-17."""
    for info in (exec_info(fresh), exec_info(fresh, {"config": {"anything": 1}})):
        done = in_hostile_directory([*credential, *arguments], info, hostile)
        assert (done.returncode, done.stderr) == (0, b"")
        assert token_in(done.stdout) == fresh.token.reveal()


def test_nothing_beside_the_caller_is_imported_on_a_miss(
    fresh: ElevationSession, hostile: Path, credential: list[str]
) -> None:
    command = [*credential, "--session", "0" * 32, "--store", "keyring"]
    done = in_hostile_directory(command, exec_info(fresh), hostile)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"error: session 00000000000000000000000000000000 belongs to no enrolled cluster")


def test_the_hostile_modules_would_run(hostile: Path) -> None:
    assert in_hostile_directory([sys.executable, "-c", "import yaml"], "", hostile).returncode == 99


class TestMiss:
    """Whatever is not a plain hit is left to the ordinary path: `serve` gives None and writes nothing."""

    def serve(self, argv: list[str], info: str | None, capfd: pytest.CaptureFixture[str]) -> None:
        environ = {} if info is None else {"KUBERNETES_EXEC_INFO": info}
        assert cached_credential.serve(argv, environ) is None
        assert capfd.readouterr().out == ""

    @pytest.mark.parametrize(
        "cluster",
        [
            {"server": "https://evil.example.com"},
            {"server": "https://evil.example.com", "config": {"server": "https://api.prod.example.com"}},
            {"certificate-authority-data": "LS0tLS1CRUdJTg=="},
            {"certificate-authority-data": None},
            {"insecure-skip-tls-verify": True},
            {"tls-server-name": "evil"},
            {"proxy-url": "http://evil"},
            {"server": "http://api.prod.example.com"},
        ],
    )
    def test_another_server(
        self,
        arguments: list[str],
        fresh: ElevationSession,
        cluster: dict[str, object],
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        self.serve(["credential", *arguments], exec_info(fresh, cluster), capfd)

    @pytest.mark.parametrize("info", [None, "", "{", "null", '{"kind":"ExecCredential"}'])
    def test_no_exec_info(self, arguments: list[str], info: str | None, capfd: pytest.CaptureFixture[str]) -> None:
        self.serve(["credential", *arguments], info, capfd)

    def test_no_cluster_info(
        self, arguments: list[str], fresh: ElevationSession, capfd: pytest.CaptureFixture[str]
    ) -> None:
        value = json.loads(exec_info(fresh))
        del value["spec"]["cluster"]
        self.serve(["credential", *arguments], json.dumps(value), capfd)

    def test_other_arguments(
        self, arguments: list[str], fresh: ElevationSession, capfd: pytest.CaptureFixture[str]
    ) -> None:
        for argv in (
            [],
            ["exec", *arguments],
            ["credential"],
            ["credential", "--help"],
            ["credential", *arguments, "--verbose"],
            ["credential", *arguments, "--scope", "user"],
            ["credential", *arguments, *arguments],
            ["credential", "--session", fresh.id.upper()],
            ["credential", "--session", f"../{fresh.id}"],
            ["credential", "--session", "0" * 32],
        ):
            self.serve(argv, exec_info(fresh), capfd)

    @pytest.mark.parametrize("ended", ["reuse", "token", "clock set back", "another boot", "another session"])
    def test_a_session_that_may_not_be_used(
        self, fresh: ElevationSession, ended: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        now = fresh.approved
        changes: dict[str, object] = {
            "reuse": {"reuse_until": now.wall},
            "token": {"token_expires_at": now.wall + 9},
            "clock set back": {
                "approved": stored_session.Moment(wall=now.wall + 60, boottime=now.boottime, boot_id=now.boot_id)
            },
            "another boot": {"approved": stored_session.Moment(wall=now.wall, boottime=now.boottime, boot_id="other")},
            "another session": {"level": "critical"},
        }[ended]  # type: ignore[assignment]
        values = {name: getattr(fresh, name) for name in fresh.__slots__}
        stored = session(**{**values, **changes})
        store = FileStore(tmp_path / "sessions")
        store.put(scope.key(fresh.id, scope.USER_SCOPE), stored.to_record(), now.wall + 3600)
        arguments = ["--session", fresh.id, "--store-directory", str(tmp_path / "sessions")]
        self.serve(["credential", *arguments], exec_info(fresh), capfd)

    def test_the_file_runs_itself_again_with_site_packages(self, fresh: ElevationSession) -> None:
        show = "import os, runpy, sys; sys.argv = sys.argv[1:]; "
        show += (
            "os.execve = lambda path, argv, env: print([path, *argv], [name for name in env if name[:6] == 'PYTHON']); "
        )
        code = f"{show}runpy.run_path(sys.argv[0], run_name='__main__')"
        done = run(["-I", "-S", "-c", code, FILE, "credential", "--session", "0" * 32, "-x"], exec_info(fresh))
        again = [
            sys.executable,
            sys.executable,
            "-P",
            "-m",
            "kubectl_stepup",
            "credential",
            "--session",
            "0" * 32,
            "-x",
        ]
        # Without the caller's own variables, which are there under other names.
        assert done.stdout.decode().strip() == f"{again} ['PYTHONSAFEPATH']", done.stderr


def test_a_miss_is_answered_by_an_installation_for_one_user(fresh: ElevationSession, tmp_path: Path) -> None:
    """`pip install --user`: our package is in the user's site packages, which `python -I` would not look into."""
    python = str(Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}"))
    site = tmp_path / f".local/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    shutil.copytree(Path(cached_credential.__file__).parents[1], site / "kubectl_stepup")
    (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    environ = {"HOME": str(tmp_path), "PATH": os.defpath, "KUBERNETES_EXEC_INFO": exec_info(fresh)}
    command = [
        python,
        "-I",
        "-S",
        str(site / "kubectl_stepup/fastpath/cached_credential.py"),
        "credential",
        "--session",
        "0" * 32,
    ]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False)
    assert done.stderr.startswith(f"error: session {'0' * 32} belongs to no enrolled cluster")
    assert done.returncode == 1


def test_the_users_scope_is_found_without_a_word(
    fresh: ElevationSession, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = FileStore(tmp_path / "sessions")
    store.put(scope.key(fresh.id, scope.USER_SCOPE), fresh.to_record(), fresh.reuse_until)
    arguments = ["--session", fresh.id, "--store-directory", str(tmp_path / "sessions")]
    environ = {"KUBERNETES_EXEC_INFO": exec_info(fresh)}
    assert cached_credential.serve(["credential", *arguments], environ) == 0
    assert token_in(capfd.readouterr().out.encode()) == fresh.token.reveal()


def test_nobody_reading_is_no_traceback(arguments: list[str], fresh: ElevationSession) -> None:
    read, write = os.pipe()
    os.close(read)
    environ = {**os.environ, "KUBERNETES_EXEC_INFO": exec_info(fresh)}
    command = [sys.executable, "-I", "-S", FILE, "credential", *arguments]
    done = subprocess.run(command, env=environ, stdout=write, stderr=subprocess.PIPE, timeout=60)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")
