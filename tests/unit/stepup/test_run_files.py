from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kubectl_stepup.errors import KubectlFailed, KubectlNotFound, StoreUnavailable
from kubectl_stepup.kubeconfig.load import files_of
from kubectl_stepup.kubectl.captured_input import CapturedInput
from kubectl_stepup.kubectl.command import read
from kubectl_stepup.kubectl.installed import InstalledKubectl
from kubectl_stepup.sessions.scope import terminal_scope
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.sessions.stores.memory import MemoryStore
from kubectl_stepup.stepup import own_programs
from kubectl_stepup.stepup.app import App
from kubectl_stepup.stepup.elevate import Elevation
from kubectl_stepup.stepup.options import Settings
from tests.flows import session

CONFIG = "apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: Config\nstore: memory\n"


@pytest.fixture
def machine(tmp_path: Path) -> App:
    """An app whose sessions are in memory."""
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    path.chmod(0o600)
    environ = {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin"), "KUBECONFIG": "/a:/b"}
    return App(Settings(config=str(path)), environ)


def kubectl_in(tmp_path: Path, script: str) -> str:
    path = tmp_path / "bin/kubectl"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


# -- the credential command ---------------------------------------------------------------------------------------


@pytest.fixture
def no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_programs, "launcher", lambda: None)


def test_the_credential_command_is_the_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_programs, "launcher", lambda: "/opt/kubectl-stepup")
    for frozen in (False, True):
        monkeypatch.setattr(sys, "frozen", frozen, raising=False)
        for where in ((), ("--store-directory", "/state/sessions"), ("--store", "keyring")):
            assert own_programs.credential_command(where) == ("/opt/kubectl-stepup", "credential")


def test_a_socket_which_the_launcher_leaves_to_python_takes_the_shorter_way(monkeypatch: pytest.MonkeyPatch) -> None:
    where = ("--handover", "/socket")
    monkeypatch.setattr(own_programs, "launcher", lambda: "/opt/kubectl-stepup")
    assert own_programs.credential_command(where)[:3] == (sys.executable, "-I", "-S")
    # The built program has no file to run.
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert own_programs.credential_command(where) == ("/opt/kubectl-stepup", "credential")


@pytest.mark.usefixtures("no_launcher")
def test_the_credential_command_without_one_is_absolute_and_isolated() -> None:
    python, *flags, file, word = own_programs.credential_command()
    assert (python, flags, word) == (sys.executable, ["-I", "-S"], "credential")
    assert Path(file).is_absolute()
    assert Path(file).name == "cached_credential.py"
    assert Path(file).is_file()


@pytest.mark.usefixtures("no_launcher")
def test_the_credential_command_of_the_built_program_without_one_is_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert own_programs.credential_command() == (sys.executable, "credential")


# -- handing a session over --------------------------------------------------------------------------------------------


def lent(machine: App, elevation: Elevation, *, keeps_session: bool = True) -> tuple[str, ...]:
    with (
        machine.kubectl.run_directory() as directory,
        machine.hand_over(directory.path, keeps_session=keeps_session) as credential_for,
    ):
        return tuple(credential_for(elevation))


def elevation(*, stored: bool) -> Elevation:
    return Elevation(session=session(), reused=False, stored=stored)


class BySocket:
    """A hand-over that works."""

    def give(self, handed: ElevationSession) -> tuple[str, ...]:
        assert handed == session()
        return ("--handover", "/socket")


@contextmanager
def by_socket(*, directory: Path) -> Iterator[BySocket]:
    assert directory.stat().st_mode & 0o777 == 0o700
    yield BySocket()


@contextmanager
def impossible(*, directory: Path) -> Iterator[BySocket]:
    raise StoreUnavailable("neither way works")
    yield BySocket()


@pytest.mark.parametrize("stored", [True, False])
def test_a_session_is_handed_to_the_process_tree(machine: App, monkeypatch: pytest.MonkeyPatch, stored: bool) -> None:
    monkeypatch.setattr(own_programs, "prepared", by_socket)
    assert lent(machine, elevation(stored=stored)) == (
        *own_programs.credential_command(("--handover", "/socket")),
        "--session",
        session().id,
        "--handover",
        "/socket",
    )


class FileLike(MemoryStore):
    name = "file"


@pytest.mark.parametrize("name", ["kernel", "file"])
def test_where_it_cannot_be_handed_over_the_store_serves(
    machine: App, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(own_programs, "prepared", impossible)
    store = FileLike(now=lambda: 0.0)
    store.name = name
    machine.__dict__["store"] = store
    rest = lent(machine, elevation(stored=True))[len(own_programs.credential_command()) :]
    directory = ("--store-directory", str(machine.state_directory / "sessions")) if name == "file" else ()
    assert rest == ("--session", session().id, *directory)


@pytest.mark.parametrize(
    ("store", "arguments"),
    [
        ("auto", ()),
        ("kernel", ()),
        ("memory", ()),
        ("file", ("--store-directory", "/state/sessions")),
        ("keyring", ("--store", "keyring")),
    ],
)
def test_credential_is_told_of_the_stores_that_the_kernel_does_not_keep(store: str, arguments: tuple[str, ...]) -> None:
    assert own_programs.store_arguments(store, Path("/state")) == arguments


def test_where_neither_works_nothing_runs(machine: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_programs, "prepared", impossible)
    with pytest.raises(StoreUnavailable, match=r"^neither way works$"):
        lent(machine, elevation(stored=True))  # the store is memory
    machine.__dict__["store"] = FileLike(now=lambda: 0.0)
    with pytest.raises(StoreUnavailable, match=r"^neither way works$"):
        lent(machine, elevation(stored=True), keeps_session=False)
    with pytest.raises(StoreUnavailable, match=r"^the session can neither be handed over nor kept$"):
        lent(machine, elevation(stored=False))


def test_no_token_is_in_the_words(machine: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_programs, "prepared", by_socket)
    assert session().token.reveal() not in " ".join(lent(machine, elevation(stored=True)))


# -- an app's parts -------------------------------------------------------------------------------------------------


def test_the_scope_is_the_terminal(machine: App) -> None:
    assert machine.scope == terminal_scope()


def test_the_kubeconfig_files_are_those_of_the_environment_or_of_the_flag(machine: App, tmp_path: Path) -> None:
    assert tuple(files_of(machine.environ, None)) == ("/a", "/b")
    named = tmp_path / "named"
    named.write_text("")
    assert tuple(files_of(machine.environ, str(named))) == (str(named),)


def captured(machine: App, place: str) -> tuple[str, bytes]:
    """Return the file's name and what a child reads under it."""
    with machine.kubectl.captured_file(b"kind: Pod", place) as file:
        path = file.path
        read = subprocess.run(["cat", path], pass_fds=file.pass_fds, capture_output=True, check=True).stdout
        in_memory = Path(path).is_symlink()
    assert not Path(path).exists()
    assert in_memory == (sys.platform == "linux")
    return Path(path).name, read


def test_captured_input_has_the_name_of_its_place(machine: App, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    shutil.copy("/bin/true", tmp_path / "bin/kubectl")
    assert captured(machine, "dir/app.yaml") == ("app.yaml", b"kind: Pod")
    for place in ("", "a,b", "..", 'x"', "a\nb", "https://h/?a=b,c"):
        assert captured(machine, place) == ("manifests", b"kind: Pod")


def test_a_kubectl_that_is_a_script_gets_captured_input_as_a_private_file(machine: App, tmp_path: Path) -> None:
    kubectl_in(tmp_path, "exit 0")
    with machine.kubectl.captured_file(b"kind: Pod", "app.yaml") as file:
        path = file.path
        assert (Path(path).read_bytes(), Path(path).is_symlink()) == (b"kind: Pod", False)
        assert Path(path).stat().st_mode & 0o777 == 0o600
    assert not Path(path).parent.exists()


def test_kubectl_is_found_by_our_own_environment(machine: App, tmp_path: Path) -> None:
    kubectl = machine.kubectl
    with pytest.raises(KubectlNotFound):
        kubectl.path()
    path = kubectl_in(tmp_path, 'cat; echo "$1 $A" >&2; exit 7')
    assert kubectl.path() == path
    assert kubectl.run(["x"], {"A": "b"}, stdin=(b"",)) == 7
    tmp_path.joinpath("bin").chmod(0o777)
    assert str(kubectl.writable_by_others()) == f"{tmp_path / 'bin'} can be changed by other users"


class TestPlugins:
    """kubectl becomes the program with the longest name that fits, in whichever directory of PATH it is."""

    def fault(self, machine: App, *words: str) -> str | None:
        found = machine.kubectl.plugin_writable_by_others(words)
        return None if found is None else found.path

    @pytest.mark.parametrize("name", ["kubectl-foo_bar-x", "kubectl-foo_bar"])
    def test_a_plugin_that_others_can_write(self, machine: App, tmp_path: Path, name: str) -> None:
        plugin = tmp_path / "bin" / name
        plugin.parent.mkdir()
        plugin.write_text("#!/bin/sh\n")
        plugin.chmod(0o755)
        assert self.fault(machine, "foo-bar", "x", "--y", "z") is None
        plugin.chmod(0o777)
        assert self.fault(machine, "foo-bar", "x", "--y", "z") == str(plugin)
        assert self.fault(machine, "foo", "--y", "z") is None

    @pytest.mark.parametrize("mode", [0o777, 0o1777])
    def test_a_directory_that_others_can_put_one_into(self, machine: App, tmp_path: Path, mode: int) -> None:
        (tmp_path / "open").mkdir()
        machine.environ["PATH"] = f"{tmp_path / 'bin'}:.::{tmp_path / 'open'}"  # type: ignore[index]
        assert self.fault(machine, "foo") is None
        (tmp_path / "open").chmod(mode)
        assert self.fault(machine, "foo") == str(tmp_path / "open")

    @pytest.mark.parametrize("entry", [".", "", "../open"])
    def test_kubectl_looks_by_relative_entries_too(
        self, machine: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str
    ) -> None:
        (tmp_path / "open").mkdir(mode=0o700)
        monkeypatch.chdir(tmp_path / "open")
        machine.environ["PATH"] = f"{entry}:{tmp_path / 'bin'}"  # type: ignore[index]
        assert self.fault(machine, "foo") is None
        (tmp_path / "open").chmod(0o777)
        assert self.fault(machine, "foo") == str(tmp_path / "open")


class TestTheKubectlThatWasChecked:
    """One kubectl for the check, the record and the run."""

    @pytest.fixture
    def kubectl(self, machine: App, tmp_path: Path) -> InstalledKubectl:
        kubectl_in(tmp_path, "exit 3")
        return machine.kubectl

    def test_it_is_looked_up_once(self, machine: App, tmp_path: Path, kubectl: InstalledKubectl) -> None:
        path = kubectl.path()
        earlier = tmp_path / "earlier"
        earlier.mkdir()
        machine.environ["PATH"] = f"{earlier}:{machine.environ['PATH']}"  # type: ignore[index]
        (earlier / "kubectl").write_text("#!/bin/sh\nexit 4\n")
        (earlier / "kubectl").chmod(0o755)
        assert kubectl.path() == path
        assert machine.kubectl is kubectl
        assert kubectl.run([], {}) == 3

    @pytest.mark.parametrize("how", ["file", "link"])
    def test_another_in_its_place_is_refused(self, tmp_path: Path, kubectl: InstalledKubectl, how: str) -> None:
        assert kubectl.writable_by_others() is None
        other = tmp_path / "bin/other"
        other.write_text("#!/bin/sh\nexit 4\n")
        other.chmod(0o755)
        path = Path(kubectl.path())
        if how == "file":
            other.replace(path)
        else:
            path.unlink()
            path.symlink_to(other)
        with pytest.raises(KubectlFailed, match="was replaced after it had been checked") as caught:
            kubectl.writable_by_others()
        assert caught.value.hint == "repeat the command"

    def test_one_that_is_gone_is_said(self, kubectl: InstalledKubectl) -> None:
        assert kubectl.writable_by_others() is None
        Path(kubectl.path()).unlink()
        with pytest.raises(KubectlFailed, match="no such file or directory"):
            kubectl.writable_by_others()

    @pytest.mark.parametrize("open_one", ["links", ".", "bin", "bin/kubectl"])
    def test_everything_on_the_way_to_it_counts(
        self, machine: App, tmp_path: Path, kubectl: InstalledKubectl, open_one: str
    ) -> None:
        (tmp_path / "links").mkdir()
        (tmp_path / "links/kubectl").symlink_to("../bin/kubectl")
        machine.environ["PATH"] = str(tmp_path / "links")  # type: ignore[index]
        assert kubectl.path() == str(tmp_path / "links/kubectl")
        assert kubectl.writable_by_others() is None
        (tmp_path / open_one).chmod(0o777)
        fault = kubectl.writable_by_others()
        assert fault is not None
        assert Path(fault.path) == tmp_path / open_one


def test_revoking_is_for_the_elevated_client(machine: App, monkeypatch: pytest.MonkeyPatch) -> None:
    from kubectl_stepup.config.model import Config
    from kubectl_stepup.secret import Secret
    from kubectl_stepup.stepup.sessions import StoredSessions, _revoked
    from tests.flows import PROVIDER, FakeProvider

    fake = FakeProvider()
    monkeypatch.setattr(App, "provider", lambda self, provider: fake)
    config = Config(providers=(PROVIDER,), clusters=())
    ended = session(access_token=Secret("access-1"))
    assert _revoked(ended, StoredSessions(machine, config, MemoryStore(now=lambda: 0.0)))
    assert fake.revoked == [("access-1", "access_token", "kubectl-elevated")]


# -- manifests ----------------------------------------------------------------------------------------------------

POD = '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}}'


def expanded(machine: App, *words: str) -> Any:
    return machine.expand(read(words))


def test_manifests_are_read_by_kubectl_itself(machine: App, tmp_path: Path) -> None:
    kubectl_in(tmp_path, f"echo '{POD}'")
    manifest = tmp_path / "pod.yaml"
    manifest.write_text("kind: whatever")
    command, captured = expanded(machine, "delete", "-f", str(manifest))
    assert captured == CapturedInput(objects=f"{POD}\n".encode())
    assert {(entry.verb, entry.resource.name, entry.name) for entry in command.requests} >= {("delete", "pods", "web")}
    assert "unread-manifest" not in command.traits


def test_without_a_kubectl_manifests_stay_as_sensitive_as_they_can_be(machine: App, tmp_path: Path) -> None:
    command, captured = expanded(machine, "delete", "-f", str(tmp_path / "pod.yaml"))
    assert (command, captured) == (read(["delete", "-f", str(tmp_path / "pod.yaml")]), CapturedInput())
    assert "unread-manifest" in command.traits


def test_a_command_without_manifests_starts_no_kubectl(machine: App, tmp_path: Path) -> None:
    kubectl_in(tmp_path, f"touch {tmp_path}/started")
    assert expanded(machine, "get", "pods") == (read(["get", "pods"]), CapturedInput())
    assert not (tmp_path / "started").exists()
