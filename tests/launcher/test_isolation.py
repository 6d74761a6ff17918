"""No PYTHON* variable of the caller decides what code a command runs; whatever is started has them all the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from kubectl_stepup.stepup.native_launcher import launcher as installed_launcher
from tests.launcher.conftest import HANDED_ON, Launcher

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "import os\nos.write(2, b'hostile code ran')\nos._exit(99)\n"
BASE = os.path.realpath(sys.executable)
"""The interpreter without the virtual environment that the tests run in."""

SCRIPT = "import sys\nfrom kubectl_stepup.__main__ import main\nsys.exit(main())\n"

ALL_OF_THEM = {
    "PYTHONPATH": "{hostile}",
    "PYTHONHOME": "{hostile}",
    "PYTHONSTARTUP": "{hostile}/yaml.py",
    "PYTHONUSERBASE": "{hostile}",
    "PYTHONINSPECT": "1",
    "PYTHONBREAKPOINT": "yaml.breakpoint",
    "PYTHONPYCACHEPREFIX": "{hostile}",
    "PYTHONPLATLIBDIR": "hostile",
    "PYTHONWARNINGS": "error::yaml.Warning",
    "PYTHONSAFEPATH": "",
    "PYTHONVERBOSE": "3",
    "PYTHONOPTIMIZE": "2",
    "PYTHONEXECUTABLE": "{hostile}/python",
    "PYTHONPROFILEIMPORTTIME": "1",
    "PYTHON_FROZEN_MODULES": "off",
    "PYTHON_OF_THE_FUTURE": "{hostile}",
}


def handed_on(done: subprocess.CompletedProcess[bytes]) -> dict[str, str]:
    assert (done.returncode, done.stderr) == (HANDED_ON, b"")
    return dict(line.split("=", 1) for line in done.stdout.decode().splitlines()[1:])


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Return a directory of modules that end the program and say so."""
    directory = tmp_path / "hostile"
    (directory / "kubectl_stepup").mkdir(parents=True)
    for name in ("kubectl_stepup/__init__", "sitecustomize", "usercustomize", "yaml", "click", "json", "encodings"):
        (directory / f"{name}.py").write_text(HOSTILE)
    return directory


@pytest.fixture
def kubectl(tmp_path: Path) -> Path:
    """Return a directory with a kubectl that shows the PYTHON* variables it was started with."""
    directory = tmp_path / "kubectl"
    directory.mkdir()
    program = directory / "kubectl"
    program.write_text("#!/bin/sh\nenv | grep PYTHON | LC_ALL=C sort\nexit 7\n")
    program.chmod(0o755)
    return directory


@pytest.fixture
def program() -> str:
    """Return the launcher of this installation, with the Python program beside it."""
    found = installed_launcher()
    if found is None:
        pytest.skip("no launcher was compiled for this installation")
    return found


def variables(tmp_path: Path, kubectl: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(tmp_path), "PATH": f"{kubectl}:{os.defpath}", **more}


def ran(words: list[str], environ: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, env=environ, cwd=cwd, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False
    )


def test_every_variable_of_python_is_handed_on_under_another_name(launcher: Launcher) -> None:
    names = {name: value.format(hostile="/hostile") for name, value in ALL_OF_THEM.items()}
    found = handed_on(launcher.run("exec", "-q", "--", "get", "pods", environ={"PATH": os.defpath, **names}))
    assert found == {"PYTHONSAFEPATH": "1", **{f"KUBECTL_STEPUP_{name}": value for name, value in names.items()}}


def test_names_that_are_the_launchers_own_are_not_taken_from_the_caller(launcher: Launcher) -> None:
    environ = {"PATH": os.defpath, "KUBECTL_STEPUP_PYTHONPATH": "/hostile", "KUBECTL_STEPUP_PYTHONSAFEPATH": "1"}
    found = handed_on(launcher.run("version", environ=environ))
    assert found == {"PYTHONSAFEPATH": "1", "KUBECTL_STEPUP_PYTHONSAFEPATH": ""}


def test_what_leads_to_the_program_itself_stays(launcher: Launcher, tmp_path: Path) -> None:
    base = tmp_path / "base"
    (base / "bin").mkdir(parents=True)
    for name in ("kubectl-stepup", "kubectl_stepup-python"):
        shutil.copy(launcher.path.with_name(name), base / "bin")
    own = Launcher(base / "bin/kubectl-stepup", launcher.system_policy)
    given = {"PYTHONUSERBASE": str(base), "PYTHONPATH": f"/hostile:{base}::relative"}
    found = handed_on(own.run("version", environ={"PATH": os.defpath, **given}))
    assert (found["PYTHONUSERBASE"], found["PYTHONPATH"]) == (str(base), str(base))
    elsewhere = handed_on(launcher.run("version", environ={"PATH": os.defpath, **given}))
    relative = handed_on(own.run("version", environ={"PATH": os.defpath, "PYTHONUSERBASE": "base"}, cwd=tmp_path))
    assert not {"PYTHONUSERBASE", "PYTHONPATH"} & (elsewhere.keys() | relative.keys())


def test_a_directory_that_only_links_to_the_programs_own_does_not_lead_there(
    launcher: Launcher, tmp_path: Path
) -> None:
    """Python would take the libraries beside the link, not those of the program."""
    (tmp_path / "bin").symlink_to(launcher.path.parent)
    given = {"PYTHONUSERBASE": str(tmp_path), "PYTHONPATH": f"/hostile:{tmp_path}"}
    found = handed_on(launcher.run("version", environ={"PATH": os.defpath, **given}))
    assert not {"PYTHONUSERBASE", "PYTHONPATH"} & found.keys()


@pytest.mark.parametrize("name", ALL_OF_THEM)
def test_no_variable_runs_code_or_ends_a_command(
    program: str, tmp_path: Path, hostile: Path, kubectl: Path, name: str
) -> None:
    """PROC-17."""
    environ = variables(tmp_path, kubectl, **{name: ALL_OF_THEM[name].format(hostile=hostile)})
    refused = ran([program, "exec", "-q", "--", "no-such-command"], environ, hostile)
    assert (refused.returncode, refused.stdout) == (125, ""), refused.stderr
    assert refused.stderr.startswith("error: "), refused.stderr
    version = ran([program, "version"], environ, hostile)
    assert (version.returncode, version.stderr) == (0, "")


def test_kubectl_has_the_callers_own_variables(program: str, tmp_path: Path, hostile: Path, kubectl: Path) -> None:
    given = {name: value.format(hostile=hostile) for name, value in ALL_OF_THEM.items() if value}
    expected = "".join(f"{name}={value}\n" for name, value in sorted(given.items()))
    # The command line tool, which remembers the line, and then the launcher alone.
    for _ in range(2):
        done = ran([program, "exec", "--", "get", "pods"], variables(tmp_path, kubectl, **given), hostile)
        assert (done.returncode, done.stdout, done.stderr) == (7, expected, "")
    own = ran([program, "exec", "--", "get", "pods"], variables(tmp_path, kubectl, PYTHONSAFEPATH="1"), hostile)
    assert own.stdout == "PYTHONSAFEPATH=1\n"
    assert ran([program, "exec", "-q", "--", "get", "pods"], variables(tmp_path, kubectl), hostile).stdout == ""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """Return a console script as pip writes it where there is no launcher."""
    path = tmp_path / "bin/kubectl-stepup"
    path.parent.mkdir()
    path.write_text(f"#!{sys.executable}\n{SCRIPT}")
    path.chmod(0o755)
    return path


def test_without_a_launcher_the_libraries_are_those_installed(
    script: Path, tmp_path: Path, hostile: Path, kubectl: Path
) -> None:
    """PROC-17: a package of our own name, and what `site` imports, Python has run before we can prevent it."""
    shutil.rmtree(hostile / "kubectl_stepup")
    for name in ("sitecustomize", "usercustomize", "encodings"):
        (hostile / f"{name}.py").unlink()
    given = {"PYTHONPATH": str(hostile), "PYTHONINSPECT": "1", "PYTHONPYCACHEPREFIX": str(tmp_path / "compiled")}
    for words in ([str(script)], [sys.executable, "-P", "-m", "kubectl_stepup"]):
        for _ in range(2):
            done = ran([*words, "exec", "--", "get", "pods"], variables(tmp_path, kubectl, **given), hostile)
            expected = "".join(f"{name}={value}\n" for name, value in sorted(given.items()))
            assert (done.returncode, done.stdout, done.stderr) == (7, expected, "")
        version = ran([*words, "version"], variables(tmp_path, kubectl, **given), hostile)
        assert (version.returncode, version.stderr) == (0, "")


@pytest.mark.parametrize(
    ("given", "starts"), [({}, 1), ({"PYTHONUNBUFFERED": "1", "PYTHONSTARTUP": "x"}, 1), ({"PYTHONINSPECT": "1"}, 2)]
)
def test_without_a_launcher_it_starts_again_only_where_it_must(
    script: Path, tmp_path: Path, kubectl: Path, given: dict[str, str], starts: int
) -> None:
    script.write_text(f"#!{sys.executable}\nimport os\nos.write(2, b'started ')\n{SCRIPT}")
    done = ran([str(script), "version"], variables(tmp_path, kubectl, **given), tmp_path)
    assert (done.returncode, done.stderr) == (0, "started " * starts)


def test_a_target_directory_that_a_variable_names_is_the_only_one_of_them(
    tmp_path: Path, hostile: Path, kubectl: Path, script: Path
) -> None:
    """As `pip install --target` leaves it: without PYTHONPATH there would be no program."""
    shutil.rmtree(hostile / "kubectl_stepup")
    for name in ("sitecustomize", "usercustomize", "encodings", "json"):
        (hostile / f"{name}.py").unlink()
    target = tmp_path / "target"
    target.mkdir()
    for library in (ROOT / "kubectl_stepup", *Path(sysconfig.get_path("purelib")).iterdir()):
        if not (target / library.name).exists():
            (target / library.name).symlink_to(library)
    script.write_text(f"#!{BASE}\n{SCRIPT}")
    done = ran([str(script), "version"], variables(tmp_path, kubectl, PYTHONPATH=f"{hostile}:{target}"), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", [["version"], ["credential", "--session", "0" * 32]])
@pytest.mark.parametrize("named", [True, False])
def test_an_installation_for_one_user_works(
    program: str, tmp_path: Path, kubectl: Path, words: list[str], named: bool
) -> None:
    """`pip install --user`, below HOME or where PYTHONUSERBASE says."""
    base = tmp_path / (".local" if not named else "base")
    site = base / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    site.mkdir(parents=True)
    (site / "borrowed.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    (base / "bin").mkdir()
    shutil.copy(program, base / "bin/kubectl-stepup")
    beside = base / "bin/kubectl_stepup-python"
    beside.write_text(f"#!{BASE}\n{SCRIPT}")
    beside.chmod(0o755)
    where = {"PYTHONUSERBASE": str(base)} if named else {}
    environ = variables(tmp_path, kubectl, KUBERNETES_EXEC_INFO="{}", **where)
    done = ran([str(base / "bin/kubectl-stepup"), *words], environ, tmp_path)
    if words == ["version"]:
        assert (done.returncode, done.stderr) == (0, "")
    else:
        assert (done.returncode, done.stderr.startswith("error: ")) == (1, True), done.stderr


@pytest.mark.parametrize("named", [True, False])
def test_the_exec_entry_finds_an_installation_for_one_user(tmp_path: Path, kubectl: Path, named: bool) -> None:
    """Without a launcher: on a miss, the file starts the program that it belongs to."""
    base = tmp_path / (".local" if not named else "base")
    site = base / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    site.mkdir(parents=True)
    (site / "kubectl_stepup").symlink_to(ROOT / "kubectl_stepup")
    (site / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    where = {"PYTHONUSERBASE": str(base)} if named else {}
    environ = variables(tmp_path, kubectl, KUBERNETES_EXEC_INFO="{}", PYTHONINSPECT="1", **where)
    words = [
        BASE,
        "-I",
        "-S",
        str(site / "kubectl_stepup/fastpath/cached_credential.py"),
        "credential",
        "--session",
        "0" * 32,
    ]
    done = ran(words, environ, tmp_path)
    assert (done.returncode, done.stderr) == (1, "error: KUBERNETES_EXEC_INFO is not an ExecCredential\n")


def test_no_variable_of_the_command_line_library_replaces_a_command(
    tmp_path: Path, kubectl: Path, script: Path
) -> None:
    environ = variables(tmp_path, kubectl, **{"_KUBECTL STEPUP_COMPLETE": "bash_source"})
    done = ran([str(script), "exec", "-q", "--", "no-such-command"], environ, tmp_path)
    assert (done.returncode, done.stdout) == (125, "")
